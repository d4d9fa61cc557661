"""Files of strangers are read for what they say, and refused with file and line for what they do not."""

import gzip

import memelite.io
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.motifs import Motif, get_motif
from zoo.errors import DataError
from zoo_motifs.meme import label, read_meme, write_meme

PLAIN = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies (from the genome)
A 0.3 C 0.2 G 0.2 T 0.3

MOTIF MA0001.1 FIRST
letter-probability matrix: alength= 4 w= 2 nsites= 10 E= 1.1e-006
 0.1\t0.7  0.1 0.1
 1 0 0 0
URL http://somewhere

MOTIF second
letter-probability matrix: alength= 4 w= 1 nsites= 50 E= 0
0.25 0.25 0.25 0.25
"""

BARE = "MOTIF x\nletter-probability matrix:\n0.5 0.5 0 0\n0 0 0.5 0.5\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="motifs.meme"):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def test_a_well_formed_file_is_read_in_full(file):
    found = read_meme(file(PLAIN))
    assert [label(m) for m in found.motifs] == ["MA0001.1 FIRST", "second"]
    assert found.background == (0.3, 0.2, 0.2, 0.3)
    assert found.strands == "+ -"
    assert found.notes == []
    np.testing.assert_allclose(found.motifs[0].counts, [[1, 10], [7, 0], [1, 0], [1, 0]])
    np.testing.assert_allclose(found.motifs[1].counts.sum(), 50)


@pytest.mark.parametrize("name", ["motifs.meme", "motifs.meme.gz", "gzip_by_another_name.txt.gz"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_compression_do_not_matter(file, name, end):
    found = read_meme(file(PLAIN.replace("\n", end), name))
    np.testing.assert_array_equal(found.motifs[0].counts, read_meme(file(PLAIN)).motifs[0].counts)


def test_what_strangers_leave_out_is_guessed_and_told(file):
    found = read_meme(file(BARE))
    np.testing.assert_allclose(found.motifs[0].counts, [[10, 0], [10, 0], [0, 10], [0, 10]])
    assert found.background == (0.25, 0.25, 0.25, 0.25)
    assert found.strands == ""
    assert any("no line 'MEME version'" in note for note in found.notes)
    assert any("1 of 1 motifs do not say nsites" in note for note in found.notes)


@pytest.mark.parametrize(
    "text",
    [
        BARE.lower(),
        "\n\n" + BARE.replace("\n", "\n\n\n"),
        BARE.replace(":", ": alength=4 w=2 nsites=20"),
        BARE.replace(":", ": w= 2"),
        BARE.rstrip("\n"),
        "\ufeff" + BARE,
        'ALPHABET "RNA" RNA-LIKE\nA "Adenine" CC0000 ~ U "Uracil" 008000\nC 0000CC ~ G FFB300\nN = ACGU\n'
        "END ALPHABET\n" + BARE,
        "Background letter frequencies\nA 0.25\nC 0.25 G 0.25\n\nT 0.25\n" + BARE,
        BARE.replace("letter", "log-odds matrix: w= 1\n-100 3.2 -100 5\n\nletter"),
        BARE + "\nlog-odds matrix: w= 1\n-100 3.2 -100 5\n",
        BARE.replace("MOTIF x", "MOTIF x\n\n  a remark about it\n"),
    ],
)
def test_the_same_motif_however_it_is_written(file, text):
    (motif,) = read_meme(file(text)).motifs
    assert motif.id == "x"
    np.testing.assert_allclose(motif.probabilities(0), [[0.5, 0], [0.5, 0], [0, 0.5], [0, 0.5]])


def test_the_text_output_of_meme_itself_is_read(file):
    text = (
        "MEME version 5.5.0 (Release date: ...)\nALPHABET= ACGT\nLetter frequencies in dataset:\n"
        "A 0.3 C 0.2 G 0.2 T 0.3\nMOTIF CRC MEME-1\twidth =   1  sites =  10  llr = 20  E-value = 1e-5\n"
        "Motif CRC MEME-1 Description\nSimplified A 9\npos.-specific C :\n"
        "Motif CRC MEME-1 position-specific scoring matrix\n"
        "log-odds matrix: alength= 4 w= 1 n= 100 bayes= 6 E= 1e-5\n -997 200 -997 -997\n"
        "Motif CRC MEME-1 position-specific probability matrix\n"
        "letter-probability matrix: alength= 4 w= 1 nsites= 10 E= 1e-5\n 0.0 1.0 0.0 0.0\n"
    )
    (motif,) = read_meme(file(text)).motifs
    assert label(motif) == "CRC MEME-1"
    assert motif.counts.ravel().tolist() == [0, 10, 0, 0]


def test_motifs_with_log_odds_alone_are_left_out_and_told(file):
    found = read_meme(file(BARE + "MOTIF y\nlog-odds matrix: w= 1\n1 2 3 4\n"))
    assert [m.id for m in found.motifs] == ["x"]
    assert any("log-odds alone are left out: y" in note for note in found.notes)


def test_columns_that_nearly_sum_to_one_are_normalised_and_told(file):
    found = read_meme(file(BARE.replace("0.5 0.5 0 0", "0.48 0.5 0 0")))
    np.testing.assert_allclose(found.motifs[0].counts.sum(0), 20)
    assert any("do not sum to one and were normalised" in note for note in found.notes)
    assert len(read_meme(file(BARE.replace("0.5 0.5 0 0", "0.4999 0.5 0 0"))).notes) == 2


def test_counts_in_place_of_probabilities_are_read_as_counts_and_told(file):
    found = read_meme(file(BARE.replace("0.5 0.5 0 0", "3 4 0 0").replace("0 0 0.5 0.5", "0 0 7 1")))
    np.testing.assert_array_equal(found.motifs[0].counts, [[3, 0], [4, 0], [0, 7], [0, 1]])
    assert any("read as counts" in note for note in found.notes)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (BARE.replace("0 0 0.5 0.5", "0 0 0.5 0.9"), 4, "the column sums to 1.4"),
        (BARE.replace("0 0 0.5 0.5", "1.2 5.1 0 0"), 4, "the column sums to 6.3"),
        (BARE.replace("0 0 0.5 0.5", "0 0 1.5 -0.5"), 4, "between 0 and 1"),
        (BARE.replace("0 0 0.5 0.5", "0 0 nan 0.5"), 4, "between 0 and 1"),
        (BARE.replace("0 0 0.5 0.5", "0 0 1e999 0.5"), 4, "between 0 and 1"),
        (BARE.replace("0 0 0.5 0.5", "0 0 1"), 4, "3 number"),
        (BARE.replace("0 0 0.5 0.5", "0 0 1 0 0"), 4, "5 number"),
        (BARE.replace(":", ": w= 3"), 2, "2 rows below w= 3"),
        (BARE.replace(":", ": w= 1"), 4, "more rows than w= 1"),
        (BARE.replace(":", ": w= many"), 2, "whole number"),
        (BARE.replace(":", ": w= 99999999"), 2, "1 to 1,000 positions"),
        (BARE.replace(":", ": alength= 20"), 2, "four columns"),
        (BARE.replace(":", ": nsites= -3"), 2, "number of sites"),
        ("ALPHABET= ACDEFGHIKLMNPQRSTVWY\n" + BARE, 1, "the alphabet 'ACDEFG"),
        ("Background letter frequencies\nA 0.9 C 0.9 G 0.1 T 0.1\n" + BARE, 2, "sum to 1"),
        ("Background letter frequencies\nA 0.25 C 0.25\n" + BARE, 3, "cut off"),
        (BARE + "letter-probability matrix:\n1 0 0 0\n", 5, "a second letter-probability matrix"),
        ("letter-probability matrix:\n1 0 0 0\n", 1, "without a MOTIF"),
        ("MOTIF\n", 1, "without a name"),
        ("MOTIF x\nMOTIF y\n", 1, "has no matrix"),
        ("MOTIF x\nletter-probability matrix: w= 2\nMOTIF y\n", 2, "0 rows below w= 2"),
        (BARE + "URL x\n0.1 0.2 0.3 0.4\n", 6, "outside a matrix"),
    ],
)
def test_what_is_no_motif_is_refused_with_file_and_line(file, text, line, message):
    path = file(text)
    with pytest.raises(DataError, match=rf"motifs.meme line {line}\b.*{message}"):
        read_meme(path)


def test_files_without_motifs_are_refused(file):
    for text in ("", "hello\n", ">chr1\nACGT\n", '{"a": 1}'):
        with pytest.raises(DataError, match=r"motifs.meme holds no letter-probability matrix"):
            read_meme(file(text))
    for data in (b"\xff\xfe\x00", bytes(range(256))):
        with pytest.raises(DataError, match="no UTF-8 text"):
            read_meme(file(data))
    with pytest.raises(DataError, match="does not exist"):
        read_meme("nowhere.meme")


def test_a_bomb_and_a_flood_of_motifs_end_early(file, monkeypatch):
    monkeypatch.setattr("zoo_motifs.meme.text._MAX_BYTES", 1 << 16)
    with pytest.raises(DataError, match="unpacks to more than"):
        read_meme(file("x" * 200_000, "bomb.gz"))
    monkeypatch.setattr("zoo_motifs.motif_collection.MAX_MOTIFS", 1)
    with pytest.raises(DataError, match="line 14: more than 1 motifs"):
        read_meme(file(PLAIN.replace("URL http://somewhere\n\n", "")))


names = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=1, max_size=12)
columns = st.lists(st.integers(0, 1000), min_size=4, max_size=4).filter(any)


@st.composite
def motifs(draw):
    made = draw(st.lists(st.tuples(names, names, st.lists(columns, min_size=1, max_size=30)), min_size=1, max_size=5))
    unique = {(i, n): c for i, n, c in made if not n.startswith("width")}
    kept, seen = [], set()
    for (i, n), c in unique.items():
        motif = Motif(n, i, np.array(c, float).T)
        if label(motif) not in seen:
            seen.add(label(motif))
            kept.append(motif)
    return kept or [Motif("n", "i", np.ones((4, 1)))]


@settings(deadline=None)
@given(motifs(), st.sampled_from(["a.meme", "a.meme.gz"]))
def test_what_is_written_is_read_again(tmp_path_factory, written, name):
    path = tmp_path_factory.mktemp("meme") / name
    write_meme(path, written, background=(0.3, 0.2, 0.2, 0.3), strands="+")
    found = read_meme(path)
    assert found.notes == []
    assert found.background == (0.3, 0.2, 0.2, 0.3)
    assert found.strands == "+"
    assert [label(m) for m in found.motifs] == [label(m) for m in written]
    for before, after in zip(written, found.motifs, strict=True):
        np.testing.assert_allclose(after.probabilities(0), before.probabilities(0), atol=1e-8)
        assert after.counts.sum(0).max() == pytest.approx(max(1, before.counts.sum(0).max()))


@settings(deadline=None)
@given(motifs())
def test_memelite_reads_the_same(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("meme") / "a.meme"
    write_meme(path, written)
    theirs = memelite.io.read_meme(str(path))
    ours = read_meme(path).motifs
    assert list(theirs) == [label(m) for m in ours]
    for name, motif in zip(theirs, ours, strict=True):
        np.testing.assert_allclose(motif.probabilities(0), theirs[name], atol=1e-8)


def outcome(path):
    try:
        return f"{path}: {len(read_meme(path).motifs)}"
    except DataError as error:
        return str(error)


@settings(deadline=None)
@given(st.binary(max_size=300) | st.text(alphabet="MOTIFmotif letter-probability matrix:=0.15\n", max_size=300))
def test_anything_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("meme") / "a.meme"
    path.write_bytes(text if isinstance(text, bytes) else BARE.encode()[:40] + text.encode())
    assert "a.meme" in outcome(path)


def test_blanks_in_names_do_not_end_them(tmp_path):
    path = tmp_path / "a.meme"
    write_meme(path, [Motif("my motif", "one two", np.ones((4, 2)))])
    (motif,) = read_meme(path).motifs
    assert (motif.id, motif.name) == ("one_two", "my_motif")
    with pytest.raises(DataError, match="two motifs are called 'CTCF'"):
        write_meme(path, [Motif("CTCF", "CTCF", np.ones((4, 2)))] * 2)
    assert read_meme(path).motifs[0].id == "one_two", "a file is not spoilt by a failed attempt"


def test_jaspar_matrices_keep_their_probabilities(tmp_path):
    write_meme(tmp_path / "a.meme", [get_motif("CTCF")])
    (motif,) = read_meme(tmp_path / "a.meme").motifs
    assert label(motif) == "MA0139.2 CTCF"
    np.testing.assert_allclose(motif.probabilities(0), get_motif("CTCF").probabilities(0), atol=1e-8)
