"""An ensemble answers to everything that a model does, with the mean of its members."""

import numpy as np
import pytest
import torch
from torch import nn

import zoo
from zoo.model import Ensemble, Model, build
from zoo.spec import ModelSpec

LENGTH, MEMBERS = 40, 3


@pytest.fixture(params=["none", "tied", "conjoined"])
def strand(request):
    return request.param


def make(strand="none", members=1):
    torch.manual_seed(1)
    tied = strand == "tied"
    encoder = {"name": "motif_cnn", "filters": 6, "width": 7, "hidden": 0, "tied": tied}
    head = {"name": "scalar", "in_channels": 12 if tied else 6, "tasks": ["CTCF"]}
    spec = ModelSpec(
        "small", encoder, {"binding": head}, LENGTH, activation={"binding": "sigmoid"}, conjoined=strand == "conjoined"
    )
    return build(spec.replace(members=members)).eval()


@pytest.fixture
def ensemble(strand):
    return make(strand, MEMBERS)


@pytest.fixture
def batch():
    return {"codes": torch.randint(0, 5, (4, LENGTH), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))}


def mean(each):
    return {head: torch.stack([e[head] for e in each]).mean(0) for head in each[0]}


# what each public name of a model is of an ensemble of these members, and what it should be
CASES = {
    "encoder": (lambda m, b: m.encoder, lambda e, b: e.members[0].encoder),
    "heads": (lambda m, b: m.heads, lambda e, b: e.members[0].heads),
    "spec": (lambda m, b: m.spec.replace(members=1), lambda e, b: e.members[0].spec),
    "adapters": (lambda m, b: m.adapters, lambda e, b: {}),
    "input_fields": (lambda m, b: m.input_fields, lambda e, b: e.members[0].input_fields),
    "dtype": (lambda m, b: m.dtype, lambda e, b: torch.float32),
    "device": (lambda m, b: m.device, lambda e, b: torch.device("cpu")),
    "prepare": (lambda m, b: m.prepare(b), lambda e, b: e.members[0].prepare(b)),
    "flip": (lambda m, b: m.flip(b), lambda e, b: e.members[0].flip(b)),
    "encode": (
        lambda m, b: m.encode(m.prepare(b)),
        lambda e, b: torch.cat([m.encode(m.prepare(b)) for m in e.members], 1),
    ),
    "decode": (
        lambda m, b: m.decode(m.encode(m.prepare(b)), m.prepare(b)),
        lambda e, b: mean([m.decode(m.encode(m.prepare(b)), m.prepare(b)) for m in e.members]),
    ),
    "forward": (lambda m, b: m(b), lambda e, b: mean([m(b) for m in e.members])),
    "forward_with_embedding": (
        lambda m, b: m.forward_with_embedding(b)[0],
        lambda e, b: mean([m.forward_with_embedding(b)[0] for m in e.members]),
    ),
    "predict": (
        lambda m, b: m.predict(b),
        lambda e, b: {"binding": torch.sigmoid(mean([m(b) for m in e.members])["binding"])},
    ),
}


def test_every_public_name_of_a_model_is_tried():
    model = make()
    public = {name for name in dir(Model) if not name.startswith("_")} - set(dir(nn.Module)) | {"forward"}
    public |= {name for name in [*model._modules, *vars(model)] if not name.startswith("_")} - {"training"}
    assert public == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_an_ensemble_does_what_a_model_does(ensemble, batch, name):
    of_model, expected = CASES[name]
    assert isinstance(ensemble, Model)
    with torch.no_grad():
        same(of_model(ensemble, batch), expected(ensemble, batch))


def same(x, y):
    if isinstance(x, dict) and all(isinstance(v, torch.Tensor) for v in x.values()):
        assert x.keys() == y.keys()
        for key in x:
            torch.testing.assert_close(x[key], y[key])
    elif isinstance(x, torch.Tensor):
        torch.testing.assert_close(x, y)
    else:
        assert x == y


def test_the_members_differ_and_what_is_encoded_decodes_to_the_prediction(batch):
    ensemble = make(members=MEMBERS)
    inputs = ensemble.prepare(batch)
    embedding = ensemble.encode(inputs)
    assert embedding.shape[1] == MEMBERS * ensemble.encoder.out_channels
    torch.testing.assert_close(ensemble.decode(embedding, inputs)["binding"], ensemble(batch)["binding"])
    assert not torch.equal(ensemble.members[0](batch)["binding"], ensemble.members[1](batch)["binding"])


def test_the_weights_are_those_of_the_members_and_no_more(ensemble):
    names = set(ensemble.state_dict())
    assert {name.partition(".")[0] for name in names} == {"members"}
    assert len(names) == MEMBERS * len(ensemble.members[0].state_dict())
    assert type(build(ensemble.spec)) is Ensemble


@pytest.fixture
def genome(tmp_path):
    path = tmp_path / "genome.fa"
    letters = np.random.default_rng(0).choice(list("ACGT"), 200)
    path.write_text(">c\n" + "".join(letters) + "\n")
    return path, letters


def averaged(ensemble, measure):
    """The mean over the members of what is linear in the prediction before the activation."""
    return np.mean([measure(member) for member in ensemble.members], axis=0)


def test_sequences_are_predicted_with_an_ensemble(ensemble):
    letters = ["ACGT" * 10, "GGCCA" * 8]

    def predicted(model):
        return zoo.predict(model, sequences=letters, output="CTCF:raw")["CTCF:raw"].to_numpy()

    np.testing.assert_allclose(predicted(ensemble), averaged(ensemble, predicted), rtol=1e-5)


def test_variants_are_scored_with_an_ensemble(ensemble, genome):
    path, letters = genome
    reference = letters[99]
    variant = f"c:100:{reference}>{'A' if reference != 'A' else 'C'}"

    def scored(model):
        table = zoo.score_variants(model, [variant], fasta=path, output="CTCF:raw")
        assert list(table["status"]) == ["ok"]
        return table.filter(like="CTCF:raw").to_numpy(float)

    np.testing.assert_allclose(scored(ensemble), averaged(ensemble, scored), rtol=1e-3, atol=1e-5)


def test_a_region_is_mutated_with_an_ensemble(ensemble, genome):
    def mutated(model):
        return zoo.mutate(model, "c:95-104", fasta=genome[0], output="CTCF:raw").numpy()

    np.testing.assert_allclose(mutated(ensemble), averaged(ensemble, mutated), rtol=1e-3, atol=1e-5)


def test_a_region_is_attributed_with_an_ensemble(ensemble, genome):
    def attributed(model):
        return zoo.attribute(model, "c:95-104", fasta=genome[0], output="CTCF:raw", interpreter="ism").values

    np.testing.assert_allclose(attributed(ensemble), averaged(ensemble, attributed), rtol=1e-3, atol=1e-5)
