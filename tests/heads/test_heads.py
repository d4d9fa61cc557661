"""Heads pool, bin, crop and name their channels as they declare."""

import pytest
import torch

import zoo
from zoo.data.codes import encode
from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo.heads.profile import ProfileHead
from zoo.heads.scalar import ScalarHead
from zoo.model import build
from zoo.spec import ModelSpec


def test_the_pools_of_a_scalar_head_are_what_they_are_called():
    x = torch.arange(10.0).reshape(1, 2, 5)
    pooled = {pool: ScalarHead(in_channels=2, pool=pool)._pooled(x)[0].tolist() for pool in ("mean", "max", "center")}
    assert pooled == {"mean": [2.0, 7.0], "max": [4.0, 9.0], "center": [2.0, 7.0]}


def test_the_center_of_an_even_number_of_positions_is_the_mean_of_the_middle_two():
    x = torch.arange(8.0).reshape(1, 2, 4)
    assert ScalarHead(in_channels=2, pool="center")._pooled(x)[0].tolist() == [1.5, 5.5]


def test_classes_make_a_head_of_mutually_exclusive_classes():
    assert ScalarHead(in_channels=2, classes=["gain", "loss"]).field.axes == "K"
    assert ProfileHead(in_channels=2, classes=["gain", "loss"]).field.axes == "KT"


def test_an_unknown_pool_is_refused():
    with pytest.raises(ConfigError, match="mean, max, max_mean, attention, center"):
        ScalarHead(in_channels=2, pool="sum")


def test_a_profile_is_the_mean_of_its_bins_cropped_at_both_rims():
    head = ProfileHead(in_channels=1, bin_size=4, crop=1)
    with torch.no_grad():
        head.output.weight.fill_(1)
        head.output.bias.zero_()
    x = torch.arange(16.0).reshape(1, 1, 16)
    assert head(x, {})[0, 0].tolist() == [5.5, 9.5]
    assert head.grid(Grid(100, 1, 16)) == Grid(104, 4, 2)


def test_a_profile_head_refuses_bins_that_do_not_fit_the_embedding():
    with pytest.raises(ConfigError, match=r"head\.bin_size=8"):
        ProfileHead(in_channels=1, bin_size=10, resolution=8)
    with pytest.raises(ContractError, match=r"head\.resolution=2"):
        ProfileHead(in_channels=1).grid(Grid(0, 2, 8))
    with pytest.raises(ConfigError, match="must be odd"):
        ProfileHead(in_channels=1, kernel=4)


def test_stranded_tracks_change_places_with_the_strand():
    field = ProfileHead(in_channels=1, tasks=["plus", "minus"], rc=[1, 0]).field
    x = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    assert field.flip(x)[0].tolist() == [[4.0, 3.0], [2.0, 1.0]]


@pytest.mark.parametrize("tied", [False, True])
def test_effects_of_mutations_on_a_head_with_mean_and_sd_are_those_of_whole_predictions(tied):
    head = {"name": "scalar", "in_channels": 8, "tasks": ["a", "b"], "pool": "max_mean", "hidden": 4}
    head |= {"mean": [1_000.0, -3.0], "sd": [50.0, 0.1]}
    encoder = {"name": "residual_cnn", "filters": 8, "tied": tied}
    torch.manual_seed(0)
    model = build(ModelSpec(name="measured", encoder=encoder, heads={"v": head}, input_length=64)).eval()
    sequence = "ACGTTGCATTGACCAGTACGATTACAGGCATCAGCATTGCACGATCAGTTTACGCATCAGGATC"
    codes = torch.from_numpy(encode(sequence))
    with torch.no_grad():
        before = model({"codes": codes[None]})["v"]
        assert (before - torch.tensor(head["mean"])).abs().le(5 * torch.tensor(head["sd"])).all()
        for task, name in enumerate(head["tasks"]):
            effects = zoo.mutate(model, sequence, output=f"v/{name}")
            for position, base in ((3, 0), (30, 1), (63, 3)):
                changed = codes.clone()
                changed[position] = base
                expected = model({"codes": changed[None]})["v"][0, task] - before[0, task]
                got = torch.as_tensor(effects).reshape(4, 64)[base, position]
                assert abs(float(got - expected)) <= 2e-5 * 50 * head["sd"][task] + 1e-6
    assert "heads.v.mean" not in model.state_dict()


@pytest.mark.parametrize("mean", [[1.0, 2.0], [float("nan")]])
def test_a_mean_that_is_none_is_refused(mean):
    with pytest.raises(ConfigError, match="must be a finite number for each of"):
        ScalarHead(in_channels=2, tasks=["a"], mean=mean)


@pytest.mark.parametrize("units", [{}, {"mean": [5.0, -1.0], "sd": [2.0, 0.5]}, {"mean": [5.0, -1.0]}])
def test_rescaling_is_of_the_prediction_whatever_its_units(units):
    torch.manual_seed(0)
    head = ScalarHead(in_channels=3, tasks=["a", "b"], **units)
    x, scale, shift = torch.randn(4, 3, 5), torch.tensor([0.5, 2.0]), torch.tensor([-1.0, 3.0])
    with torch.no_grad():
        before = head(x, {})
        head.rescale(scale, shift)
        assert torch.allclose(head(x, {}), scale * before + shift, atol=1e-5)


def test_an_initial_bias_is_what_an_untrained_head_predicts_on_an_empty_embedding():
    head = ProfileHead(in_channels=3, tasks=("a", "b"), initial_bias=-7.5)
    assert (head(torch.zeros(2, 3, 5), {}) == -7.5).all()
    assert (ProfileHead(in_channels=3)(torch.zeros(2, 3, 5), {}).abs() < 1).all()
