"""Filters are turned into what they answer to: planted motifs come back, on both strands, with honest counts."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from zoo.data.codes import reverse_complement
from zoo.data.motifs import get_motif
from zoo.data.planted_motifs import background, simulate
from zoo.errors import ConfigError, DataError
from zoo.fields import Field, Grid
from zoo.interfaces import Encoder
from zoo.layers.one_hot import one_hot
from zoo.model import Ensemble, Model, build
from zoo.spec import ModelSpec
from zoo_motifs.filters import filter_motifs, first_convolution, members

HEAD = {"name": "scalar", "tasks": ["bound"]}


def motif_cnn(length=100, **arguments):
    torch.manual_seed(0)
    options = {"filters": 4, "width": 19, "hidden": 0, "dropout": 0.0, **arguments}
    channels = options["filters"] * (2 if options.get("tied") else 1)
    spec = ModelSpec(
        "toy",
        {"name": "motif_cnn", **options},
        {"binding": {**HEAD, "in_channels": options["hidden"] or channels}},
        length,
    )
    return build(spec)


class Toy(Encoder):
    """Any layers in front of a mean over positions."""

    receptive_field = None
    pools = True

    def __init__(self, *layers, inputs=None):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.out_channels = 3
        if inputs:
            self.inputs = inputs

    def grid(self, length):
        return Grid(0, length, 1)

    def forward(self, inputs):
        return self.layers(inputs["one_hot"]).mean(2, keepdim=True)


def toy(*layers, inputs=None, length=40, encoder=None):
    from zoo.heads.scalar import ScalarHead

    torch.manual_seed(1)
    spec = ModelSpec("toy", {"name": "toy"}, {"binding": HEAD}, length)
    encoder = encoder or Toy(*layers, inputs=inputs)
    return Model(spec, encoder, {"binding": ScalarHead(in_channels=3, tasks=["bound"])}).eval()


def slowly(weight, bias, codes, threshold):
    """The definition, window by window: (counts, n sites, maximum, share of sequences) of one filter."""
    width = weight.shape[1]
    answers = []
    for row, sequence in enumerate(codes):
        for start in range(len(sequence) - width + 1):
            site = sequence[start : start + width]
            if (site == 4).any():
                continue
            other = reverse_complement(site)
            here, there = (sum(weight[b, k] for k, b in enumerate(s)) + bias for s in (site, other))
            answers.append((max(here, there), row, other if there > here else site))
    maximum = max((a for a, *_ in answers), default=-np.inf)
    counts, rows = np.zeros((4, width)), set()
    for answer, row, site in answers:
        if maximum > 0 and answer >= threshold * maximum * (1 - 1e-6):
            counts[site, np.arange(width)] += 1
            rows.add(row)
    return counts, int(counts[:, 0].sum()), maximum, len(rows) / len(codes)


@pytest.mark.parametrize("tied", [False, True])
def test_a_planted_motif_comes_back_from_the_filter_that_reads_it(tied):
    ctcf = get_motif("MA0139.1")
    codes = simulate([ctcf], 300, length=100, seed=1).codes
    model = motif_cnn(motifs=["MA0139.1"], tied=tied)
    found = filter_motifs(model, codes)
    assert [f.name for f in found] == ["filter_0", "filter_1", "filter_2", "filter_3"], "each filter once, tied or not"
    first = found[0]
    assert not first.silent
    assert 30 < first.n_sites < 100
    assert 0.1 < first.sequences < 0.3
    assert first.pfm.sum(0).tolist() == [first.n_sites] * 19
    p, truth = first.motif().probabilities(0), ctcf.probabilities(0)
    assert np.corrcoef(p.ravel(), truth.ravel())[0, 1] > 0.97
    assert first.motif().consensus[5:15] == ctcf.consensus[5:15]


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]),
    st.booleans(),
)
def test_counts_are_those_of_the_definition(seed, width, threshold, with_n):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 5 if with_n else 4, (6, 17)).astype(np.uint8)
    conv = nn.Conv1d(4, 3, width)
    model = toy(conv, length=17)
    with torch.no_grad():
        conv.weight.copy_(torch.from_numpy(rng.normal(size=(3, 4, width))))
        conv.bias.copy_(torch.from_numpy(rng.normal(size=3)))
    for i, found in enumerate(filter_motifs(model, codes, threshold=threshold, min_sites=1)):
        weight, bias = conv.weight[i].double().detach().numpy(), float(conv.bias[i].detach())
        counts, n, maximum, share = slowly(weight, bias, codes, threshold)
        if threshold == 1.0:
            assert found.n_sites >= (maximum > 0), "a tie is decided by rounding"
            continue
        assert found.n_sites == n
        assert found.sequences == pytest.approx(share)
        if np.isfinite(maximum):
            assert found.maximum == pytest.approx(maximum, abs=1e-5)
        if n:
            # A site that reads alike on both strands may be counted on either.
            assert found.pfm.sum() == counts.sum()
            np.testing.assert_array_equal(found.pfm, counts)
        else:
            assert found.silent


def test_batches_do_not_matter(monkeypatch):
    codes = background(50, 60, rng=np.random.default_rng(0))
    model = motif_cnn(length=60)
    whole = filter_motifs(model, codes)
    monkeypatch.setattr("zoo_motifs.filters._BATCH_BYTES", 1)
    for one, other in zip(whole, filter_motifs(model, codes), strict=True):
        assert (one.n_sites, one.silent) == (other.n_sites, other.silent)
        np.testing.assert_array_equal(one.pfm, other.pfm)


def test_reversing_the_sequences_changes_nothing():
    codes = background(80, 50, rng=np.random.default_rng(3))
    model = motif_cnn(length=50)
    for one, other in zip(filter_motifs(model, codes), filter_motifs(model, reverse_complement(codes)), strict=True):
        assert one.n_sites == other.n_sites
        np.testing.assert_array_equal(one.pfm, other.pfm)


def test_filters_with_little_or_nothing_are_silent_and_not_invented():
    codes = background(20, 50, rng=np.random.default_rng(0))
    conv = nn.Conv1d(4, 3, 8)
    model = toy(conv, length=50)
    with torch.no_grad():
        conv.bias[0] = -100.0
        conv.weight[1] = 0.0
        conv.bias[1] = 0.0
    dead, zero, alive = filter_motifs(model, codes, min_sites=1)
    assert dead.silent
    assert dead.n_sites == 0
    assert dead.maximum < 0
    assert zero.silent, "an answer of 0 is none"
    assert not alive.silent
    with pytest.raises(DataError, match="filter_0 has 0 sites"):
        dead.motif()
    assert all(f.silent for f in filter_motifs(model, codes, min_sites=10**6))


def test_windows_with_n_are_no_sites():
    codes = np.full((30, 40), 4, np.uint8)
    codes[:, 10:18] = [0, 1, 2, 3, 0, 1, 2, 3]
    conv = nn.Conv1d(4, 3, 8, bias=False)
    model = toy(conv)
    with torch.no_grad():
        conv.weight.copy_(one_hot(torch.from_numpy(codes[:1, 10:18])).expand(3, 4, 8))
    for found in filter_motifs(model, codes):
        assert found.n_sites == 30
        assert found.sequences == 1.0
        assert found.motif().consensus == "ACGTACGT"
    assert all(f.silent for f in filter_motifs(model, np.full((3, 40), 4, np.uint8)))


def test_an_ensemble_names_its_members():
    one, two = motif_cnn(motifs=["MA0139.1"]), motif_cnn(motifs=["MA0080.5"], width=20)
    model = Ensemble(one.spec, [one, two])
    assert members(model) == [one, two]
    found = filter_motifs(model, simulate([get_motif("MA0139.1"), get_motif("MA0080.5")], 200, length=100).codes)
    assert [f.name for f in found][::4] == ["member_0/filter_0", "member_1/filter_0"]
    assert found[4].pfm.shape == (4, 20)


def test_a_normalisation_behind_the_convolution_is_taken_into_account():
    conv, norm = nn.Conv1d(4, 3, 6), nn.BatchNorm1d(3)
    plain = toy(conv, nn.ReLU())
    codes = background(100, 40, rng=np.random.default_rng(0))
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor([0.1, -0.2, 0.3]))
        norm.running_var.copy_(torch.tensor([0.5, 2.0, 1.0]))
        norm.weight.copy_(torch.tensor([1.0, 2.0, -1.0]))
        norm.bias.copy_(torch.tensor([0.2, -0.1, 0.4]))
        normalised = toy(conv, norm, nn.ReLU())
        x = normalised.encoder.layers[1](normalised.encoder.layers[0](one_hot(torch.from_numpy(codes)))).amax((0, 2))
    found = filter_motifs(normalised, codes)
    assert first_convolution(normalised).normalisation is norm
    other = np.ascontiguousarray(reverse_complement(codes))
    with torch.no_grad():
        y = normalised.encoder.layers[1](normalised.encoder.layers[0](one_hot(torch.from_numpy(other)))).amax((0, 2))
    np.testing.assert_allclose([f.maximum for f in found], torch.maximum(x, y).numpy(), rtol=1e-5)
    assert found[2].motif().consensus != filter_motifs(plain, codes)[2].motif().consensus, "a negative scale turns it"


def test_a_dilated_filter_keeps_the_bases_in_its_gaps():
    codes = background(300, 40, rng=np.random.default_rng(0))
    conv = nn.Conv1d(4, 3, 3, dilation=2, bias=False)
    model = toy(conv)
    with torch.no_grad():
        conv.weight.copy_(torch.eye(4)[[0, 2, 3]].T.expand(3, 4, 3))
    motif = filter_motifs(model, codes, threshold=0.9)[0].motif()
    assert len(motif) == 5
    assert motif.consensus[::2] == "AGT"
    assert (motif.information[1::2] < 0.1).all()


def test_the_first_convolution_is_the_one_that_is_given_the_sequence():
    padded = toy(nn.ConstantPad1d(5, 0.0), nn.Conv1d(4, 3, 6))
    assert first_convolution(padded).convolution is padded.encoder.layers[1]
    assert first_convolution(motif_cnn(tied=True)).tied
    second = toy(nn.Conv1d(4, 4, 1), nn.ReLU(), nn.Conv1d(4, 3, 6))
    assert first_convolution(second).convolution is second.encoder.layers[0]


class Tracks(Toy):
    """Reads four tracks beside the sequence by a convolution, and the sequence by none."""

    inputs: dict = {  # noqa: RUF012
        "one_hot": Field("CT", channels=("A", "C", "G", "T"), values="one_hot"),
        "tracks": Field("CT", channels=("a", "b", "c", "d")),
    }

    def forward(self, inputs):
        signal = self.layers(inputs["tracks"]).mean(2, keepdim=True)
        return signal + inputs["one_hot"][:, :3].mean(2, keepdim=True)


def test_a_convolution_of_four_tracks_is_no_reader_of_sequence():
    model = toy(encoder=Tracks(nn.Conv1d(4, 3, 5)))
    assert first_convolution(model) is None
    with pytest.raises(ConfigError, match="no convolution that reads the one-hot"):
        filter_motifs(model, np.zeros((2, 40), np.uint8))


def test_arguments_that_make_no_sense_are_refused():
    model = motif_cnn()
    with pytest.raises(ConfigError, match="threshold 0"):
        filter_motifs(model, np.zeros((2, 100), np.uint8), threshold=0)
    with pytest.raises(DataError, match="10 bp are shorter than filters of 19 bp"):
        filter_motifs(model, np.zeros((2, 10), np.uint8))


def test_ends_without_information_are_cut():
    codes = simulate([get_motif("MA0035.5")], 400, length=60, decoys="none", seed=2).codes
    found = filter_motifs(motif_cnn(length=60, motifs=["MA0035.5"], filters=1), codes, threshold=0.9)[0]
    assert len(found.motif()) == 19
    trimmed = found.motif(trim=0.5)
    assert 5 <= len(trimmed) <= 9
    assert trimmed.information[[0, -1]].min() >= 0.5
    assert len(found.motif(trim=2.0)) == 19, "where no column is left, all are kept"
