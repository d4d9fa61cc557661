"""TF-MoDISco finds the motifs whose letters were given attributions, in both signs, and says when there is nothing."""

import os
from pathlib import Path

import numpy as np
import pytest

from zoo.attribution.hdf5_writer import write_h5
from zoo.attribution.result import Attributed
from zoo.cli.main import main
from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.planted_motifs import background
from zoo.errors import ConfigError, DataError, ZooError
from zoo_motifs.meme import read_meme
from zoo_motifs.modisco import Pattern, modisco

pytest.importorskip("modiscolite")
h5py = pytest.importorskip("h5py")

UP, DOWN = "TGGCACGATAA", "CCATTGTTCTC"
N, LENGTH = 500, 150


def attributions(sites=(UP, DOWN), signs=(1.0, -1.0), n=N, length=LENGTH, seed=0, **changes):
    """Rows with the first site in even and the second in odd ones, on either strand; only its letters have values.

    A letter of a site has 1 (times its sign), the three others there have -1/3; all else is noise of 0.02.
    """
    rng = np.random.default_rng(seed)
    codes = background(n, length, gc=0.5, rng=rng)
    values = rng.normal(0, 0.02, (n, 4, length)).astype(np.float32)
    for row in range(n):
        site = encode(sites[row % 2])
        if rng.random() < 0.5:
            site = reverse_complement(site)
        at = int(rng.integers(length // 3, 2 * length // 3 - len(site)))
        place = slice(at, at + len(site))
        codes[row, place] = site
        values[row, :, place] += signs[row % 2] * np.where(site == np.arange(4)[:, None], 1.0, -1 / 3)
    found = {
        "kind": "hypothetical",
        "predictions": np.zeros(n, np.float32),
        "output": "y",
        "interpreter": {"name": "planted"},
        "names": [str(i) for i in range(n)],
        "comments": {"model": "planted"},
    }
    return Attributed(codes, values, **{**found, **changes})


def same_site(consensus, site):
    """The site, or its other strand, within the consensus with at most one letter cut off at either end."""
    both = (site, decode(reverse_complement(encode(site))))
    return any(x[1:-1] in consensus and len(consensus) <= len(site) + 4 for x in both)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """One run of the command on the file that `zoo attribute` would write."""
    folder = tmp_path_factory.mktemp("modisco")
    write_h5(attributions(), folder / "a.h5")
    code = main(["modisco", str(folder / "a.h5"), "-o", str(folder / "p.h5"), "--meme", str(folder / "p.meme")])
    assert code == 0
    return folder


@pytest.mark.slow
def test_planted_motifs_come_out_in_their_sign(found):
    with h5py.File(found / "p.h5") as file:
        assert set(file) == {"pos_patterns", "neg_patterns"}
        for sign, site in (("pos", UP), ("neg", DOWN)):
            patterns = file[f"{sign}_patterns"]
            sizes = [int(p["seqlets/n_seqlets"][0]) for p in patterns.values()]
            assert sum(sizes) > 0.9 * N / 2
            assert sizes[0] == max(sizes) > 100
            letters = decode(patterns["pattern_0/sequence"][:].argmax(1))
            assert site in letters or decode(reverse_complement(encode(site))) in letters
        assert file.attrs["window_size"] == LENGTH
        assert file.attrs["model"] == "planted"
        assert file.attrs["sequences"] == str(N)


@pytest.mark.slow
def test_seqlets_lie_on_the_planted_sites(found):
    """Their places count from the start of the window, which is the whole sequence here."""
    codes = attributions().codes
    with h5py.File(found / "p.h5") as file:
        seqlets = file["pos_patterns/pattern_0/seqlets"]
        starts, ends, rows = (seqlets[k][:] for k in ("start", "end", "example_idx"))
    both = (UP, decode(reverse_complement(encode(UP))))
    hits = [any(x in decode(codes[r, s:e]) for x in both) for r, s, e in zip(rows, starts, ends, strict=True)]
    assert np.mean(hits) > 0.95
    assert (rows % 2 == 0).mean() > 0.95


@pytest.mark.slow
def test_the_meme_file_holds_the_trimmed_patterns_with_their_numbers(found):
    motifs = {m.id: m for m in read_meme(found / "p.meme").motifs}
    assert {"pos_patterns.pattern_0", "neg_patterns.pattern_0"} <= set(motifs)
    assert same_site(motifs["pos_patterns.pattern_0"].consensus, UP)
    assert same_site(motifs["neg_patterns.pattern_0"].consensus, DOWN)
    with h5py.File(found / "p.h5") as file:
        n = int(file["pos_patterns/pattern_0/seqlets/n_seqlets"][0])
    assert motifs["pos_patterns.pattern_0"].counts.sum(0) == pytest.approx(n, rel=1e-6)


@pytest.mark.slow
def test_the_package_s_own_command_reads_the_file(found):
    """`modisco meme` goes through every pattern: its untrimmed frequencies hold ours."""
    from modiscolite.io import write_meme_from_h5
    from modiscolite.util import MemeDataType

    write_meme_from_h5(str(found / "p.h5"), MemeDataType.PFM, str(found / "own.meme"), True)
    theirs = {m.id: m for m in read_meme(found / "own.meme").motifs}
    for ours in read_meme(found / "p.meme").motifs:
        whole, part = theirs[ours.id].probabilities(0), ours.probabilities(0)
        steps = range(whole.shape[1] - part.shape[1] + 1)
        assert min(np.abs(whole[:, i : i + part.shape[1]] - part).max() for i in steps) < 1e-4


@pytest.mark.slow
def test_the_same_file_gives_the_same_patterns_again(found, tmp_path):
    again = modisco(found / "a.h5", tmp_path / "p.h5")
    with h5py.File(found / "p.h5") as one, h5py.File(tmp_path / "p.h5") as two:
        for sign, patterns in (("pos", again.positive), ("neg", again.negative)):
            assert len(one[f"{sign}_patterns"]) == len(patterns)
            for i, pattern in enumerate(patterns):
                place = f"{sign}_patterns/pattern_{i}"
                assert (one[place]["sequence"][:] == two[place]["sequence"][:]).all()
                assert pattern.name == f"{sign}_patterns.pattern_{i}"
                assert (pattern.frequencies.T == two[place]["sequence"][:]).all()
                assert pattern.n_seqlets == two[place]["seqlets/n_seqlets"][0]


def test_a_pattern_is_trimmed_by_its_contributions():
    frequencies = np.full((4, 8), 0.25)
    contributions = np.zeros((4, 8))
    contributions[0, 2], contributions[1, 3], contributions[2, 5] = 1.0, -0.1, -0.4
    frequencies[:, 3] = 0  # N in every seqlet
    pattern = Pattern("x", 12, frequencies, contributions)
    assert pattern.core() == slice(2, 6)
    assert pattern.core(0.5) == slice(2, 3)
    motif = pattern.motif()
    assert motif.counts == pytest.approx(np.full((4, 4), 3.0))


def test_too_few_sequences_are_told_so(tmp_path):
    with pytest.raises(DataError, match="no pattern in 40 sequences of 150 bp: it needs more than 100 seqlets"):
        modisco(attributions(n=40), tmp_path / "p.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "arguments", "error", "message"),
    [
        ({"length": 55}, {}, DataError, "55 bp are too short"),
        ({"kind": "contribution"}, {}, ConfigError, "not kind 'contribution'"),
        ({}, {"window": 30}, ConfigError, "window 30"),
        ({}, {"max_seqlets": 0}, ConfigError, "max_seqlets 0"),
    ],
)
def test_what_cannot_be_searched_says_why(given, arguments, error, message):
    with pytest.raises(error, match=message):
        modisco(attributions(n=4, **given), **arguments)


def test_attributions_that_are_all_zero_have_no_motifs():
    nothing = attributions(n=4)
    nothing.values[:] = 0
    with pytest.raises(DataError, match="all contributions of 4 sequences are 0"):
        modisco(nothing)


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.__delitem__("shap"),
        lambda file: file.__delitem__("raw/seq"),
        lambda file: file.move("raw", "other"),
        lambda file: file["shap/seq"].__setitem__((0, 0, 0), np.nan),
        lambda file: file["raw/seq"].__setitem__((0, slice(None), 0), 1),
    ],
)
def test_a_file_of_another_layout_is_refused_in_one_line(tmp_path, capsys, damage):
    write_h5(attributions(n=4), tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as file:
        damage(file)
    assert main(["modisco", str(tmp_path / "a.h5"), "-o", str(tmp_path / "p.h5")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("zoo: error: ")
    assert said.count("\n") == 1
    assert not (tmp_path / "p.h5").exists()


def test_one_name_for_two_files_is_refused(tmp_path, capsys):
    assert main(["modisco", "a.h5", "-o", "x.h5", "--meme", "x.h5"]) == 1
    assert "a name of its own" in capsys.readouterr().err


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    from importlib.util import find_spec

    monkeypatch.setattr("zoo.errors.find_spec", lambda name: find_spec(name) if name == "h5py" else None)
    with pytest.raises(ZooError, match=r"needs modiscolite, .* pip install 'zoo-motifs\[modisco\]'"):
        modisco("a.h5")


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("interpreter", [{"name": "deeplift_shap", "n_references": 10}, {"name": "saliency"}])
def test_ctcf_comes_out_of_a_trained_model_on_held_out_peaks(tmp_path, interpreter):
    """1,133 peaks of a chromosome that the model has not seen: the largest pattern is CTCF's motif."""
    from zoo.attribution.sequences import attribute_codes
    from zoo.data.genome import Genome
    from zoo.data.intervals import read_intervals
    from zoo.data.motifs import get_motif
    from zoo.registry import registry
    from zoo_motifs.databases import jaspar
    from zoo_motifs.tomtom import match

    if interpreter["name"] not in registry().names("interpreter"):
        pytest.skip(f"interpreter {interpreter['name']} is not installed")
    data = Path(os.environ.get("ZOO_DATA", ""))
    if not os.environ.get("ZOO_DATA") or not (data / "ctcf").is_dir():
        pytest.skip("ZOO_DATA names no folder with ctcf")
    genome = Genome(data / "hg19/chrX_first70Mb.fa.gz")
    peaks = read_intervals(data / "ctcf/GM12878_CTCF_chr20_chrX.broadPeak.gz")
    starts = peaks.centers() - 100
    kept = np.flatnonzero((np.array(peaks.chrom) == "chrX") & (starts + 200 <= 70_000_000))
    codes = genome.windows(np.zeros(len(kept), np.int64), starts[kept], 200)
    found = attribute_codes("ctcf-dilated-cnn", codes, output="CTCF:raw", interpreter=interpreter)
    write_h5(found, tmp_path / "a.h5")
    patterns = modisco(tmp_path / "a.h5", tmp_path / "p.h5")
    assert patterns.n == len(kept) > 1_000
    assert patterns.positive[0].n_seqlets > 500
    matches = match(patterns.motifs(), jaspar())
    assert matches.targets[matches.best(0)[0]].name == "CTCF"
    target = [t.id for t in matches.targets].index(get_motif("MA0139").id)
    assert matches.q[0, target] < 1e-10
    assert matches.agreement[0, target] > 0.9
