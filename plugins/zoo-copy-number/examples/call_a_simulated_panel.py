"""Simulate a capture panel with known events, call it with the shipped model, and write VCF and SEG.

python examples/call_a_simulated_panel.py
"""

import zoo
from zoo_copy_number.caller import call_sample
from zoo_copy_number.source import make_sample
from zoo_copy_number.writers import write_calls


def main() -> None:
    """Print the planted deletions and duplications of 10 bins and more, each with the calls that overlap it."""
    sample = make_sample("panel", 6_000, (2026, 1), reference=True)
    calls = call_sample(zoo.load("copy-number"), sample.bins).calls
    for event in sample.events[sample.events["bins"] >= 10]:
        contig = sample.bins.contigs[event["contig"]]
        start, end = sample.bins.start[event["start"]], sample.bins.end[event["end"] - 1]
        overlap = [c for c in calls.of("DEL", "DUP") if c.contig == contig and c.start < end and c.end > start]
        called = ", ".join(f"{c.copy_number} copies (quality {c.quality:.0f})" for c in overlap) or "not called"
        print(f"{contig}:{start:,}-{end:,} {event['copies']} copies in {event['bins']} bins: {called}")
    for name in ("calls.vcf", "calls.seg"):
        write_calls(name, calls)
    print(f"wrote calls.vcf and calls.seg: {len(calls.of('DEL', 'DUP'))} deletions and duplications")


if __name__ == "__main__":
    main()
