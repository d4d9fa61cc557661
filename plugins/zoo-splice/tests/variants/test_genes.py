"""Annotations in every format, and what is wrong with some."""

import gzip

import numpy as np
import pytest

from zoo.data.genome import Genome
from zoo.errors import DataError, GenomeMismatch
from zoo_splice.variants.genes import read_annotation

JUNCTIONS = "gene_id,chr,strand,start,end,jn_start,jn_end\n"
TABLE = "#NAME\tCHROM\tSTRAND\tTX_START\tTX_END\tEXON_START\tEXON_END\n"
GTF = "".join(
    f'chr1\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{name}"; transcript_id "{name}.1";\n'
    for name, strand, exons in (("a", "+", ((11, 30), (51, 80))), ("b", "-", ((61, 70), (91, 120))))
    for kind, start, end in (("transcript", exons[0][0], exons[-1][1]), *(("exon", *exon) for exon in exons))
)
TEXTS = {
    "junctions.csv": JUNCTIONS + 'a,chr1,+,11,80,"30","51"\nb,chr1,-,61,120,"70","91"\n',
    "table.tsv": TABLE + "a\t1\t+\t10\t80\t10,50,\t30,80,\nb\t1\t-\t60\t120\t60,90,\t70,120,\n",
    "genes.gtf": GTF,
}


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "g.fa"
    path.write_text(f">1\n{'ACGT' * 50}\n>2\n{'A' * 20}\n")
    return Genome(path)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("packed", [False, True])
def test_every_format_gives_the_same_genes(tmp_path, genome, name, packed):
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(TEXTS[name].encode()) if packed else TEXTS[name].encode())
    annotation = read_annotation(str(path), genome)
    a, b = annotation.genes
    assert (a.name, a.contig, a.strand, a.start, a.end) == ("a", 0, 1, 10, 80)
    assert (a.acceptors.tolist(), a.donors.tolist(), a.exon_ends.tolist()) == ([50], [29], [10, 29, 50, 79])
    assert (b.name, b.strand, b.start, b.end) == ("b", -1, 60, 120)
    assert (b.acceptors.tolist(), b.donors.tolist()) == ([69], [90])
    assert annotation.notes == []


def test_all_genes_at_a_base_come_in_the_order_of_the_file(tmp_path, genome):
    (tmp_path / "t.csv").write_text(TEXTS["junctions.csv"] + 'c,chr1,+,70,75,"",""\n')
    annotation = read_annotation(str(tmp_path / "t.csv"), genome)
    at = {place: [gene.name for gene in annotation.at(0, place)] for place in (9, 10, 70, 79, 80, 120)}
    assert at == {9: [], 10: ["a"], 70: ["a", "b", "c"], 79: ["a", "b"], 80: ["b"], 120: []}
    assert annotation.at(1, 5) == []


def test_a_gene_without_a_junction_has_no_site(tmp_path, genome):
    (tmp_path / "t.csv").write_text(JUNCTIONS + "a,1,+,11,80,,\n")
    (gene,) = read_annotation(str(tmp_path / "t.csv"), genome).genes
    assert (len(gene.acceptors), len(gene.donors), gene.exon_ends.tolist()) == (0, 0, [10, 79])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (JUNCTIONS, "holds no gene"),
        (JUNCTIONS.replace("jn_end", "ends") + "a,1,+,11,80,30,51\n", "has the columns"),
        (JUNCTIONS + "a,1,?,11,80,30,51\n", r"line 2: gene 'a' needs"),
        (JUNCTIONS + "a,1,+,11,80,30,510\n", r"line 2: gene 'a' needs"),
        (JUNCTIONS + "a,1,+,11,80,30\n", "line 2 has 6 columns"),
        (TABLE + "a\t1\t+\t10\t80\t\t\n", "needs a contig, a strand"),
        (GTF.replace("exon", "intron"), "has no exon"),
    ],
)
def test_a_broken_annotation_is_refused_in_one_sentence(tmp_path, genome, text, words):
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(DataError, match=words):
        read_annotation(str(tmp_path / "t.txt"), genome)


def test_genes_of_gtf_without_an_exon_are_named(tmp_path, genome):
    line = 'chr1\tx\tgene\t5\t9\t.\t+\t.\tgene_id "bare";\n'
    (tmp_path / "g.gtf").write_text(GTF + line)
    annotation = read_annotation(str(tmp_path / "g.gtf"), genome)
    assert [gene.name for gene in annotation.genes] == ["a", "b"]
    assert "1 genes without an exon or a strand are left out (bare)" in annotation.notes[0]


def test_a_missing_file_names_what_may_be_given(genome):
    with pytest.raises(DataError, match="give one, or grch37 or grch38"):
        read_annotation("nothing.csv", genome)


def test_contigs_that_the_genome_lacks_are_counted_and_none_is_refused(tmp_path, genome):
    (tmp_path / "t.csv").write_text(TEXTS["junctions.csv"] + "c,chr7,+,1,9,,\n")
    assert "2 of 3 genes lie on contigs of the genome" in read_annotation(str(tmp_path / "t.csv"), genome).notes[0]
    (tmp_path / "u.csv").write_text(JUNCTIONS + "c,chr7,+,1,9,,\n")
    with pytest.raises(GenomeMismatch, match="no gene on a contig of genome"):
        read_annotation(str(tmp_path / "u.csv"), genome)


def test_transcripts_that_run_off_the_contig_are_named(tmp_path, genome):
    (tmp_path / "t.csv").write_text(JUNCTIONS + "c,chr2,+,1,90,,\n")
    assert "1 genes run off the end of their contig (c)" in read_annotation(str(tmp_path / "t.csv"), genome).notes[0]


@pytest.fixture
def of_assembly(tmp_path):
    """A genome with 150 introns that begin with GT and end with AG, and their table, moved by so many bp."""
    rng = np.random.default_rng(1)
    exons, intron = 20, 40
    text = "".join(
        "".join(rng.choice(list("ACGT"), exons)) + "GT" + "".join(rng.choice(list("ACGT"), intron - 4)) + "AG"
        for _ in range(151)
    )
    (tmp_path / "a.fa").write_text(f">1\n{text}\n")

    def table(moved):
        leaving = ",".join(str(i * (exons + intron) + exons + moved) for i in range(150))
        entering = ",".join(str((i + 1) * (exons + intron) + 1 + moved) for i in range(150))
        path = tmp_path / f"{moved}.csv"
        path.write_text(JUNCTIONS + f'a,1,+,1,{len(text)},"{leaving}","{entering}"\n')
        return str(path)

    return Genome(tmp_path / "a.fa"), table


def test_an_annotation_of_another_assembly_is_refused_or_labelled(of_assembly):
    genome, table = of_assembly
    assert read_annotation(table(0), genome).notes == []
    with pytest.raises(GenomeMismatch, match=r"is of another assembly than genome 'a': \d+ of 300"):
        read_annotation(table(7), genome)
    assert "another assembly" in read_annotation(table(7), genome, any_assembly=True).notes[0]


@pytest.mark.parametrize("name", ["grch37", "grch38"])
def test_the_tables_that_come_along_are_read(tmp_path, name):
    (tmp_path / "g.fa").write_text(">chr20\nACGT\n")
    annotation = read_annotation(name, Genome(tmp_path / "g.fa"))
    assert len(annotation.genes) > 500
    assert "CC BY 4.0" in annotation.description
