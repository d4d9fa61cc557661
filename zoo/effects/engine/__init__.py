"""Incremental inference.

trace: model -> graph        plan: graph, rules -> operations        incremental: codes, Edits -> effects
"""
