"""Genes and their splice sites come out of tables, GTF and GFF3 as they stand."""

import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo_splice.gene_table import SITES, read_genes

HEADER = "#NAME\tCHROM\tSTRAND\tTX_START\tTX_END\tEXON_START\tEXON_END"
ROW = "A\t1\t+\t10\t60\t10,30,50,\t20,40,60,"


def write(path, *lines):
    path.write_text("\n".join([*lines, ""]))
    return path


def sites(genes, name):
    """{acceptor: positions, donor: positions} of a gene."""
    (number,) = np.flatnonzero(genes.name == name)
    return {
        kind: sorted(genes.position[(genes.gene == number) & (genes.kind == k)].tolist())
        for k, kind in enumerate(SITES)
    }


def test_exon_starts_count_from_0_and_a_transcript_on_the_other_strand_reads_backwards(tmp_path):
    genes = read_genes(write(tmp_path / "t.txt", HEADER, ROW, ROW.replace("A\t1\t+", "B\t1\t-")))
    assert sites(genes, "A") == {"acceptor": [30, 50], "donor": [19, 39]}
    assert sites(genes, "B") == {"acceptor": [19, 39], "donor": [30, 50]}
    assert genes.start.tolist() == [10, 10]
    assert genes.end.tolist() == [60, 60]
    with gzip.open(tmp_path / "t.gz", "wt") as file:
        file.write(f"{ROW}\n")
    assert sites(read_genes(tmp_path / "t.gz"), "A") == sites(genes, "A")


def test_a_gene_of_one_exon_has_no_site(tmp_path):
    genes = read_genes(write(tmp_path / "t.txt", "A\t1\t+\t10\t60\t10,\t60,"))
    assert len(genes) == 1
    assert sites(genes, "A") == {"acceptor": [], "donor": []}


exons = st.lists(st.integers(1, 30), min_size=2, max_size=12).filter(lambda x: len(x) % 2 == 0).map(
    lambda steps: (np.cumsum(steps).reshape(-1, 2) + 5).tolist()
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from("+-"), exons), min_size=1, max_size=4))
def test_a_table_gtf_and_gff3_of_the_same_genes_say_the_same(tmp_path_factory, rows):
    table, gtf, gff = [HEADER], [], ["##gff-version 3"]
    for i, (strand, parts) in enumerate(rows):
        first, last = parts[0][0], parts[-1][1]
        ends = ["".join(f"{pair[side]}," for pair in parts) for side in (0, 1)]
        table.append("\t".join([f"g{i}", "chr1", strand, str(first), str(last), *ends]))
        for kind, start, end in (("transcript", first, last), *(("exon", s, e) for s, e in parts)):
            gtf.append(f'chr1\tx\t{kind}\t{start + 1}\t{end}\t.\t{strand}\t.\tgene_id "g{i}"; transcript_id "t{i}";')
        gff.append(f"chr1\tx\tgene\t{first + 1}\t{last}\t.\t{strand}\t.\tID=gene:g{i};Name=g{i}")
        gff.append(f"chr1\tx\tmRNA\t{first + 1}\t{last}\t.\t{strand}\t.\tID=transcript:t{i};Parent=gene:g{i}")
        gff += [f"chr1\tx\texon\t{s + 1}\t{e}\t.\t{strand}\t.\tParent=transcript:t{i}" for s, e in parts]
    folder = tmp_path_factory.mktemp("genes")
    files = (("t.txt", table), ("t.gtf", gtf), ("t.gff3", gff))
    read = [read_genes(write(folder / name, *lines)) for name, lines in files]
    for i, (strand, parts) in enumerate(rows):
        left, right = [s for s, _ in parts[1:]], [e - 1 for _, e in parts[:-1]]
        expected = {"acceptor": left, "donor": right} if strand == "+" else {"acceptor": right, "donor": left}
        assert [sites(genes, f"g{i}") for genes in read] == [expected] * 3


def test_sites_of_all_transcripts_count_and_ends_of_transcripts_do_not(tmp_path):
    lines = []
    for transcript, parts in (("t1", [(1, 10), (31, 40)]), ("t2", [(5, 12), (21, 40)])):
        for kind, start, end in (("transcript", parts[0][0], parts[-1][1]), *(("exon", *pair) for pair in parts)):
            lines.append(
                f'1\tx\t{kind}\t{start}\t{end}\t.\t+\t.\tgene_id "A"; transcript_id "{transcript}"; gene_name "A";'
            )
    genes = read_genes(write(tmp_path / "a.gtf", *lines))
    assert sites(genes, "A") == {"acceptor": [20, 30], "donor": [9, 11]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (ROW.replace("10,30,50", "10,30"), "line 2: gene 'A' needs .* exons in ascending order"),
        (ROW.replace("10,30,50", "10,50,30"), "line 2"),
        (ROW.replace("20,40", "30,40"), "line 2: .* that do not touch"),
        (ROW.replace("\t+\t", "\t.\t"), "a strand"),
        (ROW.replace("\t60\t", "\t59\t"), "within TX_START and TX_END"),
        (ROW.replace("30", "x"), "line 2"),
        (ROW + "\tmore", "line 2 has 8 columns"),
    ],
)
def test_a_line_that_breaks_the_format_is_named(tmp_path, line, message):
    with pytest.raises(DataError, match=message):
        read_genes(write(tmp_path / "t.txt", HEADER, line))


def test_files_without_genes_or_exons_say_so(tmp_path):
    for name, lines, message in (
        ("a", [HEADER], "holds no gene"),
        ("b", [], "is empty"),
        ("c", ["chr1\t1\t20\tA"], "has no exon"),
    ):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        with pytest.raises(DataError, match=message):
            read_genes(path)
