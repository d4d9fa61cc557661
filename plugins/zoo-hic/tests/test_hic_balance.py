"""Whether balance weights multiply or divide is measured where a file does not say, and never guessed silently."""

import cooler
import h5py
import numpy as np
import pandas as pd
import pytest

from zoo.cli.main import main
from zoo.errors import DataError
from zoo_hic.readers import read_map

BINS, WIDTH = 192, 100


def make_map(path, columns, attributes=None, resolution=WIDTH, seed=1):
    """A .cool of one contig whose bins are seen with a bias, and weights 1 / bias in `columns` of bins."""
    bias = np.exp(np.random.default_rng(0).normal(0, 0.5, BINS))
    apart = np.abs(np.subtract.outer(np.arange(BINS), np.arange(BINS)))
    raw = np.random.default_rng(seed).poisson(60 / (1 + apart) * np.outer(bias, bias))
    i, j = np.triu_indices(BINS)
    kept = raw[i, j] > 0
    pixels = pd.DataFrame({"bin1_id": i[kept], "bin2_id": j[kept], "count": raw[i, j][kept]})
    starts = np.arange(BINS) * resolution
    bins = pd.DataFrame({"chrom": "chr1", "start": starts, "end": starts + resolution})
    cooler.create_cooler(str(path), bins, pixels, ordered=True)
    with h5py.File(path.partition("::")[0] if isinstance(path, str) else path, "r+") as file:
        for name, make in columns.items():
            column = file["bins"].create_dataset(name, data=make(1 / bias))
            for key, value in (attributes or {}).items():
                column.attrs[key] = value
    return path, np.triu(raw) + np.triu(raw, 1).T, bias


def multiply(w):
    return w


def divide(w):
    return 1 / w


@pytest.mark.parametrize("name", ["weight", "KR", "ICE", "VC_SQRT", "mine"])
@pytest.mark.parametrize("kind", [multiply, divide])
def test_the_direction_of_weights_is_measured_and_said_with_its_figure(tmp_path, name, kind):
    path, raw, bias = make_map(tmp_path / "map.cool", {name: kind})
    contacts = read_map(path, balance=name)
    np.testing.assert_allclose(contacts.square("chr1"), raw / np.outer(bias, bias), rtol=1e-5)
    (note,) = contacts.notes
    assert f"the weights {name} of map.cool {kind.__name__}, which makes the map even: row sums vary by 0." in note


@pytest.mark.parametrize("said", [True, np.bool_(True), 1, "True", np.array([True])])
def test_what_the_attribute_says_is_taken(tmp_path, said):
    path, raw, bias = make_map(tmp_path / "map.cool", {"weight": divide}, {"divisive_weights": said})
    contacts = read_map(path)
    np.testing.assert_allclose(contacts.square("chr1"), raw / np.outer(bias, bias), rtol=1e-5)
    assert contacts.notes == ()
    path, raw, bias = make_map(tmp_path / "kr.cool", {"KR": multiply}, {"divisive_weights": np.bool_(False)})
    np.testing.assert_allclose(read_map(path, balance="KR").square("chr1"), raw / np.outer(bias, bias), rtol=1e-5)


def test_weights_that_make_the_map_no_more_even_go_by_their_name_or_are_refused(tmp_path):
    other = np.exp(np.random.default_rng(5).normal(0, 0.5, BINS))
    path, raw, _ = make_map(tmp_path / "map.cool", {n: lambda w: other for n in ("weight", "KR", "mine")})
    for name, w in (("weight", other), ("KR", 1 / other)):
        contacts = read_map(path, balance=name)
        np.testing.assert_allclose(contacts.square("chr1"), raw * np.outer(w, w), rtol=1e-5)
        assert "as is usual: row sums vary by" in contacts.notes[0]
    with pytest.raises(DataError, match=r"multiply or divide is not known \(row sums vary by .*divisive_weights of"):
        read_map(path, balance="mine")


def test_masked_bins_stay_masked_whatever_the_weights_hold_there(tmp_path):
    for bad in (-0.3, 0.0, np.inf, np.nan):
        path, _, _ = make_map(tmp_path / "map.cool", {"weight": lambda w: np.where(np.arange(BINS) == 50, bad, w)})  # noqa: B023
        square = read_map(path).square("chr1")
        assert np.isnan(square[50]).all()
        assert np.isfinite(np.delete(np.delete(square, 50, 0), 50, 1)).all()


def test_other_weights_are_taken_only_when_asked_for_and_never_another_column(tmp_path):
    path, *_ = make_map(tmp_path / "map.cool", {"GC": multiply, "VC": divide, "KR": divide})
    with pytest.raises(DataError, match="no weights 'weight', it has GC, KR, VC: choose balance=KR,"):
        read_map(path)
    contacts = read_map(path, any_balance=True)
    assert contacts.origin["balance"] == "KR"
    assert contacts.notes[0] == "map.cool has no weights 'weight': KR of GC, KR, VC is taken"
    path, _, _ = make_map(tmp_path / "gc.cool", {"GC": multiply})
    with pytest.raises(DataError, match="no weights 'weight'"):
        read_map(path, any_balance=True)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """genome.fa and maps of it as .cool and .mcool: weights that multiply or divide, under the names that tools use."""
    from zoo.data.codes import decode
    from zoo_hic.simulation.contact_maps import simulate_contig
    from zoo_hic.simulation.settings import MapSettings

    folder = tmp_path_factory.mktemp("observed")
    contig = simulate_contig(np.random.default_rng(7), BINS, MapSettings(resolution=1024))
    (folder / "genome.fa").write_text(">chr1\n" + decode(contig.codes) + "\n")
    base = np.nan_to_num(contig.observed.astype(float))
    bias = np.exp(np.random.default_rng(0).normal(0, 0.5, BINS))
    raw = np.random.default_rng(1).poisson(base / base.mean() * 1000 * np.outer(bias, bias))
    i, j = np.triu_indices(BINS)
    kept = raw[i, j] > 0
    pixels = pd.DataFrame({"bin1_id": i[kept], "bin2_id": j[kept], "count": raw[i, j][kept]})
    bins = pd.DataFrame({"chrom": "chr1", "start": np.arange(BINS) * 1024, "end": np.arange(1, BINS + 1) * 1024})
    w = 1 / bias / np.sqrt(1000)
    maps = {
        "w_mult.cool": {"weight": w},
        "kr_div.cool": {"KR": 1 / w},
        "kr_mult.cool": {"KR": w},
        "weight_div.cool": {"weight": 1 / w},
        "kr_and_vc.cool": {"VC": 1 / np.sqrt(w), "KR": 1 / w},
        "raw.cool": {},
    }
    for name, columns in maps.items():
        cooler.create_cooler(str(folder / name), bins.assign(**columns), pixels, ordered=True)
    cooler.create_cooler(str(folder / "m.mcool::/resolutions/1024"), bins.assign(KR=1 / w), pixels, ordered=True)
    coarse = bins.assign(start=np.arange(BINS) * 2048, end=np.arange(1, BINS + 1) * 2048)
    cooler.create_cooler(str(folder / "m.mcool::/resolutions/2048"), coarse, pixels, ordered=True, mode="a")
    return folder


simulated_figures = {}


def predict(simulated, capsys, *more):
    capsys.readouterr()
    where = ("predict-contacts", "chr1:33,000-160,000", "--model", "hic-simulated", "--device", "cpu")
    code = main([*where, "--fasta", str(simulated / "genome.fa"), *map(str, more)])
    out, err = capsys.readouterr()
    return code, dict(line.split("\t") for line in out.splitlines()), err


@pytest.mark.parametrize(
    ("name", "more", "note"),
    [
        ("kr_and_vc.cool", (), "has no weights 'weight': KR of KR, VC is taken"),
        ("kr_mult.cool", (), "the weights KR of kr_mult.cool multiply, which makes the map even"),
        ("weight_div.cool", (), "the weights weight of weight_div.cool divide, which makes the map even"),
        ("w_mult.cool", (), "the weights weight of w_mult.cool multiply, which makes the map even"),
        ("m.mcool::/resolutions/1024", ("--balance", "KR"), "the weights KR of m.mcool divide"),
    ],
)
def test_an_observed_map_has_one_correlation_whatever_its_weights_are_called(simulated, capsys, name, more, note):
    code, figures, err = predict(simulated, capsys, "--observed", simulated / name, *more)
    assert code == 0, err
    assert note in err
    right = figures["pearson of log(O/E)"]
    assert float(right) > 0.8
    assert simulated_figures.setdefault("pearson", right) == right


def test_raw_counts_are_read_when_asked_for_and_the_advice_can_be_followed(simulated, capsys):
    raw = ("--observed", simulated / "raw.cool")
    code, _, err = predict(simulated, capsys, *raw)
    assert code == 1
    assert "--balance none" in err
    code, figures, _ = predict(simulated, capsys, *raw, "--balance", "none")
    assert code == 0
    assert float(figures["pearson of log(O/E)"]) > 0.2
    code, _, err = predict(simulated, capsys, "--observed", simulated / "kr_div.cool", "--balance", "ICE")
    assert code == 1
    assert "no weights 'ICE', it has KR: choose balance=KR, or balance=none" in err
    code, _, err = predict(simulated, capsys, "--balance", "KR")
    assert code == 1
    assert "name it with --observed" in err
