"""A contig answers to another name only where that cannot mean two things."""

import pytest

from zoo.data.aliases import find

YEAST = ["chrI", "chrII", "chrIII", "chrIV", "chrV", "chrVI", "chrVII", "chrVIII", "chrIX", "chrX", "chrXI", "chrM"]
MAN = [*map(str, range(1, 23)), "X", "Y", "MT"]
WORM = ["I", "II", "III", "IV", "V", "X"]


@pytest.mark.parametrize(
    ("asked", "contigs", "found"),
    [
        ("chr7", MAN, "7"),
        ("chrX", MAN, "X"),
        ("chrM", MAN, "MT"),
        ("M", YEAST, "chrM"),
        ("chr10", YEAST, "chrX"),
        ("4", YEAST, "chrIV"),
        ("chrIV", [str(i) for i in range(1, 17)], "4"),
        ("chr10", WORM, None),
        ("chr10", ["1", "2", "X"], None),
        ("chrX", [str(i) for i in range(1, 23)], None),
        ("chr7", ["chr07", "7", "chr7 "], "7"),
        ("Chr7", ["7", "chr7"], None),
        ("chr", ["1"], None),
        ("", ["1"], None),
        ("chr99", MAN, None),
        ("NC_000007.14", MAN, "7"),
        ("NC_000023.10", MAN, "X"),
        ("NC_012920.1", MAN, "MT"),
        ("chr7", ["NC_000007.14"], "NC_000007.14"),
        ("NC_000007.13", ["NC_000007.14"], None),
        ("NC_000004.12", YEAST, None),
        ("NC_000025.1", MAN, None),
    ],
)
def test_other_names(asked, contigs, found):
    assert find(asked, contigs) == found


@pytest.mark.parametrize(
    ("length", "grch37", "grch38"), [(64444167, None, "20"), (63025520, "20", None), (9, "20", "20")]
)
def test_an_accession_is_of_one_assembly(length, grch37, grch38):
    contigs = {"20": length, "21": 7}
    assert find("NC_000020.10", contigs) == grch37
    assert find("NC_000020.11", contigs) == grch38
    assert find("NC_000020.9", contigs) == (None if length > 9 else "20")
