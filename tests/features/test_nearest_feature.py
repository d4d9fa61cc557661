"""Genes and distances: planted truth on both strands, and whatever a slow search would say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.errors import GenomeMismatch
from zoo.features.annotation_file import read_features
from zoo.features.features import GENE, KINDS, FeatureTable
from zoo.features.nearest_feature import NearestFeature


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    path.write_text(f">chr1\n{'ACGT' * 250}\n>chr2\n{'ACGT' * 50}\n>chrM\n{'ACGT' * 10}\n")
    return Genome(path)


GTF = """\
#!genome-build test
1\tt\tgene\t101\t200\t.\t+\t.\tgene_id "G1"; gene_name "PLUS";
1\tt\ttranscript\t101\t200\t.\t+\t.\tgene_id "G1"; transcript_id "T1"; gene_name "PLUS";
1\tt\texon\t101\t120\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
1\tt\tCDS\t111\t120\t.\t+\t0\tgene_id "G1"; transcript_id "T1";
1\tt\tfive_prime_utr\t101\t110\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
1\tt\texon\t181\t200\t.\t+\t.\tgene_id "G1"; transcript_id "T1";
1\tt\tgene\t401\t500\t.\t-\t.\tgene_id "G2"; gene_name "MINUS";
1\tt\ttranscript\t401\t500\t.\t-\t.\tgene_id "G2"; transcript_id "T2"; gene_name "MINUS";
1\tt\texon\t401\t500\t.\t-\t.\tgene_id "G2"; transcript_id "T2";
1\tt\tgene\t451\t470\t.\t+\t.\tgene_id "G3";
"""


@pytest.fixture(scope="module")
def planted(genome, tmp_path_factory):
    path = tmp_path_factory.mktemp("annotation") / "a.gtf"
    path.write_text(GTF)
    return NearestFeature(read_features(path), genome)


@pytest.mark.parametrize(
    ("pos", "cells"),
    [  # 1-based position of a substitution -> gene, feature, feature_id, distance
        (100, ["PLUS", "five_prime_UTR", "T1", -1]),
        (101, ["PLUS", "five_prime_UTR", "T1", 0]),
        (110, ["PLUS", "five_prime_UTR", "T1", 0]),
        (111, ["PLUS", "CDS", "T1", 0]),
        (120, ["PLUS", "CDS", "T1", 0]),
        (121, ["PLUS", "intron", "T1", 0]),
        (180, ["PLUS", "intron", "T1", 0]),
        (181, ["PLUS", "exon", "T1", 0]),
        (200, ["PLUS", "exon", "T1", 0]),
        (201, ["PLUS", "exon", "T1", 1]),
        (300, ["PLUS", "exon", "T1", 100]),  # 100 behind PLUS and 101 before MINUS, whose start is at 500
        (301, ["MINUS", "exon", "T2", 100]),  # downstream of a gene of the other strand; 101 from PLUS
        (501, ["MINUS", "exon", "T2", -1]),  # upstream of it
        (450, ["MINUS", "exon", "T2", 0]),
        (451, ["MINUS,G3", "exon", "T2", 0]),  # in both; the gene of the feature is the first
    ],
)
def test_planted_genes(planted, pos, cells):
    for contig in ("chr1", "1"):
        assert planted(contig, pos - 1, pos).cells == cells


def test_equally_near_genes_are_both_named(planted):
    # 12 bases that end 100 before MINUS and begin 89 behind ...: 201 + 99 = 300, 401 - 300 = 101
    assert planted("chr1", 299, 300).gene == "PLUS"
    assert planted("chr1", 299, 301).cells == ["PLUS,MINUS", "exon", "T1", 100]


def test_an_insertion_lies_between_two_bases(planted):
    assert planted("chr1", 100, 100).distance == -1  # before the first base of PLUS
    assert planted("chr1", 101, 101).distance == 0  # behind it
    assert planted("chr1", 200, 200).distance == 1
    assert planted("chr1", 199, 199).cells == ["PLUS", "exon", "T1", 0]


def test_a_contig_without_features_has_none(planted):
    assert planted("chr2", 5, 6).cells == [None] * 4
    assert planted("chrUn", 5, 6).cells == [None] * 4


def test_another_assembly_is_refused_or_told(genome, tmp_path):
    (tmp_path / "a.bed").write_text("scaffold_7\t5\t10\tX\n")
    with pytest.raises(GenomeMismatch, match="names the contigs scaffold_7, the genome has chr1, chr2, chrM"):
        NearestFeature(read_features(tmp_path / "a.bed"), genome)
    (tmp_path / "b.bed").write_text("chr2\t5\t1000\tX\nscaffold_7\t5\t10\tY\n")
    nearest = NearestFeature(read_features(tmp_path / "b.bed"), genome)
    assert "features beyond the end of chr2" in nearest.notes[0]
    assert nearest("scaffold_7", 4, 5).cells == ["Y", "interval", "Y", -1]  # by its own name where the genome lacks it


@st.composite
def tables(draw):
    """Features of one contig: (start, end, strand, kind, gene)."""
    one = st.tuples(
        st.integers(0, 60), st.integers(0, 25), st.sampled_from([1, -1, 0]), st.integers(0, GENE), st.integers(0, 4)
    )
    return [
        (start, start + size, strand, kind, gene) for start, size, strand, kind, gene in draw(st.lists(one, min_size=1))
    ]


def slow(rows, start, end):
    """Every feature against [start, end)."""

    def gap(row):
        a, b = row[:2]
        return 0 if a < end and b > start else start - b + 1 if b <= start else a - end + 1

    near = min(map(gap, rows))
    best = sorted((r for r in dict.fromkeys(rows) if gap(r) == near), key=lambda r: (r[3], r[0], r[1], r[4]))
    _, b, strand, kind, _ = best[0]
    upstream = (start < b) if strand >= 0 else (start >= b)
    return ",".join(dict.fromkeys(f"g{r[4]}" for r in best)), KINDS[kind], -near if upstream else near


@settings(max_examples=300, deadline=None)
@given(tables(), st.integers(0, 90), st.integers(0, 6))
def test_the_index_finds_what_a_search_of_all_finds(genome, rows, start, size):
    table = FeatureTable()
    for gene in range(5):
        table.genes.number(b"g%d" % gene)
    rows = list({(a, b, kind, gene): (a, b, strand, kind, gene) for a, b, strand, kind, gene in rows}.values())
    for a, b, strand, kind, gene in rows:
        table.add(b"chr1", a, b, strand, kind, gene, -1)
    features = table.features("x", "GTF")
    nearest = NearestFeature(features, genome)("chr1", start, start + size)
    gene, kind, distance = slow(rows, start, start + size)
    assert (nearest.gene, nearest.distance) == (gene, distance)
    assert nearest.feature == kind or (nearest.feature == "intron" and kind in ("transcript", "gene") and distance == 0)


def test_numpy_numbers_do_not_reach_a_row(planted):
    assert type(planted("chr1", np.int64(4), np.int64(5)).distance) is int
