"""Signal tracks: every window is what plain arrays of one value a base say, whatever file the values came in."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import numpy as np
import pybigtools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.genome import Genome
from zoo.data.signals import SignalStore, Track, bin_kernels
from zoo.data.signals.transforms import TRANSFORMS
from zoo.errors import ConfigError, DataError, GenomeMismatch

CONTIGS = {"chr2": 700, "chr10": 400, "chr1": 1100}
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    fasta = tmp_path_factory.mktemp("genome") / "g.fa"
    fasta.write_text("".join(f">{name}\n{'ACGT' * (n // 4)}\n" for name, n in CONTIGS.items()))
    return Genome(fasta)


def expected(bases: dict[str, np.ndarray], contigs, starts, length, bin_size, mean=True):
    """Bins (N, T) from one value a base, padded with zeros."""
    out = np.zeros((len(starts), length // bin_size))
    for i, (contig, start) in enumerate(zip(contigs, starts, strict=True)):
        padded = np.concatenate([np.zeros(5000), bases[contig], np.zeros(5000)])
        bins = padded[5000 + start : 5000 + start + length].reshape(-1, bin_size)
        out[i] = bins.mean(1) if mean else bins.sum(1)
    return out


def write_text(path: Path, lines: list[str], pack: bool) -> Path:
    text = "".join(line + "\n" for line in lines).encode()
    path.write_bytes(gzip.compress(text) if pack else text)
    return path


intervals = st.lists(
    st.tuples(st.sampled_from(list(CONTIGS)), st.integers(0, 399), st.integers(1, 120)), min_size=1, max_size=30
).map(lambda rows: [(c, a, min(a + n, CONTIGS[c])) for c, a, n in rows])
windows = st.lists(st.tuples(st.sampled_from(list(CONTIGS)), st.integers(-300, 1200)), min_size=1, max_size=12)
layout = st.tuples(st.sampled_from([1, 3, 25, 64]), st.integers(1, 6))


def disjoint(rows):
    """bedGraph rows (contig, start, end, value) without overlap, and one value a base."""
    bases = {c: np.zeros(n, np.float32) for c, n in CONTIGS.items()}
    taken = {c: np.zeros(n, bool) for c, n in CONTIGS.items()}
    kept = []
    for i, (contig, start, end) in enumerate(rows):
        if taken[contig][start:end].any():
            continue
        taken[contig][start:end] = True
        value = float(np.float32((i % 7 - 2) * 0.37))
        bases[contig][start:end] = value
        kept.append((contig, start, end, value))
    return kept, bases


@QUICK
@given(rows=intervals, places=windows, layout=layout, pack=st.booleans(), compiled=st.booleans())
def test_windows_of_a_bedgraph_are_means_of_its_bases(tmp_path_factory, genome, rows, places, layout, pack, compiled):
    folder = tmp_path_factory.mktemp("t")
    kept, bases = disjoint(rows)
    path = write_text(folder / "x.bdg", [f"{c}\t{a}\t{b}\t{v!r}" for c, a, b, v in kept], pack)
    bin_size, n = layout
    store = SignalStore.open([Track("x", path)], genome, bin_size)
    contigs, starts = zip(*places, strict=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(bin_kernels.bin_windows), "of", lambda self, _: self.compiled if compiled else self.python)
        seen = store.windows(np.array(contigs), np.array(starts), bin_size * n)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen[:, 0], expected(bases, contigs, starts, bin_size * n, bin_size), atol=1e-6)


@QUICK
@given(rows=intervals, places=windows, layout=layout, pack=st.booleans())
def test_windows_of_bed_are_coverage_and_those_of_fragments_are_cut_sites(
    tmp_path_factory, genome, rows, places, layout, pack
):
    folder = tmp_path_factory.mktemp("t")
    coverage, cuts = ({c: np.zeros(n) for c, n in CONTIGS.items()} for _ in range(2))
    for contig, start, end in rows:
        coverage[contig][start:end] += 1
        cuts[contig][start] += 1
        cuts[contig][end - 1] += 1
    bed = write_text(folder / "x.bed.gz", [f"{c}\t{a}\t{b}" for c, a, b in rows], pack)
    frag = write_text(folder / "x.frag.gz", ["# a comment", *(f"{c}\t{a}\t{b}\tAAAC\t3" for c, a, b in rows)], pack)
    bin_size, n = layout
    store = SignalStore.open([Track("peaks", bed), Track("cuts", frag)], genome, bin_size)
    contigs, starts = zip(*places, strict=True)
    seen = store.windows(np.array(contigs), np.array(starts), bin_size * n)
    np.testing.assert_allclose(seen[:, 0], expected(coverage, contigs, starts, bin_size * n, bin_size), atol=1e-6)
    np.testing.assert_array_equal(seen[:, 1], expected(cuts, contigs, starts, bin_size * n, bin_size, mean=False))


def write_bigwig(path, rows, contigs=CONTIGS):
    pybigtools.open(str(path), "w").write(dict(contigs), iter(rows))
    return path


def test_a_bigwig_gives_what_the_bedgraph_of_its_values_gives(tmp_path, genome):
    rows = [("chr2", 0, 40, 1.5), ("chr2", 40, 41, 0.25), ("chr10", 399, 400, 8.0), ("chr1", 500, 900, 2.0)]
    bigwig = write_bigwig(tmp_path / "x.bw", rows)
    text = write_text(tmp_path / "x.bedGraph", ["track type=bedGraph", *(f"{c} {a} {b} {v}" for c, a, b, v in rows)], 0)
    store = SignalStore.open([Track("bw", bigwig), Track("text", text)], genome, 8)
    seen = store.windows(["chr2", "chr10", "chr1", "2"], [-3, 380, 888, 0], 64)
    np.testing.assert_array_equal(seen[:, 0], seen[:, 1])
    assert seen[3, 0].tolist() == [1.5] * 5 + [0.25 / 8, 0, 0]
    assert seen[1, 0].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert store.field.to_dict() == {"axes": "CT", "channels": ["bw", "text"], "bin_size": 8, "required": False}


@pytest.mark.parametrize(
    ("name", "function"), [("none", lambda x: x), ("log1p", np.log1p), ("sqrt", np.sqrt), ("clip99", None)]
)
def test_a_transform_is_of_the_bins_and_stands_in_the_field(tmp_path, genome, name, function):
    assert name in TRANSFORMS
    values = np.arange(100) * 1.0
    path = write_text(tmp_path / "x.bdg", [f"chr1\t{10 * i}\t{10 * i + 10}\t{v}" for i, v in enumerate(values)], False)
    store = SignalStore.open([Track("x", path)], genome, 10, name)
    seen = store.windows(["chr1"], [0], 1000)[0, 0]
    if function is None:
        limit = np.percentile(values[1:], 99)
        assert limit < 99
        function = lambda x: np.minimum(x, limit)  # noqa: E731
        assert store.describe()[0]["clipped_at"] == pytest.approx(limit)
    np.testing.assert_allclose(seen, function(values), rtol=1e-6)
    assert store.field.transform == (None if name == "none" else name)


def test_values_that_are_no_number_are_counted_told_once_and_read_as_zero(tmp_path, genome, caplog):
    rows = [("chr2", 0, 10, 1.0), ("chr2", 10, 17, float("nan")), ("chr2", 20, 30, 2.0)]
    path = write_bigwig(tmp_path / "x.bw", rows)
    with caplog.at_level("INFO", "zoo.signals"):
        store = SignalStore.open([Track("x", path)], genome, 10)
    assert store.windows(["chr2"], [0], 30)[0, 0].tolist() == [1, 0, 2]
    assert store.notes == [
        "7 bp of track 'x' have no finite value: they are read as 0",
        "track 'x' holds no value on 2 contigs of the genome (chr10, chr1): it is 0 there",
    ]
    assert caplog.messages == store.notes
    assert store.describe()[0]["not_finite"] == 7


def test_names_of_contigs_are_resolved_and_other_contigs_are_left_out(tmp_path, genome):
    lines = ["1\t0\t10\t1", "chrUn\t0\t5000\t1", "2\t0\t10\t3"]
    store = SignalStore.open([Track("x", write_text(tmp_path / "x.bdg", lines, False))], genome, 10)
    assert store.windows(["chr1", "2", "10"], [0, 0, 0], 10).ravel().tolist() == [1, 3, 0]
    assert "1 contigs that the genome lacks (chrUn)" in store.notes[0]


@pytest.mark.parametrize(
    ("name", "lines", "error", "words"),
    [
        ("x.bdg", ["chr2\t690\t701\t1"], GenomeMismatch, "line 1: end 701 is past the end of chr2, which has 700 bp"),
        (
            "x.bdg",
            ["chr7\t0\t10\t1"],
            GenomeMismatch,
            "has values on chr7 and none on the genome's contigs (chr2",
        ),
        ("x.bdg", ["chr2\t0\t10\t1", "2\t10\t20\t1"], DataError, "calls one contig both 'chr2' and '2'"),
        ("x.bdg", ["chr2\t0\t10\t1", "chr2\t9\t20\t1"], DataError, "has two values for chr2:9"),
        ("x.bdg", ["chr2\t0\t10\tx"], DataError, "line 1: value 'x' is no number"),
        ("x.bdg", ["chr2\t0\t10"], DataError, "line 1 has 3 columns, bedgraph has at least 4"),
        ("x.bed", ["chr2\tone\t10"], DataError, "line 1: 'one' and '10' are no start and end"),
        ("x.bed", ["chr2\t20\t10"], DataError, "line 1: start 20 must be 0 or more and not after end 10"),
        ("x.frag", ["chr2\t20\t20\tAAAC\t1"], DataError, "line 1: a fragment of 0 bp has no cut sites"),
        ("x.values", ["chr2\t20\t20"], ConfigError, "does not say by its name what it is"),
        ("x.bw", ["chr2\t20\t20"], DataError, "cannot be read as bigWig"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, genome, name, lines, error, words):
    path = write_text(tmp_path / name, lines, False)
    with pytest.raises(error) as raised:
        SignalStore.open([Track("x", path)], genome, 10)
    assert words in str(raised.value)
    assert not list((tmp_path / "cache").rglob("*.runs*"))


def test_a_bigwig_of_another_assembly_is_refused(tmp_path, genome):
    path = write_bigwig(tmp_path / "x.bw", [("chr2", 0, 10, 1.0)], {"chr2": 999})
    with pytest.raises(GenomeMismatch, match="another assembly: its contig chr2 has 999 bp, the genome's chr2 has 700"):
        SignalStore.open([Track("x", path)], genome, 10)


def test_a_file_of_coarser_bins_is_refused_and_one_of_finer_bins_is_not(tmp_path, tmp_path_factory):
    fasta = tmp_path / "g.fa"
    fasta.write_text(">c\n" + "A" * 50_003 + "\n")
    genome = Genome(fasta)
    lines = [f"c\t{a}\t{min(a + 100, 50_003)}\t{1 + a % 3}" for a in range(0, 50_003, 100)]
    path = write_text(tmp_path / "x.bdg", lines, False)
    with pytest.raises(DataError, match="has bins of 100 bp but bins of 32 bp are to be read"):
        SignalStore.open([Track("x", path)], genome, 32)
    assert SignalStore.open([Track("x", path)], genome, 100).windows(["c"], [0], 200).shape == (1, 1, 2)


def test_a_transform_that_makes_no_number_of_a_value_is_refused(tmp_path, genome):
    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t-1.5"], False)
    for name in ("log1p", "sqrt"):
        with pytest.raises(DataError, match=f"down to -1.5, of which transform {name} makes no number"):
            SignalStore.open([Track("x", path)], genome, 10, name)
    assert SignalStore.open([Track("x", path)], genome, 10, "clip99").windows(["chr2"], [0], 10)[0, 0, 0] == -1.5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"transform": "log"}, "transform 'log' is unknown: did you mean 'log1p'"),
        ({"bin_size": 0}, "bin size 0 must be a whole number of bp, at least 1"),
        ({"names": ["x", "x"]}, "must each have a name of their own"),
        ({"names": []}, "tracks none must each have a name"),
    ],
)
def test_bad_arguments_are_one_sentence(tmp_path, genome, arguments, words):
    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t1"], False)
    tracks = [Track(name, path) for name in arguments.pop("names", ["x"])]
    with pytest.raises(ConfigError) as raised:
        SignalStore.open(tracks, genome, **arguments)
    assert words in str(raised.value)


def test_a_window_of_no_whole_number_of_bins_is_refused(tmp_path, genome):
    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t1"], False)
    store = SignalStore.open([Track("x", path)], genome, 32)
    with pytest.raises(ConfigError, match="a window of 100 bp is no whole number of bins of 32 bp: use 96 bp"):
        store.windows(["chr2"], [0], 100)


def test_a_store_is_built_once_for_what_a_file_holds_and_again_when_that_changes(tmp_path, genome, monkeypatch):
    from zoo.data.signals import run_store

    calls = []
    real = run_store._build
    monkeypatch.setattr(run_store, "_build", lambda *args: (calls.append(1), real(*args)))
    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t1"], False)
    for bin_size in (1, 5, 10):
        assert SignalStore.open([Track("x", path)], genome, bin_size).windows(["chr2"], [0], 10).max() == 1
    assert len(calls) == 1
    write_text(path, ["chr2\t0\t10\t7"], False)
    assert SignalStore.open([Track("x", path)], genome, 10).windows(["chr2"], [0], 10).max() == 7
    assert len(calls) == 2


def test_a_build_that_is_cut_leaves_nothing_that_is_taken_for_a_store(tmp_path, genome, monkeypatch):
    from zoo.data.signals import run_store

    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t1", "chr1\t0\t10\t1"], False)
    real = run_store.read_runs

    def cut(*args):
        yield next(iter(real(*args)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(run_store, "read_runs", cut)
        with pytest.raises(KeyboardInterrupt):
            SignalStore.open([Track("x", path)], genome, 10)
    assert not list((tmp_path / "cache").rglob("*.runs*"))
    store = SignalStore.open([Track("x", path)], genome, 10)
    assert store.windows(["chr1", "chr2"], [0, 0], 10).ravel().tolist() == [1, 1]


def test_a_store_opens_again_in_another_process(tmp_path, genome):
    path = write_text(tmp_path / "x.bdg", ["chr2\t0\t10\t4"], False)
    store = SignalStore.open([Track("x", path)], genome, 5, "sqrt")
    plain = pickle.dumps(store)
    assert len(plain) < 2000
    assert pickle.loads(plain).windows(["chr2"], [0], 15).ravel().tolist() == [2, 2, 0]
