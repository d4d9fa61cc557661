"""Epistasis is found where it was planted and nowhere else."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo
from zoo.cli.main import main
from zoo.data.codes import decode, encode
from zoo.data.genome import Genome
from zoo.effects.variants.epistasis import epistasis
from zoo.effects.variants.job import score_variants
from zoo.errors import ConfigError
from zoo.fields import Field, Grid
from zoo.files.tables import read_table
from zoo.interfaces import Encoder, Head
from zoo.model import Model
from zoo.spec import ModelSpec

LENGTH = 80


class Planted(Encoder):
    """T at 32 and T at 48 count 1 each, and 3 more together; every other T counts 2.

    A pair 16 bp apart has these places in the window around its middle.
    """

    pools, out_channels, receptive_field = True, 1, None

    def __init__(self):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def grid(self, length: int) -> Grid:
        return Grid(0, length, 1)

    def forward(self, inputs: Mapping[str, Tensor]) -> Tensor:
        t = inputs["one_hot"][:, 3]
        a, b = t[:, 32], t[:, 48]
        c = t.sum(1) - a - b
        return ((a + b + 3 * a * b + 2 * c) * self.scale).view(-1, 1, 1)


class Alone(Head):
    field = Field("C", channels=("y",))

    def forward(self, embedding: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        return embedding.squeeze(2)


def planted():
    spec = ModelSpec("planted", {"name": "p"}, {"y": {"name": "p"}}, LENGTH)
    return Model(spec, Planted(), {"y": Alone()}).eval()


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    codes = np.random.default_rng(0).integers(0, 3, 400).astype(np.uint8)  # no T but those of the variants
    path = tmp_path_factory.mktemp("epistasis") / "g.fa"
    path.write_text(f">chr1\n{decode(codes)}\n")
    return planted(), Genome(path), decode(codes)


def at(letters, *positions):
    return [f"chr1:{p + 1}:{letters[p]}>T" for p in positions]


def test_a_planted_pair_is_epistatic_and_others_are_additive(case):
    from zoo.effects.variants.epistasis import COLUMNS

    model, genome, letters = case
    frame = epistasis(model, at(letters, 100, 116, 122), fasta=genome, shuffles=50)
    assert frame["status"].tolist() == ["ok"] * 3
    pair = frame.iloc[0]
    assert [pair["effect_a"], pair["effect_b"], pair["joint"], pair["epistasis"]] == pytest.approx(
        [1, 1, 5, 3], abs=1e-5
    )
    assert pair["p_value"] == 1.0  # in every background the same two T make the same term
    assert frame["epistasis"].iloc[1:].tolist() == pytest.approx([0, 0], abs=1e-5)
    assert frame["null_n"].tolist() == [50] * 3
    assert tuple(frame.columns) == COLUMNS


def test_what_cannot_be_measured_says_why(case):
    model, genome, letters = case
    near = [f"chr1:101:{letters[100:103]}>{letters[100]}", *at(letters, 101)]
    rim = at(letters, 10, 20)
    frame = epistasis(model, [*near, *rim], fasta=genome, shuffles=0)
    assert set(frame["status"]) == {"overlap", "out_of_bounds"}
    with pytest.raises(ConfigError, match="max_distance 80 must be at least 1 and below the model's 80 bp"):
        epistasis(model, near, fasta=genome, max_distance=LENGTH)
    with pytest.raises(ConfigError, match="more than 2: narrow"):
        epistasis(model, at(letters, 100, 101, 102, 103), fasta=genome, max_pairs=2)


def test_indels_and_substitutions_join(case):
    """Against the sequences written out by hand."""
    genome, letters = case[1:]
    ctcf = zoo.load("ctcf-motif-cnn")
    variants = [f"chr1:181:{letters[180]}>{letters[180]}TT", *at(letters, 230)]
    row = epistasis(ctcf, variants, fasta=genome, output="CTCF:raw", shuffles=0, anchor="left").iloc[0]
    averaged = epistasis(ctcf, variants, fasta=genome, output="CTCF:raw", shuffles=0).iloc[0]
    place = int(row["pos_a"]) - 1
    start = (place + 230) // 2 - 100
    both = letters[: place + 1] + row["alt_a"][1:] + letters[place + 1 : 230] + "T" + letters[231:]
    one = letters[: place + 1] + row["alt_a"][1:] + letters[place + 1 :]
    other = letters[:230] + "T" + letters[231:]
    texts = [x[start : start + 200] for x in (letters, one, other, both)]
    texts += [x[start + 2 : start + 202] for x in (one, both)]
    codes = torch.from_numpy(np.stack([encode(x) for x in texts]))
    with torch.no_grad():
        f = ctcf({"codes": codes})["binding"][:, 0]
    assert row["joint"] == pytest.approx(float(f[3] - f[0]), abs=1e-5)
    assert row["epistasis"] == pytest.approx(float(f[3] - f[1] - f[2] + f[0]), abs=2e-5)
    assert averaged["effect_a"] == pytest.approx(float((f[1] + f[4]) / 2 - f[0]), abs=1e-5)
    assert averaged["joint"] == pytest.approx(float((f[3] + f[5]) / 2 - f[0]), abs=1e-5)


@pytest.mark.parametrize("anchor", ["both", "left", "right"])
def test_single_effects_are_those_of_zoo_score_in_the_same_window(case, anchor):
    """For every kind of variant, with a model that tells positions apart."""
    model, genome, letters = case
    rng, variants = np.random.default_rng(4), []
    for place in range(120, 280, 8):
        size = int(rng.integers(1, 5))
        ref = letters[place : place + int(rng.choice([1, size + 1]))]
        alt = ref[0] + "".join(rng.choice(list("ACGT"), size)) if rng.random() < 0.5 else ref[0]
        if len(ref) == len(alt) or rng.random() < 0.3:
            alt = "T" * len(ref)
        variants.append(f"chr1:{place + 1}:{ref}>{alt}")
    pairs = epistasis(model, variants, fasta=genome, shuffles=0, anchor=anchor)
    pairs = pairs[pairs["status"] == "ok"]
    assert len(pairs) > 50
    for _, pair in pairs.iloc[::6].iterrows():
        for x in "ab":
            spelled = f"chr1:{pair[f'pos_{x}']}:{pair[f'ref_{x}']}>{pair[f'alt_{x}']}"
            moved = (pair["pos_a"] + pair["pos_b"] - 2) // 2 - (pair[f"pos_{x}"] - 1)
            plain = score_variants(model, [spelled], fasta=genome, anchor=anchor, shifts=(int(moved),))
            assert pair[f"effect_{x}"] == pytest.approx(plain["y"].iloc[0], abs=1e-5)


def test_the_command_writes_a_table(case, tmp_path, capsys):
    genome, letters = case[1:]
    args = ["--model", "ctcf-motif-cnn", "--output", "CTCF:raw", "--fasta", str(genome.files[0]), "--shuffles", "5"]
    assert main(["epistasis", *at(letters, 190, 200, 210), *args, "-o", str(tmp_path / "e.tsv")]) == 0
    comments, rows = read_table(tmp_path / "e.tsv")
    assert len(rows) == 3
    assert comments["anchor"] == "both, for insertions and deletions"
    assert comments["null"] == "5 dinucleotide shuffles of each window, seed 0"
    for row in rows:
        total = float(row["joint"]) - float(row["effect_a"]) - float(row["effect_b"])
        assert float(row["epistasis"]) == pytest.approx(total, abs=1e-6)
        assert 0 < float(row["p_value"]) <= 1
    assert "3 pairs, 3 ok" in capsys.readouterr().err
    assert main(["epistasis", *at(letters, 190), *args]) == 1
