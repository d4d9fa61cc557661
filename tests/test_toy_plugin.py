"""A third party's plugin, installed from its own folder, fits through the door without a change in the core.

It reads binned signal in place of sequence, segments it, and predicts a map of pairs.
"""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "toy_plugin"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder into which pip installed the plugin."""
    place = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    source = tmp_path_factory.mktemp("source") / "toy"
    source.symlink_to(FOLDER)
    subprocess.run([*pip, "--no-cache-dir", "--target", place, source], check=True, capture_output=True, text=True)
    return place


def run(site, *args, cwd=None):
    env = {**os.environ, "PYTHONPATH": str(site), "OMP_NUM_THREADS": "1", "ZOO_PLUGINS": "zoo-toy"}
    return subprocess.run(
        [sys.executable, *args], env=env, cwd=cwd or site, capture_output=True, text=True, timeout=300
    )


def python(site, code, cwd=None):
    done = run(site, "-c", textwrap.dedent(code), cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_every_promise_of_the_plugin_is_kept(site):
    done = run(site, "-m", "zoo.cli.main", "check", "zoo-toy", "--json")
    assert done.returncode == 0, done.stdout
    checks = json.loads(done.stdout)
    assert len(checks) > 90
    subjects = {c["subject"].split(" ")[0] for c in checks}
    assert subjects == {
        "zoo-toy", "encoder/toy_signal", "encoder/toy_joint", "head/toy_segments", "head/toy_pairs", "data/toy_tracks",
    }  # fmt: skip


def test_signal_alone_trains_a_segmentation_and_a_map_of_pairs(site):
    found = python(
        site,
        """
        import json, numpy as np, torch
        from zoo.interfaces import total
        from zoo.model import build
        from zoo.registry import registry
        from zoo.spec import ModelSpec

        known = registry()
        source = known.build("data", "toy_tracks")
        inject = {"in_channels": 8, "resolution": 10, "bin_size": 10}
        heads = {
            "segments": {"name": "toy_segments", **known.resolve("head", "toy_segments", {}, inject)},
            "contacts": {"name": "toy_pairs", **known.resolve("head", "toy_pairs", {}, inject)},
        }
        encoder = {"name": "toy_signal", **known.resolve("encoder", "toy_signal")}
        torch.manual_seed(0)
        model = build(ModelSpec("toy", encoder, heads, source.input_length))
        classes = list(source.targets["segments"].vocabulary)
        terms = [
            known.build("objective", "cross_entropy", {}, {"head": "segments", "classes": classes}),
            known.build("objective", "squared_error", {}, {"head": "contacts"}),
        ]
        def batch(split):
            examples = source.examples(split)
            return {k: torch.from_numpy(x) for k, x in examples.batch(np.arange(len(examples))).items()}
        train, test = batch("train"), batch("test")
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        losses = []
        for _ in range(80):
            prediction, embedding = model.forward_with_embedding(train)
            parts = {k: v for term in terms for k, v in term(prediction, train, embedding).items()}
            optimizer.zero_grad(); total(parts).backward(); optimizer.step()
            losses.append(float(total(parts).detach()))
        model.eval()
        with torch.no_grad():
            prediction = model(test)
            turned = model(model.flip(test))
        labelled = test["target/segments"] >= 0
        right = (prediction["segments"].argmax(1) == test["target/segments"])[labelled].float().mean()
        neutral = (test["target/segments"] == 1)[labelled].float().mean()
        target = source.targets["segments"]
        print(json.dumps({
            "losses": [losses[0], losses[-1]], "right": float(right), "neutral": float(neutral),
            "weight": int(terms[0].weights(train)["cross_entropy"]),
            "labels": int((train["target/segments"] >= 0).sum()),
            "shapes": {k: list(x.shape) for k, x in prediction.items()},
            "turned": list(turned["contacts"].shape),
            "ids": target.flip(train["target/segments"])[0].tolist() == train["target/segments"][0].flip(0).tolist(),
            "map": bool(torch.equal(source.targets["contacts"].flip(train["target/contacts"]),
                                    train["target/contacts"].flip(2, 3))),
        }))
        """,
    )
    assert found["losses"][1] < 0.5 * found["losses"][0]
    assert found["right"] > found["neutral"] + 0.1
    assert found["weight"] == found["labels"]
    assert found["shapes"] == {"segments": [64, 3, 24], "contacts": [64, 1, 24, 24]}
    assert found["ids"]
    assert found["map"]


def test_an_optional_signal_may_be_missing_and_the_model_is_told(site):
    found = python(
        site,
        """
        import json, torch
        from zoo.model import build
        from zoo.registry import registry
        from zoo.spec import ModelSpec

        known = registry()
        heads = {"o": {"name": "scalar", **known.resolve("head", "scalar", {}, {"in_channels": 8})}}
        encoder = {"name": "toy_joint", **known.resolve("encoder", "toy_joint")}
        model = build(ModelSpec("toy", encoder, heads, 240)).eval()
        codes = torch.randint(4, (2, 240)).to(torch.uint8)
        missing = model.prepare({"codes": codes})
        given = model.prepare({"codes": codes, "signal": torch.zeros(2, 2, 24)})
        some = {"signal": torch.zeros(2, 2, 24), "present/signal": torch.tensor([1.0, 0.0])}
        mixed = model.prepare({"codes": codes, **some})
        with torch.no_grad():
            a, b, c = (model({"codes": codes, **x})["o"][:, 0].tolist() for x in (missing, given, mixed))
        print(json.dumps({"shape": list(missing["signal"].shape), "flags": [x["present/signal"].tolist()
              for x in (missing, given, mixed)], "differs": a[0] != b[0], "mixed": c == [b[0], a[1]]}))
        """,
    )
    assert found["shape"] == [2, 2, 24]
    assert found["flags"] == [[0, 0], [1, 1], [1, 0]]
    assert found["differs"]
    assert found["mixed"]


def test_the_command_line_trains_it_like_any_other(site, tmp_path):
    overrides = [
        "data=toy_tracks",
        "encoder=toy_signal",
        "+head@heads.segments=toy_segments",
        "+head@heads.contacts=toy_pairs",
        "+objective@objectives.segments=cross_entropy",
        "+objective@objectives.contacts=squared_error",
        "trainer.max_epochs=2",
        "name=toy",
    ]
    done = run(site, "-m", "zoo.cli.main", "train", *overrides, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (config,) = tmp_path.glob("runs/toy/*/model/config.json")
    outputs = json.loads(config.read_text())["outputs"]
    assert {head: o["field"]["axes"] for head, o in outputs.items()} == {"segments": "KT", "contacts": "CTT"}
