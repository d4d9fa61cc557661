"""A filter matters by what its ablation does to the output, and the model is afterwards as before."""

import numpy as np
import pytest
import torch

from zoo.data.planted_motifs import background
from zoo.errors import ConfigError
from zoo.fields import Field
from zoo.model import Ensemble, build
from zoo.outputs import Output
from zoo.prediction.predict import predict_codes
from zoo.spec import ModelSpec
from zoo_motifs.filters import filter_motifs
from zoo_motifs.importance import ablate_filters

CODES = background(60, 50, rng=np.random.default_rng(0))


def model(seed=0, encoder="motif_cnn", **arguments):
    torch.manual_seed(seed)
    options = {"filters": 5, "width": 7, "hidden": 0, "dropout": 0.0, **arguments}
    if encoder == "dilated_cnn":
        options = {"channels": 6, "layers": 1, "first_width": 7, **arguments}
    channels = options.get("filters", options.get("channels")) * (
        2 if arguments.get("tied") and "filters" in options else 1
    )
    head = {"name": "scalar", "tasks": ["bound"], "in_channels": channels}
    return build(
        ModelSpec("toy", {"name": encoder, **options}, {"binding": head}, 50, activation={"binding": "sigmoid"})
    ).eval()


def measured(network, text="bound:raw", codes=CODES):
    filters = filter_motifs(network, codes, min_sites=1)
    return ablate_filters(network, codes, Output.parse(text, network.spec), filters), filters


def last_weights(network):
    return network.heads["binding"].output.weight if hasattr(network.heads["binding"], "output") else None


def test_a_filter_that_nothing_reads_has_no_importance():
    network = model()
    (weight,) = (p for name, p in network.heads.named_parameters() if name.endswith("weight"))
    with torch.no_grad():
        weight.view(-1, 5)[:, 2] = 0
        weight.view(-1, 5)[:, 0] = 50
    found, _ = measured(network)
    assert found["filter_2"].change == pytest.approx(0, abs=1e-6)
    assert found["filter_0"].change == max(one.change for one in found.values()) > 1


def test_it_is_the_spread_of_the_change_when_the_filter_says_its_mean():
    network = model()
    found, _ = measured(network)
    conv = network.encoder.convolution
    x = torch.nn.functional.one_hot(torch.from_numpy(CODES).long(), 4).transpose(1, 2).float()
    with torch.no_grad():
        activations = conv(x)
        ablated = activations.clone()
        ablated[:, 3] = activations[:, 3].mean()
        whole, without = (
            network.heads["binding"](torch.relu(a).amax(2, keepdim=True), {})[:, 0] for a in (activations, ablated)
        )
    assert found["filter_3"].change == pytest.approx(float((whole - without).std(correction=0)), rel=1e-4)
    assert found["filter_3"].drop == pytest.approx(float((whole - without).mean()), rel=1e-4)


@pytest.mark.parametrize(
    "options", [{}, {"tied": True}, {"encoder": "dilated_cnn"}, {"encoder": "dilated_cnn", "tied": True}]
)
def test_the_model_is_left_as_it_was(options):
    network = model(**options)
    before = predict_codes(network, CODES, Output.parse("bound", network.spec))
    found, filters = measured(network)
    assert len(found) == len(filters)
    np.testing.assert_array_equal(predict_codes(network, CODES, Output.parse("bound", network.spec)), before)
    assert all("forward" not in vars(m) and not m._forward_hooks for m in network.modules())


def test_strands_that_share_weights_are_ablated_together():
    network = model(tied=True)
    found, _ = measured(network)
    other, _ = measured(network, codes=np.ascontiguousarray(np.array([3, 2, 1, 0], np.uint8)[CODES][:, ::-1]))
    for name in found:
        assert found[name].change == pytest.approx(other[name].change, rel=1e-4)


def test_in_an_ensemble_the_other_members_still_answer():
    one, two = model(0), model(1)
    alone, _ = measured(one)
    together, _ = measured(Ensemble(one.spec, [one, two]))
    assert len(together) == 10
    for name, each in alone.items():
        assert together[f"member_0/{name}"].change == pytest.approx(each.change / 2, rel=1e-3)
    activated, _ = measured(Ensemble(one.spec, [one, two]), "bound")
    assert all(0 <= each.change < 1 for each in activated.values())


def test_a_model_that_reads_more_than_sequence_is_refused():
    network = model()
    filters = filter_motifs(network, CODES, min_sites=1)
    network.spec = network.spec.replace(inputs={**network.spec.inputs, "signal": Field("CT", channels=("atac",))})
    with pytest.raises(ConfigError, match="reads signal too"):
        ablate_filters(network, CODES, Output.parse("bound", network.spec), filters)
