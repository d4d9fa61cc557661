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
    ],
)
def test_other_names(asked, contigs, found):
    assert find(asked, contigs) == found
