#!/usr/bin/env bash
# A FASTA that holds a sequence without bases (assemblers and masking pipelines leave such headers): which contigs it has
# depends on who wrote its .fai.  pyfaidx 0.9.2.2 lists the empty one, with length 0; samtools' faidx (pysam 0.24.1) leaves
# it out and says nothing; and pyfaidx, finding samtools' index in place, then has one contig fewer than with its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysam==0.24.1 pyfaidx==0.9.2.2
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import os

import pyfaidx
import pysam


def contigs():
    with pyfaidx.Fasta("genome.fa") as genome:
        return {name: len(genome[name]) for name in genome.keys()}


with open("genome.fa", "w") as file:
    file.write(">unplaced_1\n>chr1\nACGTACGT\n")
own = contigs()
os.remove("genome.fa.fai")
pysam.faidx("genome.fa")
with open("genome.fa.fai") as file:
    listed = [line.split("\t")[0] for line in file]
beside = contigs()
print(f"pyfaidx {pyfaidx.__version__} alone: {own}; samtools lists {listed}; pyfaidx with samtools' index: {beside}")
assert own == {"unplaced_1": 0, "chr1": 8}, own
assert listed == ["chr1"], listed
assert "unplaced_1" not in beside, "pyfaidx now completes an index of samtools"
PYTHON
