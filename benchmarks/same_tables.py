"""Are the tables of two checkouts the same?  Fixed inputs, the shipped models, every command that gives numbers.

    python benchmarks/same_tables.py write before/     with the `zoo` of one environment
    python benchmarks/same_tables.py write after/      with that of another
    python benchmarks/same_tables.py compare before/ after/

Inputs are made with numpy alone, so that no change of zoo can change them.  Compared are header rows, keys and
statuses as text, and numbers to 1e-5, absolute and relative: two runs of one checkout differ by less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

LETTERS = np.array(list("ACGTN"))
CTCF = "TGGCCACCAGGGGGCGCTA"
GENOME = ["--fasta", "genome.fa"]
BOUND = ["--model", "ctcf-motif-cnn", "--output", "CTCF:raw"]

COMMANDS = {
    "score": ["score", "calls.vcf", *BOUND, *GENOME],
    "score-dilated": ["score", "calls.vcf", "--model", "ctcf-dilated-cnn", "--output", "CTCF:raw", *GENOME],
    "score-options": ["score", "calls.vcf", *BOUND, *GENOME, "--anchor", "left", "--strands", "both", "--shifts=-1,1"],
    "score-regions": ["score", "calls.vcf", *BOUND, *GENOME, "--regions", "regions.bed", "--fix-swapped"],
    "score-shared": ["score", "calls.vcf", *BOUND, *GENOME, "--share", "100", "--score", "log2_fold_change"],
    "score-background": ["score", "calls.vcf", *BOUND, *GENOME, "--background", "100"],
    "epistasis": ["epistasis", "calls.vcf", *BOUND, *GENOME, "--shuffles", "0"],
    "predict": ["predict", "ctcf-dilated-cnn", "--bed", "regions.bed", *GENOME],
    "predict-sequences": ["predict", "ctcf-motif-cnn", "--sequences", "sequences.fa"],
    "mutate": ["mutate", "chr1:951-1,050", "--model", "ctcf-dilated-cnn", "--output", "CTCF:raw", *GENOME],
    "attribute-ism": ["attribute", "regions.bed", *BOUND, *GENOME],
    "attribute-deeplift": ["attribute", "regions.bed", *BOUND, *GENOME, "--interpreter", "deeplift_shap"],
    "call-cnv": ["call-cnv", "depth.bedgraph", "--model", "copy-number", "--gc", "gc.bedgraph", "--sex", "female"],
    "predict-contacts": ["predict-contacts", "chr2:33,000-160,000", "--model", "hic-simulated", *GENOME],
    "contacts-edit": [
        *["predict-contacts", "chr2:33,000-160,000", "--model", "hic-simulated", *GENOME],
        *["--delete", "chr2:90,001-90,400", "--fill", "shuffle", "--null", "3"],
    ],
}
ENDINGS = {"call-cnv": ".vcf", "score": ".vcf"}  # a VCF beside the table


def write_inputs(folder: Path) -> None:
    """A genome of two contigs, variants of every kind, regions, sequences and read depth."""
    rng = np.random.default_rng(20_261_130)
    small, large = rng.integers(0, 4, 6_000), rng.integers(0, 4, 196_608)
    small[3_000:3_120] = np.tile(small[3_000:3_003], 40)  # a repeat: spellings differ here
    small[5_000:5_150] = 4
    chr1 = "".join(LETTERS[small])
    for at in (1_000, 2_500, 4_200):
        chr1 = chr1[:at] + CTCF + chr1[at + len(CTCF) :]
    (folder / "genome.fa").write_text(f">chr1 small\n{chr1}\n>chr2\n{''.join(LETTERS[large])}\n")
    rows = ["##fileformat=VCFv4.2", "##contig=<ID=1,length=6000>", "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"]
    for at in sorted(rng.choice(np.arange(150, 4_850), 300, replace=False).tolist()):
        kind = rng.integers(0, 4)
        other = "".join(LETTERS[rng.integers(0, 4, rng.integers(1, 6))])
        if kind == 0:
            ref, alt = chr1[at], LETTERS[("ACGT".index(chr1[at]) + 1) % 4]
        elif kind == 1:
            ref, alt = chr1[at : at + 1 + len(other)], chr1[at]
        elif kind == 2:
            ref, alt = chr1[at], chr1[at] + other
        else:
            ref, alt = chr1[at : at + 3], other
        rows.append(f"1\t{at + 1}\t.\t{ref}\t{alt}{',<DEL>' if at % 50 == 0 else ''}\t.\tPASS\t.")
    rows += ["1\t5100\t.\tN\tA\t.\t.\t.", f"1\t5990\t.\t{chr1[5_989]}\tA,C,G,T\t.\t.\t.", "7\t10\t.\tA\tC\t.\t.\t."]
    (folder / "calls.vcf").write_text("\n".join(rows) + "\n")
    bed = [(1_000, 1_019), (2_450, 2_600), (4_100, 4_300), (10, 20), (5_000, 5_200), (3_000, 3_100)]
    (folder / "regions.bed").write_text("".join(f"1\t{a}\t{b}\n" for a, b in bed) + "9\t1\t2\n")
    short = [chr1[a : a + 200] for a in (900, 2_410, 3_300)] + ["ACGT"]
    (folder / "sequences.fa").write_text("".join(f">s{i}\n{s}\n" for i, s in enumerate(short)))
    with open(folder / "depth.bedgraph", "w") as depth, open(folder / "gc.bedgraph", "w") as content:
        for number in range(1, 23):
            wave = 0.42 + np.cumsum(rng.normal(0, 0.004, 300))
            for i, gc in enumerate(np.clip(wave + rng.normal(0, 0.02, 300), 0.3, 0.6)):
                copies = {(5, True): 1, (9, True): 3}.get((number, 100 <= i < 160), 2)
                mean = 30 * copies / 2 * (1 - 4 * (gc - 0.42) ** 2)
                place = f"chr{number}\t{i * 10_000}\t{(i + 1) * 10_000}"
                depth.write(f"{place}\t{mean * np.exp(rng.normal(0, 0.05)):.4f}\n")
                content.write(f"{place}\t{gc:.4f}\n")


def write_tables(folder: Path) -> None:
    """Run every command in `folder` and leave its table, and what it printed, beside the inputs."""
    folder.mkdir(parents=True, exist_ok=True)
    write_inputs(folder)
    for name, arguments in COMMANDS.items():
        outputs = [name + ".tsv"] if name != "call-cnv" else [name + ".bed"]
        outputs += [name + ENDINGS[name]] if name in ENDINGS else []
        for output in outputs if name == "score" else [None]:
            written = [output] if output else outputs
            command = [sys.executable, "-m", "zoo.cli.main", *arguments, *[x for o in written for x in ("-o", o)]]
            result = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            if result.returncode:
                sys.exit(f"{' '.join(command)} exited with {result.returncode}:\n{result.stderr}")
        print(name, flush=True)


def differences(first: Path, second: Path) -> list[str]:
    """What differs between two tables, a line each."""
    left, right = (
        [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("##")]
        for path in (first, second)
    )
    if len(left) != len(right):
        return [f"{first.name}: {len(left)} and {len(right)} rows"]
    lines = []
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        if len(a) != len(b) or not all(_same(x, y) for x, y in zip(a, b, strict=True)):
            lines.append(f"{first.name} row {number}: {a} and {b}")
    return lines


def _same(a: str, b: str) -> bool:
    if a == b:
        return True
    pairs = list(zip(a.replace("=", ";").split(";"), b.replace("=", ";").split(";"), strict=False))
    if a.count(";") + a.count("=") != b.count(";") + b.count("="):
        return False
    try:
        return all(x == y or np.isclose(float(x), float(y), rtol=1e-5, atol=1e-5) for x, y in pairs)
    except ValueError:
        return False


def main() -> None:
    """Write the tables of one environment, or compare two folders of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["write", "compare"])
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    if options.what == "write":
        write_tables(options.folders[0])
        return
    before, after = options.folders
    tables = sorted(p for p in before.iterdir() if p.suffix in {".tsv", ".bed", ".vcf"})
    lines = [line for path in tables for line in differences(path, after / path.name)]
    print("\n".join(lines[:20]))
    print(f"{len(tables)} tables, {len(lines)} rows differ")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
