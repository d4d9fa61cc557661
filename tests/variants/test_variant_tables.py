"""Tables of variants as people have them give the variants that a VCF would."""

import gzip

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.errors import ZooError
from zoo.variants.files import read_variants
from zoo.variants.variants import Variants

LENGTH = 3000
VCF = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def genome(tmp_path_factory) -> Genome:
    codes = np.random.default_rng(2).integers(0, 4, LENGTH).astype(np.uint8)
    codes[1100:1112] = [1, 2] * 6
    path = tmp_path_factory.mktemp("tables") / "g.fa"
    path.write_text(f">chr1\n{decode(codes)}\n")
    return Genome(path)


def letters(genome, start, end):
    return decode(genome.fetch("chr1", start, end))


def normal(path, genome):
    read = Variants.join(read_variants(path, genome))
    return list(zip(read.norm_pos, read.norm_ref, read.norm_alt, read.status, strict=True))


def other(base):
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


HEADERS = {
    "case": "Chr\tPos\tRef\tAlt",
    "a hash": "#chr\tpos\tref\talt",
    "VCF's words": "#CHROM\tPOS\tREF\tALT",
    "whole words": "chromosome\tposition\treference\talternate",
    "blanks": "Chromosome\tStart Position\tReference Allele\tAlt_Allele",
    "contig": "contig\tbase_pair_location\tREF_ALLELE\tALT_ALLELE",
    "dbNSFP": "#chr\tpos(1-based)\tref\talt",
    "ClinVar": "Chromosome\tPositionVCF\tReferenceAlleleVCF\tAlternateAlleleVCF",
    "quotes": '"chrom"\t"pos"\t"ref"\t"alt"',
}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize("separator", ["\t", ",", ";", "   "])
def test_headers_and_separators(tmp_path, genome, header, separator):
    if separator == "   " and " " in HEADERS[header]:
        return
    ref = letters(genome, 1006, 1007)
    path = tmp_path / "x.txt"
    path.write_text(f"{HEADERS[header]}\nchr1\t1007\t{ref}\t{other(ref)}\n".replace("\t", separator))
    file = read_variants(path, genome)
    assert (file.kind, normal(path, genome)) == ("table", [(1006, ref, other(ref), "ok")])
    assert all("positions count from 1" in note for note in file.notes)
    assert bool(file.notes) == (header not in ("VCF's words", "quotes"))


def events(genome):
    """(start, end, new): 0-based half-open, what takes the place of the bases."""
    return [(1006, 1007, other(letters(genome, 1006, 1007))), (1006, 1007, ""), (1006, 1006, "TG"), (1104, 1106, ""),
            (1104, 1104, "CG"), (1010, 1013, "A"), (0, 1, ""), (LENGTH, LENGTH, "A")]  # fmt: skip


def vcf(tmp_path, genome, changes):
    lines = []
    for start, end, new in changes:
        old, pos = letters(genome, start, end), start + 1
        if not old or not new:
            before = letters(genome, start - 1, start) if start else ""
            behind = "" if start else letters(genome, end, end + 1)
            old, new, pos = before + old + behind, before + new + behind, max(start, 1)
        lines.append(f"chr1\t{pos}\t.\t{old}\t{new}\t.\t.\t.\n")
    path = tmp_path / "truth.vcf"
    path.write_text(VCF + "".join(lines))
    return path


TOOLS = {
    "annovar": ("Chr\tStart\tEnd\tRef\tAlt", lambda start, end: (start + 1, end) if end > start else (start, start)),
    "annovar's input": ("", lambda start, end: (start + 1, end) if end > start else (start, start)),
    "maf": (
        "Chromosome\tStart_Position\tEnd_Position\tReference_Allele\tTumor_Seq_Allele2",
        lambda start, end: (start + 1, end) if end > start else (start, start + 1),
    ),
    "vep": ("chr\tstart\tend\tref\talt", lambda start, end: (start + 1, end)),
    "bed": ("chrom\tstart\tend\tref\talt", lambda start, end: (start, end)),
    "ucsc": ("#chrom\tchromStart\tchromEnd\tref\talt", lambda start, end: (start, end)),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_insertions_and_deletions_without_anchor_are_those_of_the_vcf(tmp_path, genome, tool):
    header, place = TOOLS[tool]
    rows = [header] if header else []
    for start, end, new in events(genome):
        first, last = place(start, end)
        rows.append(f"chr1\t{first}\t{last}\t{letters(genome, start, end) or '-'}\t{new or '-'}")
    path = tmp_path / "x.tsv"
    path.write_text("\n".join(rows) + "\n")
    expected = normal(vcf(tmp_path, genome, events(genome)), genome)
    assert {row[3] for row in expected} == {"ok"}
    assert normal(path, genome) == expected
    assert f"count from {0 if tool in ('bed', 'ucsc') else 1}" in read_variants(path, genome).notes[0] or not header


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.integers(0, 2900), st.integers(0, 5), st.text("ACGT", max_size=4)).filter(lambda c: c[1] or c[2]),
        min_size=1, max_size=8,
    ),
    tool=st.sampled_from(["annovar", "maf", "vep"]),
)  # fmt: skip
def test_what_is_written_is_read(tmp_path, genome, changes, tool):
    header, place = TOOLS[tool]
    spans = [(start, start + size, new) for start, size, new in changes]
    rows = [(*place(a, b), letters(genome, a, b) or "-", new or "-") for a, b, new in spans]
    (tmp_path / "x.tsv").write_text("\n".join([header, *(f"chr1\t{a}\t{b}\t{r}\t{n}" for a, b, r, n in rows)]) + "\n")
    assert normal(tmp_path / "x.tsv", genome) == normal(vcf(tmp_path, genome, spans), genome)


def test_comments_behind_annovars_columns_may_be_of_any_length(tmp_path, genome):
    ref = letters(genome, 1006, 1007)
    (tmp_path / "x.avinput").write_text(f"1 1007 1007 {ref} N\n1 1007 1007 {ref} - comments: a loss, het\n")
    assert [row[3] for row in normal(tmp_path / "x.avinput", genome)] == ["ok", "ok"]


def test_a_maf_is_read_below_its_version(tmp_path, genome):
    ref = letters(genome, 1006, 1007)
    path = tmp_path / "x.maf"
    path.write_text(
        "#version 2.4\nHugo_Symbol\tChromosome\tStart_Position\tEnd_Position\tStrand\tReference_Allele\t"
        f"Tumor_Seq_Allele1\tTumor_Seq_Allele2\tdbSNP_RS\nTP53\t1\t1007\t1007\t+\t{ref}\t{ref}\t{other(ref)}\trs1\n"
        f"TP53\t1\t1007\t1007\t-\t{ref}\t{ref}\t{other(ref)}\trs2\n"
    )
    read = Variants.join(read_variants(path, genome))
    assert list(read.status) == ["ok", "malformed"]
    assert list(read.id) == ["rs1", "rs2"]
    assert read.notes[1] == "line 4 is of strand -: write the letters of the forward strand"


def rows_of(tmp_path, genome, text):
    (tmp_path / "x.tsv").write_text(text)
    read = Variants.join(read_variants(tmp_path / "x.tsv", genome))
    return list(zip(read.pos, read.status, read.notes, strict=True))


def test_positions_of_spreadsheets(tmp_path, genome):
    ref = letters(genome, 1006, 1007)
    alt = other(ref)
    written = ["1007", "1007.0", '"1,007"', "1007.00"]
    sure = "chrom,pos,ref,alt\n" + "".join(f"chr1,{w},{ref},{alt}\n" for w in written)
    assert [r[:2] for r in rows_of(tmp_path, genome, sure)] == [(1006, "ok")] * 4
    unsure = ["1.007", "1e+03", "1007.5", "1_007", "1.007.000"]
    rows = rows_of(tmp_path, genome, "chrom\tpos\tref\talt\n" + "".join(f"chr1\t{w}\t{ref}\t{alt}\n" for w in unsure))
    assert [r[1] for r in rows] == ["malformed"] * 5
    assert rows[1][2] == "line 3: POS '1e+03' is no whole number"
    semicolons = rows_of(tmp_path, genome, f"chrom;pos;ref;alt\nchr1;1,007;{ref};{alt}\n")
    assert [r[1] for r in semicolons] == ["malformed"]


def test_rows_whose_end_does_not_go_with_ref_are_named(tmp_path, genome):
    one, two = letters(genome, 1006, 1007), letters(genome, 1006, 1008)
    rows = rows_of(
        tmp_path, genome,
        f"chr\tstart\tend\tref\talt\nchr1\t1007\t1007\t{one}\tN\nchr1\t1007\t1008\t{two}\t-\nchr1\t1007\t1008\t{one}\t-\n"
        "chr1\t1007\t1020\t-\tA\nchr1\t1007\t1007\t-\t-\n",
    )  # fmt: skip
    assert [r[1] for r in rows] == ["ok", "ok", "malformed", "malformed", "malformed"]
    assert rows[2][2] == "line 4: END '1008' does not go with START 1007 and a REF of 1 bp"
    assert "is no neighbour of START 1007" in rows[3][2]
    rows = rows_of(
        tmp_path, genome, f"chrom\tpos\tref\talt\nchr1\t1007\t{one}\t-\nchr1\t1007\t-\tA\nchr1\t1007\tA\t-,C\n"
    )
    assert [r[1] for r in rows] == ["ok", "malformed", "malformed"]
    assert "no column `end` says on which side of POS it goes" in rows[1][2]


@pytest.mark.parametrize("header", ["variant\tgene\n", "variant_id\tgene\n", "HGVSg\tgene\n", "SPDI,gene\n", ""])
def test_a_column_or_a_list_of_variants_in_one_word(tmp_path, genome, header):
    ref = letters(genome, 1006, 1007)
    alt = other(ref)
    words = [
        f"1-1007-{ref}-{alt}",
        f"NC_000001.11:1006:{ref}:{alt}",
        f"chr1:g.1007{ref}>{alt}",
        f"chr1:1007:{ref}:{alt}",
    ]
    if header:
        mark = "\t" if "\t" in header else ","
        text = header + "".join(f"{w}{mark}TP53\n" for w in [*words, "rs12"])
    else:
        text = "".join(f"{w}\n" for w in [*words, "rs12"])
    (tmp_path / "x.tsv.gz").write_bytes(gzip.compress(text.encode()))
    file = read_variants(tmp_path / "x.tsv.gz", genome)
    read = Variants.join(file)
    assert list(read.status) == ["ok"] * 4 + ["malformed"]
    assert set(read.norm_pos[:4]) == {1006}
    assert "'rs12' is not read" in read.notes[4]
    assert file.notes
    assert Variants.join(read_variants(tmp_path / "x.tsv.gz", genome, start=3)).record.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Chr\tPos\tRef\tAlternat\n", "no column for alt (the nearest is 'Alternat') among Chr, Pos, Ref, Alternat"),
        ("chrom\tposn\tref\talt\n", "no column for pos (the nearest is 'posn')"),
        ("chrom\tPos (hg19)\tref\talt\n", "no column for pos (the nearest is 'Pos (hg19)')"),
        ("chrom;pos;ref;gene\n", "no column for alt among chrom, pos, ref, gene"),
        ("rsid\tchrom\tpos\teffect_allele\tother_allele\n", "an effect allele does not say: --fix-swapped"),
    ],
)
def test_a_missing_column_is_named_with_the_nearest(tmp_path, genome, header, message):
    (tmp_path / "x.tsv").write_text(header + "chr1\t1007\tA\tC\n")
    with pytest.raises(ZooError) as error:
        read_variants(tmp_path / "x.tsv", genome)
    assert message in str(error.value)
    assert "read are VCF, BCF, a table with the columns chrom, pos, ref and alt (also ANNOVAR's and MAF's)" in str(
        error.value
    )


def test_two_columns_of_one_name_are_refused(tmp_path, genome):
    (tmp_path / "x.tsv").write_text("chrom\tpos\tref\talt\tref\n")
    with pytest.raises(ZooError, match="line 1 has two columns 'ref'"):
        read_variants(tmp_path / "x.tsv", genome)


CELLS = st.text(st.sampled_from("chr12\t,;-.ACGT0123456789 \"'#"), max_size=40)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.sampled_from([h for h, _ in TOOLS.values()] + ["chrom,pos,ref,alt", "variant"]),
    rows=st.lists(CELLS, max_size=6),
)
def test_any_rows_come_out_again(tmp_path, genome, header, rows):
    (tmp_path / "x.tsv").write_text("\n".join([header, *rows]) + "\n")
    try:
        read = Variants.join(read_variants(tmp_path / "x.tsv", genome))
    except ZooError:
        return
    kept = [r for r in rows if r.strip() and not r.startswith("##" if header else "#")]
    assert len(np.unique(read.record)) == len(kept)
