"""`zoo evaluate-contacts` from files to a table, and that maps put together from windows are the maps themselves."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from zoo.cli.main import main
from zoo.hub.model_folder import save_bundle
from zoo.model import build
from zoo.spec import ModelSpec
from zoo_hic.evaluation import predict_stretches
from zoo_hic.windows import SquareWindows, Stretch

BINS, RESOLUTION = 8, 100


class Known:
    """A predictor whose map is a function of the place that the sequence itself names: bin i is written as i."""

    channels, bins, bin_size = ("a",), 16, 4

    def maps(self, codes, *, signal=None, label="", progress=False):
        at = codes.reshape(len(codes), self.bins, self.bin_size)[:, :, 0].astype(float)
        out = at[:, :, None] * at[:, None]
        return out[:, None].astype(np.float32)


@pytest.mark.parametrize(("first", "last"), [(0, 60), (0, 10), (12, 50)])
@pytest.mark.parametrize("overhang", [0, 5])
def test_windows_put_together_are_the_whole(first, last, overhang):
    at = np.arange(60, dtype=np.float32)
    truth = at[:, None] * at[None]
    codes = np.repeat(np.arange(60), 4).astype(np.uint8)

    def reader(start, end):
        here = np.arange(start, end)
        return np.where((here >= 0) & (here < 240), codes[np.clip(here, 0, 239)], 0).astype(np.uint8)

    stretch = Stretch("c", first, last, truth[None], reader)
    found = predict_stretches(Known(), SquareWindows([stretch], 16, 4, step=4, overhang=overhang))
    (name,) = found.predicted["a"]
    square = found.predicted["a"][name]
    known = np.isfinite(square)
    assert known[np.arange(last - first), np.arange(last - first)].all()
    np.testing.assert_allclose(square[known], truth[first:last, first:last][known])
    np.testing.assert_allclose(found.observed["a"][name][known], square[known])
    assert found.offsets[name] == ("c", first)
    assert ("bins" in name) == (last - first < 60)


@pytest.fixture
def trained(tmp_path, write):
    """A model of two maps with random weights, and the configuration of its data."""
    paths = [str(write.cool(f"{name}.cool", weights={"weight": np.ones(35)}, seed=i)[0]) for i, name in enumerate("ab")]
    rng = np.random.default_rng(0)
    fasta = tmp_path / "g.fa"
    with open(fasta, "w") as file:
        for name, size in (("chr1", 1950), ("chr2", 1000), ("chrM", 430)):
            file.write(f">{name}\n{''.join(rng.choice(list('ACGT'), size))}\n")
    encoder = {"name": "contact_cnn", "pools": [10, 10], "channels": 4, "first_channels": 4, "first_width": 5}
    encoder |= {"width": 3, "layers": 1, "dropout": 0.0, "tracks": [], "contexts": [], "tied": False}
    head = {"name": "contacts", "in_channels": 4, "tasks": ["a", "b"], "bin_size": 100, "resolution": 100}
    head |= {"pair_channels": 4, "layers": 1, "steps": 4, "dropout": 0.0, "checkpointing": False}
    torch.manual_seed(0)
    spec = ModelSpec("two", encoder, {"contacts": head}, BINS * RESOLUTION, activation={"contacts": "identity"})
    folder = tmp_path / "model"
    save_bundle(build(spec), folder, {"codes": rng.integers(0, 4, (1, BINS * RESOLUTION)).astype(np.uint8)})
    data = {"name": "contact_maps", "maps": dict(zip("ab", paths, strict=True)), "resolution": RESOLUTION}
    data |= {"windows": {"bins": BINS, "step": 4}, "pairs": {"nearest": 200}}
    data["splits"] = {"validation": ["chr2"], "test": ["chr1"], "exclude": ["chrM"]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"data": data, "genome": {"name": "g", "fasta": str(fasta)}}))
    return SimpleNamespace(folder=folder, config=config, paths=paths, tmp=tmp_path)


def zoo(capsys, *arguments):
    code = main([str(a) for a in arguments])
    seen = capsys.readouterr()
    return code, seen.out, seen.err


def test_the_table_has_distance_ceiling_and_what_does_not_transfer(trained, capsys):
    pairs = trained.tmp / "pairs.bedpe"
    pairs.write_text("1\t200\t300\t1\t700\t800\n1\t400\t500\t1\t900\t1000\nchr2\t0\t100\tchr2\t500\t600\n")
    given = ["--config", trained.config, "--distances", "200-600", "--draws", "20", "--curve"]
    more = ["--ceiling", trained.paths[1], "--pairs", pairs, "-o", trained.tmp / "table.tsv"]
    code, out, err = zoo(capsys, "evaluate-contacts", trained.folder, *given, *more)
    assert code == 0, err
    assert "a, test: chr1" in out
    assert "Pearson log(O/E), 0.2-0.6 kb" in out
    assert "trained on" in out
    assert "observed log(O/E) at the pairs less that at their distances" in out
    rows = [r for r in (trained.tmp / "table.tsv").read_text().splitlines() if not r.startswith("##")]
    columns = rows[0].lstrip("#").split("\t")
    table = [dict(zip(columns, row.split("\t"), strict=True)) for row in rows[1:]]
    first = next(r for r in table if r["name"].startswith("Pearson"))
    assert float(first["baseline"]) == 0
    assert -1 < float(first["ceiling"]) < 1
    of_b = next(r for r in table if r["channel"] == "b" and r["name"].startswith("Pearson"))
    assert float(of_b["ceiling"]) == pytest.approx(1), "b's own map is its ceiling here"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--distances", "600-200"], "two numbers of bp, the lower first"),
        (["--distances", "near"], "two numbers of bp"),
        (["--ceiling", "absent.cool"], "absent.cool"),
        (["--pairs", "absent.bedpe"], "absent.bedpe"),
    ],
)
def test_what_cannot_be_done_is_refused(trained, capsys, given, message):
    code, _, err = zoo(capsys, "evaluate-contacts", trained.folder, "--config", trained.config, *given)
    assert code != 0
    assert message in err


def test_a_model_of_sequences_has_no_map(trained, capsys):
    code, _, err = zoo(capsys, "evaluate-contacts", "ctcf-motif-cnn", "--config", trained.config)
    assert code != 0
    assert "no contact map" in err
