"""GTF, GFF3 and BED: the same gene in all of them, and lines that break the format named."""

import gzip

import pytest

from zoo.errors import DataError
from zoo.features.annotation_file import read_features
from zoo.features.features import KINDS

GTF = """\
chr1\tt\tgene\t101\t200\t.\t-\t.\tgene_id "G1"; gene_name "A";
chr1\tt\ttranscript\t101\t200\t.\t-\t.\tgene_id "G1"; transcript_id "T1"; gene_name "A";
chr1\tt\texon\t101\t120\t.\t-\t.\tgene_id "G1"; transcript_id "T1";
chr1\tt\tCDS\t105\t120\t.\t-\t.\tgene_id "G1"; transcript_id "T1";
chr1\tt\tstart_codon\t105\t107\t.\t-\t.\tgene_id "G1"; transcript_id "T1";
chr1\tt\texon\t181\t200\t.\t-\t.\tgene_id "G1"; transcript_id "T1";
chr1\tt\ttranscript\t101\t120\t.\t-\t.\tgene_id "G1"; transcript_id "T2";
chr1\tt\texon\t101\t120\t.\t-\t.\tgene_id "G1"; transcript_id "T2";
"""
GFF3 = """\
##gff-version 3
chr1\tt\tchromosome\t1\t1000\t.\t.\t.\t.
chr1\tt\texon\t101\t120\t.\t-\t.\tParent=transcript:T1,transcript:T2
chr1\tt\tCDS\t105\t120\t.\t-\t0\tID=CDS:P1;Parent=transcript:T1
chr1\tt\tgene\t101\t200\t.\t-\t.\tID=gene:G1;Name=A;gene_id=G1
chr1\tt\tmRNA\t101\t200\t.\t-\t.\tID=transcript:T1;Parent=gene:G1;transcript_id=T1
chr1\tt\tmRNA\t101\t120\t.\t-\t.\tID=transcript:T2;Parent=gene:G1;transcript_id=T2
chr1\tt\texon\t181\t200\t.\t-\t.\tParent=transcript:T1
###
##FASTA
>chr1
ACGT
"""


def rows(features):
    """(contig, start, end, strand, kind, gene, id) of every feature."""
    columns = zip(
        features.contig, features.start, features.end, features.strand, features.kind, features.gene, features.id,
        strict=True,
    )  # fmt: skip
    return {
        (features.contigs[c], int(a), int(b), int(s), KINDS[k], features.genes[g] if g >= 0 else None,
         features.ids[i] if i >= 0 else None)
        for c, a, b, s, k, g, i in columns
    }  # fmt: skip


TRUTH = {
    ("chr1", 100, 200, -1, "gene", "A", "G1"),
    ("chr1", 100, 200, -1, "transcript", "A", "T1"),
    ("chr1", 100, 120, -1, "transcript", "A", "T2"),
    ("chr1", 100, 120, -1, "exon", "A", "T1"),  # of two transcripts, once
    ("chr1", 104, 120, -1, "CDS", "A", "T1"),
    ("chr1", 180, 200, -1, "exon", "A", "T1"),
}


@pytest.mark.parametrize(("text", "format"), [(GTF, "GTF"), (GFF3, "GFF3"), (GTF.replace("\n", "\r\n"), "GTF")])
@pytest.mark.parametrize("packed", [False, True])
def test_gtf_and_gff3_hold_the_same_genes(tmp_path, text, format, packed):
    path = tmp_path / "whatever.txt"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    features = read_features(path)
    assert features.format == format
    assert rows(features) == TRUTH
    assert len(features) == len(TRUTH)


def test_exons_alone_make_transcripts(tmp_path):
    lines = [line for line in GTF.splitlines(True) if "\texon\t" in line]
    (tmp_path / "a.gtf").write_text("".join(lines))
    found = rows(read_features(tmp_path / "a.gtf"))
    assert ("chr1", 100, 200, -1, "transcript", "G1", "T1") in found
    assert ("chr1", 100, 120, -1, "transcript", "G1", "T2") in found


def test_bed_counts_from_0_and_its_names_stand_for_genes(tmp_path):
    (tmp_path / "a.bed").write_text("track name=x\n# c\nchr1\t100\t200\tENH1\t0\t-\nchr2\t5\t9\t7\t8\n\nchr3\t1\t2\n")
    assert rows(read_features(tmp_path / "a.bed")) == {
        ("chr1", 100, 200, -1, "interval", "ENH1", "ENH1"),
        ("chr2", 5, 9, 0, "interval", "7", "7"),
        ("chr3", 1, 2, 0, "interval", None, None),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no feature"),
        ("#only\n", "holds no feature"),
        ("hello world\n", "line 1 has no start and end"),
        ("chr1 100 50 x\n", "line 1 does not begin with a contig, a start and an end"),
        ("chr1\t1\t5\nchr1\t7\n", "line 2 does not begin with"),
        (GTF + "chr1\tt\texon\t5\n", "line 9 has 4 columns"),
        (GTF + GTF.splitlines()[2].replace("101", "x1") + "\n", "line 9: start and end .'x1' to '120'"),
        (GTF + GTF.splitlines()[2].replace("101", "0") + "\n", "line 9: start and end"),
        (GTF + GTF.splitlines()[2].replace("101", "121") + "\n", "line 9: start and end"),
        (GTF + GTF.splitlines()[2].replace("\t-\t", "\tx\t") + "\n", "line 9: it needs a contig, and a strand"),
        (GTF + GTF.splitlines()[2].replace("gene_id", "gen_id") + "\n", "line 9 has no gene_id"),
        ("chr1\tt\tregion\t5\t9\t.\t+\t.\tID=x\n", "has no gene, transcript, exon, CDS or UTR"),
    ],
)
def test_a_line_that_breaks_the_format_is_named(tmp_path, text, message):
    (tmp_path / "a").write_text(text)
    with pytest.raises(DataError, match=message):
        read_features(tmp_path / "a")
