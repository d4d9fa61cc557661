#!/usr/bin/env bash
# pysam 0.24.1: a bgzipped VCF whose only index is .csi (what contigs over 512 Mb need, and `bcftools index` writes by default).
# pysam.VariantFile finds the index by itself; pysam.TabixFile looks for .tbi alone and raises, unless index= names the .csi.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pysam==0.24.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import pysam

with open("calls.vcf", "w") as file:
    file.write("##fileformat=VCFv4.2\n##contig=<ID=chr1,length=1000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    file.writelines(f"chr1\t{at}\t.\tA\tC\t.\t.\t.\n" for at in (10, 500, 900))
pysam.tabix_compress("calls.vcf", "calls.vcf.gz")
pysam.tabix_index("calls.vcf.gz", preset="vcf", csi=True)

with pysam.VariantFile("calls.vcf.gz") as file:
    by_variant_file = [record.pos for record in file.fetch("chr1", 400, 1000)]
assert by_variant_file == [500, 900], by_variant_file

try:
    pysam.TabixFile("calls.vcf.gz")
except OSError as error:
    alone = f"{type(error).__name__}: {error}"
else:
    alone = None
assert alone is not None, "TabixFile now finds a .csi by itself"

with pysam.TabixFile("calls.vcf.gz", index="calls.vcf.gz.csi") as file:
    named = [int(line.split("\t")[1]) for line in file.fetch("chr1", 400, 1000)]
assert named == [500, 900], named
print(f"pysam {pysam.__version__}: VariantFile {by_variant_file}; TabixFile {alone}; with index= {named}")
PYTHON
