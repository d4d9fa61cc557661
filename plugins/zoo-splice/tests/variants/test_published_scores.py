"""Entries of INFO that the published tools wrote for variants of chr20 of GRCh37, and ours.

cispliceai 1.2.2 with its table (`cis-vcf --all -d 50`, with and without --mask), TensorFlow 2.21.
"""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from zoo.cli.main import cli

PLUS, MINUS = "ENSG00000125903", "ENSG00000185982"
ENTRIES = [
    ("207988 G A", [f"A|{PLUS}|0.00|0.00|0.75|0.98|-11|-16|-11|-1"]),
    ("207985 CAGGTA T", [f"T|{PLUS}|0.00|0.00|0.81|0.98|-26|-13|-8|2"]),
    ("207987 G GGTAG", [f"GGTAG|{PLUS}|0.00|0.00|0.01|0.01|-28|-15|0|-10"]),
    ("207987 GG ACGT", [f"ACGT|{PLUS}|0.00|0.00|0.81|0.98|-28|-15|-10|0"]),
    ("210520 CACCTACAGTTTATGTAATA C", [f"C|{PLUS}|0.00|0.00|0.00|0.00|19|-23|-25|54"]),
    (
        "210527 A G",
        ["G|+|0.00|0.00|0.00|0.00|-30|2|0|-15", "G|-|0.00|0.00|0.00|0.00|-5|-2|0|26"],
    ),
    ("168758 G GAC", [f"GAC|{MINUS}|0.02|0.00|0.00|0.00|1|-3|1|-37"]),
    ("168757 CGTC C", [f"C|{MINUS}|0.81|0.68|0.00|0.00|-1|2|-1|2"]),
    (
        "1250000 T C",
        ["C|ENSG00000244588|0.00|0.00|0.00|0.00|-44|13|12|6", "C|ENSG00000101298|0.00|0.00|0.00|0.00|-44|13|12|6"],
    ),
]
MASKED = [
    ("207988 G A", [f"A|{PLUS}|0.00|-0.00|0.75|0.98|-11|-48|-11|-1"]),
    ("207987 G GGTAG", [f"GGTAG|{PLUS}|0.00|-0.00|0.00|-0.00|-28|-50|5|-49"]),
]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(("entries", "words"), [(ENTRIES, []), (MASKED, ["--mask"])], ids=["all", "masked"])
def test_entries_of_info_are_those_of_the_published_tool(tmp_path, entries, words):
    fasta = Path(os.environ.get("ZOO_DATA", "nowhere")) / "hg19" / "chr20.fa.gz"
    if not fasta.exists():
        pytest.skip(f"{fasta} is not here: set ZOO_DATA to a folder with hg19/chr20.fa.gz")
    records = "".join("20\t{}\t.\t{}\t{}\t.\t.\t.\n".format(*variant.split()) for variant, _ in entries)
    (tmp_path / "v.vcf").write_text(f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{records}")
    command = [
        "score",
        str(tmp_path / "v.vcf"),
        "--model",
        "ci-spliceai",
        "--annotation",
        "grch37",
        "--fasta",
        str(fasta),
    ]
    command += ["--strands", "both", "--device", "cpu", "-o", str(tmp_path / "o.vcf"), *words]
    result = CliRunner().invoke(cli, command)
    assert result.exception is None
    lines = [line for line in (tmp_path / "o.vcf").read_text().splitlines() if not line.startswith("#")]
    info = [line.split("\t")[7].partition(";")[0] for line in lines]
    assert info == [f"CISpliceAI={','.join(each)}" for _, each in entries]
