"""FASTA sets: letters, headers, and the coordinates that headers truly say."""

import gzip

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.sequences import hash_by_length, read_sequences
from zoo.errors import DataError


def put(folder, text, pack=False):
    path = folder / "s.fa"
    path.write_bytes(gzip.compress(text.encode()) if pack else text.encode())
    return path


@pytest.mark.parametrize(
    ("header", "place"),
    [
        ("chr1:100-104", ("chr1", 100, 104, ".")),
        ("chr1:101-104", ("chr1", 100, 104, ".")),
        ("peak_7::chr1:100-104(-)", ("chr1", 100, 104, "-")),
        (" chr1,+,101,104; class:0", ("chr1", 100, 104, "+")),
        ("NM_1 chr1:100-104 gene", ("chr1", 100, 104, ".")),
        ("chr1:100-110", ("", -1, -1, ".")),
        ("just a name", ("", -1, -1, ".")),
        ("chr1", ("", -1, -1, ".")),
    ],
)
def test_coordinates_count_only_if_they_fit_the_sequence(tmp_path, header, place):
    found = read_sequences(put(tmp_path, f">{header}\nACGT\n"))
    assert (found.chrom[0], found.start[0], found.end[0], found.strand[0]) == place
    assert found.headers == [header.strip()]


def test_classes_letters_and_lines_are_read(tmp_path):
    text = "> chr1,+,1,4; class:0\nAC\ngt\n>b; class: 1\r\nNNRU\r\n>c\nA"
    found = read_sequences(put(tmp_path, text, pack=True))
    assert [decode(found[i]) for i in range(3)] == ["ACGT", "NNNT", "A"]
    assert list(found.label) == ["0", "1", ""]
    assert found.line.tolist() == [1, 4, 6]
    assert decode(found.batch(np.array([1, 0]))[1]) == "ACGT"


def test_select_and_batch_give_the_same_sequences(tmp_path):
    rng = np.random.default_rng(0)
    letters = ["".join(rng.choice(list("ACGT"), n)) for n in rng.integers(1, 9, 50)]
    found = read_sequences(put(tmp_path, "".join(f">{i}\n{s}\n" for i, s in enumerate(letters))))
    rows = rng.permutation(50)[:20]
    chosen = found.select(rows)
    assert [decode(chosen[i]) for i in range(20)] == [letters[r] for r in rows]
    assert chosen.headers == [str(r) for r in rows]
    joined = type(found).join([chosen, found])
    assert [decode(joined[i]) for i in (0, 20, 69)] == [letters[rows[0]], letters[0], letters[49]]
    hashes, _ = hash_by_length(joined.lengths, joined.batch)
    assert (hashes[:20] == hashes[20:][rows]).all()
    with pytest.raises(DataError, match="group by length"):
        found.batch(np.arange(50))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (">a\nACGT\n>b\n>c\nA\n", "line 3: record 'b' has no sequence"),
        (">a\n", "line 1: record 'a' has no sequence"),
        (">a\nAC\nA1\n", "line 3: letter '1' is no IUPAC"),
        ("ACGT\n", "line 1 begins with"),
        ("", "holds no sequence"),
    ],
)
def test_a_broken_record_is_named_by_its_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_sequences(put(tmp_path, text))
