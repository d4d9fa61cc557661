"""Files of motifs are told by what stands in them; a bad motif is left out, the others are read."""

import gzip
import io
import random

import numpy as np
import pytest
from Bio import motifs as biopython
from Bio.motifs import jaspar, transfac
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.errors import DataError
from zoo_motifs.meme import label
from zoo_motifs.motif_files import read_motifs

COUNTS = np.array([[0, 3, 79, 40, 66], [94, 75, 4, 3, 1], [1, 0, 3, 4, 1], [2, 19, 11, 50, 29]], float)
SHARES = COUNTS / COUNTS.sum(0)


def rows(values, precision="{:g}", sep="\t"):
    return "".join(sep.join(precision.format(x) for x in row) + "\n" for row in values)


JASPAR = "".join(f"{b}  [{' '.join(f'{x:g}' for x in row)} ]\n" for b, row in zip("ACGT", COUNTS, strict=True))
INDEXED = "".join(f"{i}\t" + "\t".join(f"{x:.9f}" for x in column) + "\n" for i, column in enumerate(SHARES.T, 1))
MATRIX = "".join(f"{i:02d}  " + "  ".join(f"{x:g}" for x in column) + "  N\n" for i, column in enumerate(COUNTS.T, 1))
HOMER = "ATGACTCATC\tAP-1(bZIP)/ThioMac-PU.1-ChIP-Seq(GSE21512)/Homer\t6.049537\t-1782.99\t0\t9805.3,5781.0"
SMOOTH = (COUNTS + 0.25 * 4) / (COUNTS.sum(0) + 4)
ONE = {
    "jaspar": (">MA0001.1 AGL3\n" + JASPAR, "JASPAR", "MA0001.1 AGL3", COUNTS),
    "jaspar, bare rows": (">MA0001.1\tAGL3\n" + rows(COUNTS), "JASPAR", "MA0001.1 AGL3", COUNTS),
    "jaspar, no name": (rows(COUNTS, sep=" "), "JASPAR", "motifs", COUNTS),
    "rows in another order": (
        ">x\n" + "".join(f"{b} | {' '.join(f'{x:g}' for x in COUNTS['ACGT'.index(b)])}\n" for b in "ATGC"),
        *("JASPAR", "x", COUNTS),
    ),
    "transfac of jaspar": (
        f"AC MA0001.1\nXX\nID AGL3\nXX\nDE MA0001.1 AGL3 ; From JASPAR\nP0\tA\tC\tG\tT\n{MATRIX}XX\nCC x:y\nXX\n//\n",
        *("TRANSFAC", "MA0001.1 AGL3", COUNTS),
    ),
    "transfac": (
        f"VV  TABLE\nXX\n//\nAC  M00001\nXX\nID  V$AGL3_01\nXX\nNA  AGL3\nPO     A     C     G     T\n{MATRIX}XX\n//\n",
        *("TRANSFAC", "M00001 AGL3", COUNTS),
    ),
    "transfac of stamp": (f"DE\tx\n{MATRIX}XX\n", "TRANSFAC", "x", COUNTS),
    "homer": (f">{HOMER}\n{rows(SHARES.T, '{:.3f}')}", "HOMER", HOMER.split("\t")[1], SHARES),
    "homer, de novo": (
        f">1-TGASTCA\t1-TGASTCA,BestGuess:AP-1(bZIP)\t6.0\t-9.1\t0\n{rows(SHARES.T, '{:.3f}')}",
        *("HOMER", "1-TGASTCA", SHARES),
    ),
    "hocomoco pcm": (f">AGL3.H11MO.0.B\n{rows(COUNTS.T * 1.013, '{:.6f}')}", "HOCOMOCO", "AGL3.H11MO.0.B", COUNTS),
    "hocomoco pfm": (f">AGL3.H12CORE.0.P.B\n{rows(SHARES.T)}", "HOCOMOCO", "AGL3.H12CORE.0.P.B", SHARES),
    "hocomoco pwm": (f">AGL3.H11MO.0.B\n{rows(np.log(SMOOTH.T * 4), '{:.8f}')}", "HOCOMOCO", "AGL3.H11MO.0.B", SMOOTH),
    "log2 odds": (f">x\n{rows(np.log2(SMOOTH.T * 4), '{:.8f}')}", "HOCOMOCO", "x", SMOOTH),
    "cisbp": (f"Pos\tA\tC\tG\tT\n{INDEXED}", "CisBP", "motifs", SHARES),
    "cisbp, all motifs": (
        f"TF\tUnknown\nTF Name\tAGL3\nGene\tENSG01\nMotif\tM1734_0.90\nFamily\tx\nSpecies\tHomo_sapiens\n"
        f"Pos\tA\tC\tG\tT\n{INDEXED}",
        *("CisBP", "M1734_0.90 AGL3", SHARES),
    ),
    "cisbp of rna": (f"Pos\tA\tC\tG\tU\n{INDEXED}", "CisBP", "motifs", SHARES),
    "letters above": (f"T A G C\n{rows(COUNTS[[3, 0, 2, 1]].T)}", "plain", "motifs", COUNTS),
    "meme": (
        f"MEME version 4\n\nMOTIF x AGL3\nletter-probability matrix: w= 5\n{rows(SHARES.T, sep=' ')}",
        *("MEME", "x AGL3", SHARES),
    ),
}


@pytest.fixture
def file(tmp_path):
    def write(text, name="motifs.txt"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
        return path

    return write


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("kind", ONE)
def test_each_format_is_told_by_what_stands_in_it(file, kind, end):
    text, format, name, expected = ONE[kind]
    read = read_motifs(file(text.replace("\n", end), "motifs.gz" if end == "\n" else "motifs.txt"))
    assert read.format == format
    (motif,) = read.motifs
    assert label(motif) == name
    np.testing.assert_allclose(motif.probabilities(0), expected / expected.sum(0), atol=2e-3)
    notes = " | ".join(read.notes)
    assert format == "MEME" or "it is read as" in notes
    assert ("log-odds over equal base frequencies" in notes) == (kind in ("hocomoco pwm", "log2 odds"))
    assert ("U is read as T" in notes) == (kind == "cisbp of rna")


def test_counts_stay_counts_and_probabilities_are_told_to_lack_their_number(file):
    jaspar = read_motifs(file(ONE["jaspar"][0]))
    np.testing.assert_array_equal(jaspar.motifs[0].counts, COUNTS)
    assert not any("nsites" in note for note in jaspar.notes)
    assert any("1 of 1 motifs do not say nsites" in note for note in read_motifs(file(ONE["homer"][0])).notes)


def test_four_positions_are_told_from_four_bases_by_the_other_motifs_or_by_the_sums(file):
    square = np.array([[8, 1, 1, 0], [1, 7, 1, 1], [2, 2, 5, 1], [0, 0, 1, 9]], float)
    for others, expected in ((rows(COUNTS), square), (rows(COUNTS.T), square.T)):
        read = read_motifs(file(f">a\n{others}>b\n{rows(square)}"))
        np.testing.assert_array_equal(read.motifs[1].counts, expected)
    np.testing.assert_array_equal(read_motifs(file(f">a\n{rows(square)}")).motifs[0].counts, square.T)
    np.testing.assert_array_equal(read_motifs(file(f">a\n{rows(square.T)}")).motifs[0].counts, square.T)
    for both in (np.full((4, 4), 5.0), np.diag([1.0, 2, 3, 4]) + 1):
        with pytest.raises(DataError, match=r"line 2: motif 'a': four rows of four numbers.*label the rows"):
            read_motifs(file(f"\n>a\n{rows(both)}"))


BAD = {
    "jaspar": (">{}\n" + JASPAR, ">bad X\nA [ 1 2 ]\nC [ 3 4 ]\nG [ 5 6 ]\n", "rows of A 2, C 2, G 2 numbers"),
    "jaspar, unequal": (">{}\n" + JASPAR, ">bad X\nA [1 2]\nC [3 4]\nG [5 6]\nT [5]\n", "T 1 numbers"),
    "jaspar, empty": (">{}\n" + rows(COUNTS), ">bad X\n", "has no matrix"),
    "jaspar, a word": (">{}\n" + rows(COUNTS), ">bad X\n1 2 x\n3 4 5\n1 2 3\n3 4 5\n", "the line '1 2 x'"),
    "hocomoco, zeros": (">{}\n" + rows(COUNTS.T), ">bad X\n1 2 3 4\n0 0 0 0\n", "column 2 is empty"),
    "hocomoco, nan": (">{}\n" + rows(COUNTS.T), ">bad X\n1 2 3 4\nnan nan nan nan\n", "the row 'nan nan nan nan'"),
    "hocomoco, below 0": (">{}\n" + rows(COUNTS.T), ">bad X\n1 -2 3 4\n", "log-odds whose background is not known"),
    "homer, sums": (f">a\t{{}}\t6.0\n{rows(SHARES.T)}", ">a\tbad X\t6.0\n0.2 0.1 0.1 0.1\n", "the column sums to 0.5"),
    "cisbp, none": (f"Motif\t{{}}\nPos\tA\tC\tG\tT\n{INDEXED}", "Motif\tbad X\nPos\tA\tC\tG\tT\n", "has no matrix"),
    "cisbp, a gap": (
        f"Motif\t{{}}\nPos\tA\tC\tG\tT\n{INDEXED}",
        *("Motif\tbad X\nPos\tA\tC\tG\tT\n1 1 0 0 0\n3 1 0 0 0\n", "do not count 1, 2, 3"),
    ),
    "transfac, none": (f"ID {{}}\nP0 A C G T\n{MATRIX}//\n", "ID bad X\nP0 A C G T\n//\n", "has no matrix"),
    "transfac, a gap": (
        f"ID {{}}\nP0 A C G T\n{MATRIX}//\n",
        *("ID bad X\nP0 A C G T\n01 1 0 0 0\n03 1 0 0 0\n//\n", "position 03 after 1"),
    ),
    "transfac, protein": (f"ID {{}}\nP0 A C G T\n{MATRIX}//\n", "ID bad X\nP0 A R N D\n01 1 0 0 0\n//\n", "'A R N D'"),
}


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_motif_among_300_is_left_out_and_named(file, kind):
    good, bad, why = BAD[kind]
    text = "".join(good.format(f"m{i}") for i in range(150)) + bad
    line = text[: text.rindex("bad X")].count("\n") + 1
    text += "".join(good.format(f"m{i}") for i in range(150, 299))
    read = read_motifs(file(text))
    assert [m.id for m in read.motifs] == [f"m{i}" for i in range(299)]
    (skipped,) = read.skipped
    assert why in skipped.why
    assert "bad" in skipped.name
    assert line <= skipped.line <= line + 4
    assert any(f"line {skipped.line}, is left out: {skipped.why}" in note for note in read.notes)
    with pytest.raises(DataError, match=r"motifs.txt line \d+: motif 'bad"):
        read_motifs(file(bad))


MEME = "MEME version 4\n\n"
GOOD = "MOTIF {} name\nletter-probability matrix: w= 2 nsites= 20\n0.5 0.5 0 0\n0 0 0.5 0.5\n"


@pytest.mark.parametrize(
    "bad",
    [
        "MOTIF bad X\n",
        "MOTIF bad X\nletter-probability matrix: w= 0\n",
        "MOTIF bad X\nletter-probability matrix: w= 2 nsites= 0\n0 0 0 0\n0 0 0 0\n",
        "MOTIF bad X\nletter-probability matrix: w= 2 nsites= 0\nnan nan nan nan\nnan nan nan nan\n",
        "MOTIF bad X\nletter-probability matrix: w= 3\n0.5 0.5 0 0\n0 0 0.5 0.5\n",
        "MOTIF bad X\nletter-probability matrix: w= 1\n0.5 0.5 0 0\n0 0 0.5 0.5\n",
        "MOTIF bad X\nletter-probability matrix: w= many\n0.5 0.5 0 0\n",
        "MOTIF bad X\nletter-probability matrix: nsites= x\n0.5 0.5 0 0\n",
        "MOTIF bad X\nletter-probability matrix: w= 1\n0.5 0.9 0 0\n",
        "MOTIF bad X\nletter-probability matrix: w= 1\n0.5 0.5 0\n",
        "MOTIF bad X\nletter-probability matrix: alength= 20 w= 1\n0.5 0.5 0 0\n",
        GOOD.format("bad").replace(" name", " X") + "letter-probability matrix: w= 1\n0.5 0.5 0 0\n",
    ],
)
def test_one_bad_motif_of_meme_is_left_out_and_named(file, bad):
    text = MEME + "".join(GOOD.format(f"m{i}") for i in range(150)) + bad
    text += "".join(GOOD.format(f"m{i}") for i in range(150, 299))
    read = read_motifs(file(text))
    assert [m.id for m in read.motifs] == [f"m{i}" for i in range(299)]
    assert [s.name for s in read.skipped] == ["bad X"]
    assert any("motif 'bad X', line " in note for note in read.notes)


def test_motifs_called_alike_are_both_kept(file):
    read = read_motifs(file(MEME + GOOD.format("x") * 3 + GOOD.format("y")))
    assert [label(m) for m in read.motifs] == ["x name", "x_2 name", "x_3 name", "y name"]
    assert any("'x_2 name' of line 7, 'x_3 name' of line 11" in note for note in read.notes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<?xml version='1.0'?>\n<MEME/>\n", "is XML, as MEME, STREME and TOMTOM write"),
        ("<!DOCTYPE HTML>\n", "is a web page"),
        ('{"matrix_id": "MA0139.1"}\n', "is JSON"),
        (">chr1\nACGTACGT\n", "is FASTA"),
        ("##fileformat=VCFv4.2\n", "is VCF"),
        ("chr1\t10\t20\n", "holds no motif: MEME, JASPAR, TRANSFAC, HOMER, HOCOMOCO and CisBP are read"),
        ("", "holds no motif"),
        ("hello 1\nworld\n", "holds no motif"),
        ("ALPHABET= ACDEFGHIKLMNPQRSTVWY\nMOTIF x\nletter-probability matrix: w= 1\n1 0 0 0\n", "the alphabet 'ACDEF"),
        ("Pos\tA\tR\tN\tD\n1\t0.1\t0.2\t0.3\t0.4\n", "the letters 'A\\\\tR\\\\tN\\\\tD': only A C G T are read"),
        (">x\n1 -2 0.5 0.3\n", "log-odds whose background is not known: give counts or probabilities"),
    ],
)
def test_what_is_no_motif_is_named(file, text, message):
    with pytest.raises(DataError, match=message):
        read_motifs(file(text))


def attempt(path):
    """What is read, or the error."""
    try:
        return read_motifs(path)
    except DataError as error:
        return error


# A column of a single site sums to one, as probabilities do.
column_of_counts = st.lists(st.integers(0, 9999), min_size=4, max_size=4).filter(lambda column: sum(column) > 1)
matrices = st.lists(
    st.lists(column_of_counts, min_size=1, max_size=12),
    min_size=1,
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(matrices, st.sampled_from(["jaspar", "transfac", "clusterbuster"]))
def test_what_biopython_writes_is_read_as_it_was_meant(tmp_path_factory, matrices, format):
    written = []
    for i, columns in enumerate(matrices):
        counts = dict(zip("ACGT", np.array(columns, float).T.tolist(), strict=True))
        motif = jaspar.Motif(f"MA{i:04d}.1", f"NAME{i}", alphabet="ACGT", counts=counts)
        written.append(motif)
    if format == "transfac":
        written = [transfac.Motif(alphabet="ACGT", counts=m.counts) for m in written]
        for i, motif in enumerate(written):
            motif.update({"ID": f"MA{i:04d}.1", "NA": f"NAME{i}"})
        text = transfac.write(written)
    elif format == "clusterbuster":  # one row a position, as HOCOMOCO's
        text = "".join(f">MA{i:04d}.1 NAME{i}\n{rows(columns)}" for i, columns in enumerate(matrices))
    else:
        text = jaspar.write(written, "jaspar")
    path = tmp_path_factory.mktemp("motifs") / "m.txt"
    path.write_text(text)
    read = attempt(path)
    if isinstance(read, DataError):
        assert "four rows of four numbers" in str(read)
        return
    for motif in read.motifs:
        i = int(motif.id[2:6])
        assert label(motif) == f"MA{i:04d}.1 NAME{i}"
        np.testing.assert_array_equal(motif.counts, np.array(matrices[i]).T)
    assert all("four rows of four numbers" in s.why for s in read.skipped)
    assert len(read.motifs) + len(read.skipped) == len(matrices)


def test_bio_motifs_reads_the_same_matrices():
    for kind, format in (("jaspar", "jaspar"), ("jaspar, bare rows", "jaspar"), ("cisbp", "pfm-four-columns")):
        (theirs,) = biopython.parse(io.StringIO(ONE[kind][0]), format)
        np.testing.assert_allclose([theirs.counts[b] for b in "ACGT"], ONE[kind][3], atol=1e-8)


def mutate(text, draw):
    """Some bytes changed, taken out, doubled or moved."""
    data = bytearray(text.encode())
    for _ in range(draw.randint(1, 6)):
        at, n = draw.randrange(len(data) + 1), draw.randint(1, 12)
        kind = draw.randrange(5)
        if kind == 0:
            data[at : at + 1] = bytes([draw.randrange(256)])
        elif kind == 1:
            del data[at : at + n]
        elif kind == 2:
            data[at:at] = data[at : at + n * 4]
        elif kind == 3:
            data[at:at] = draw.choice([b"nan", b"-inf", b"1e308", b"-1", b"\n", b">", b"\t", b"MOTIF ", b"9" * 400])
        else:
            data = data[:at] or data
    return bytes(data)


@pytest.mark.parametrize("kind", ONE)
def test_damaged_files_are_read_or_refused(tmp_path, kind):
    draw, path = random.Random(kind), tmp_path / "m.txt"
    outcomes = set()
    for _ in range(60):
        path.write_bytes(mutate(ONE[kind][0] * draw.choice([1, 3]), draw))
        read = attempt(path)
        outcomes.add(type(read).__name__)
        if isinstance(read, DataError):
            assert "m.txt" in str(read)
            continue
        assert all(np.isfinite(m.counts).all() and (m.counts.sum(0) > 0).all() for m in read.motifs)
        assert len({label(m) for m in read.motifs}) == len(read.motifs)
    assert outcomes == {"MotifFile", "DataError"}


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet=">ACGTU[]|:posMOTIF /\t 0123456789.-+einfa\n#PXD", max_size=200))
def test_anything_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "anything.txt"
    path.write_text(text)
    read = attempt(path)
    assert "anything.txt" in str(read) if isinstance(read, DataError) else read.motifs
