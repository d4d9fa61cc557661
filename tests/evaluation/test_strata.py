import numpy as np
import pytest

from zoo.errors import ConfigError
from zoo.evaluation.strata import in_stratum, strata_of

COLUMNS = {
    "width": np.array([100, 2000, 9000]),
    "chrom": np.array(["chr20", "chrX", "chrX"]),
    "signal": np.array(["1.5", ".", "30"]),
    "score": np.array([0.1, np.nan, 3.0]),
}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("width<=2000", [1, 1, 0]),
        ("width < 2_000", [1, 0, 0]),
        ("width>2,000", [0, 0, 1]),
        ("chrom==chrX", [0, 1, 1]),
        ("chrom!=chrX & width<5000", [1, 0, 0]),
        ("chrom=chr20", [1, 0, 0]),
        ("signal>=2", [0, 1, 1]),
        ("score<1", [1, 1, 0]),
    ],
)
def test_a_comparison_keeps_the_rows_it_holds_for_and_those_without_a_value(text, kept):
    assert in_stratum(text, COLUMNS).tolist() == [bool(k) for k in kept]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("widht<=2000", "did you mean 'width'"),
        ("chrom<chrX", "use == or !="),
        ("width", "does not read"),
        ("__import__('os').system('true')", "does not read"),
        ("width<=2000 or 1==1", "does not read|words with"),
    ],
)
def test_what_is_no_comparison_is_refused_and_never_run(text, message):
    with pytest.raises(ConfigError, match=message):
        in_stratum(text, COLUMNS)


def test_a_bare_name_is_a_column_or_refused_with_those_there_are():
    strata = strata_of(["chrom", "width<=2000"], COLUMNS)
    assert {k: v.tolist() for k, v in strata.items()} == {
        "chrom==chr20": [True, False, False],
        "chrom==chrX": [False, True, True],
        "width<=2000": [True, True, False],
    }
    with pytest.raises(ConfigError, match="no column 'chr': did you mean 'chrom'"):
        strata_of(["chr"], COLUMNS)
    with pytest.raises(ConfigError, match="choose from width, chrom, signal, score"):
        strata_of(["laboratory"], COLUMNS)
