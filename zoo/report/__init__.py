"""One HTML file that tells a biologist what a model is, how good it is, and what it has learnt.

open_subject("ctcf-motif-cnn") -> Subject -> write_report(subject, "report.html")
"""
