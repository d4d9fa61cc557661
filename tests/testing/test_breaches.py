"""Every planted breach fails the check that is made for it, and no other."""

import copy

import pytest
import torch
from torch import nn

from zoo.fields import ONE_HOT, Field, Grid
from zoo.interfaces import Attribution, Encoder, Head, Interpreter, Objective
from zoo.interpreters.ism import ISM
from zoo.objectives.target_range import TargetRange
from zoo.testing import check_encoder, check_head, check_interpreter, check_objective, failures


class Honest(Encoder):
    """A convolution of 11 bp at base resolution that keeps every promise."""

    out_channels = 6
    receptive_field = 11

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 11, padding=5)

    def grid(self, length):
        return Grid(0, 1, length)

    def forward(self, inputs):
        return torch.relu(self.conv(inputs["one_hot"]))


class Binned(Honest):
    """11 bp and a pool of 4: a position sees 14 bp."""

    receptive_field = 14

    def grid(self, length):
        return Grid(0, 1, length).pool(4)

    def forward(self, inputs):
        return nn.functional.max_pool1d(super().forward(inputs), 4)


class Cropped(Honest):
    """Without padding the first position lies 5 bp inside."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 11)

    def grid(self, length):
        return Grid(5, 1, length - 10)


class Whole(Honest):
    """Positions that all see the whole window."""

    receptive_field = None

    def forward(self, inputs):
        x = super().forward(inputs)
        return x + 0.1 * x.mean(2, keepdim=True)


class SmallerField(Honest):
    receptive_field = 9


class LargerField(Honest):
    receptive_field = 13


class WholeField(Honest):
    receptive_field = None


class NarrowBinned(Binned):
    receptive_field = 11


class SeesTheBatch(Honest):
    def forward(self, inputs):
        x = super().forward(inputs)
        return x - x.mean(0)


class Draws(Honest):
    def forward(self, inputs):
        return nn.functional.dropout(super().forward(inputs), 0.2, training=True)


class WritesOnItsInput(Honest):
    def forward(self, inputs):
        inputs["one_hot"].mul_(0.5)
        return super().forward(inputs)


class WrongOffset(Cropped):
    def grid(self, length):
        return Grid(0, 1, length - 10)


class OffByOneBinned(Binned):
    def grid(self, length):
        grid = super().grid(length)
        return Grid(grid.offset + 4, grid.bin_size, grid.length)


class WrongBinSize(Binned):
    def grid(self, length):
        return Grid(0, 2, super().grid(length).length)


class WrongLength(Honest):
    def grid(self, length):
        return Grid(0, 1, length - 1)


class WrongOffsetOfTheWhole(Whole):
    def grid(self, length):
        return Grid(20, 1, length)


class FalseStrand(Honest):
    strand = "equivariant"


class TiedOnlyAtTheStart(Honest):
    """Twins that start equal and are free to drift apart."""

    strand = "equivariant"

    def __init__(self):
        super().__init__()
        with torch.no_grad():
            self.conv.weight[3:] = self.conv.weight[:3].flip(0, 1, 2)
            self.conv.bias[3:] = self.conv.bias[:3].flip(0)


class CutGradient(Honest):
    def forward(self, inputs):
        return super().forward({"one_hot": inputs["one_hot"].detach()})


class FixedType(Honest):
    def forward(self, inputs):
        return super().forward(inputs).float()


class NotFinite(Honest):
    def forward(self, inputs):
        x = inputs["one_hot"]
        return super().forward({"one_hot": x / x.sum(1, keepdim=True)})


class StateOutsideOfTheWeights(Honest):
    def __init__(self):
        super().__init__()
        self.scale = float(torch.rand(()))

    def forward(self, inputs):
        return super().forward(inputs) * self.scale


class BadField(Honest):
    def __init__(self):
        super().__init__()
        self.inputs = {"one_hot": Field("CT", channels=("A", "C", "G", "T"), values="one_hot")}
        object.__setattr__(self.inputs["one_hot"], "rc", (1, 2, 3, 0))


class NoChannels(Honest):
    def __init__(self):
        super().__init__()
        self.__dict__["_declared"] = None

    @property
    def out_channels(self):
        raise AttributeError("out_channels")


class MissingIsNaN(Honest):
    def __init__(self):
        super().__init__()
        self.inputs = {"one_hot": ONE_HOT, "signal": Field("AT", channels=("atac",), required=False)}

    def forward(self, inputs):
        return super().forward(inputs) + inputs["signal"] / inputs["present/signal"].view(-1, 1, 1)


HONEST = [Honest, Binned, Cropped, Whole]
BREACHES = {
    SmallerField: "receptive field",
    LargerField: "receptive field",
    WholeField: "receptive field",
    NarrowBinned: "receptive field",
    SeesTheBatch: "independent of the batch",
    Draws: "deterministic in eval",
    WritesOnItsInput: "inputs are left alone",
    WrongOffset: "grid",
    OffByOneBinned: "grid",
    WrongBinSize: "grid",
    WrongLength: "shape",
    WrongOffsetOfTheWhole: "grid",
    FalseStrand: "strand",
    TiedOnlyAtTheStart: "strand",
    CutGradient: "gradient reaches the input",
    FixedType: "dtype",
    NotFinite: "all-N input",
    StateOutsideOfTheWeights: "saved and loaded to the bit",
    BadField: "fields flip and flip back",
    NoChannels: "interface",
    MissingIsNaN: "missing input",
}


@pytest.mark.parametrize("encoder", HONEST)
def test_an_honest_encoder_passes_everything(encoder):
    checks = check_encoder(encoder)
    assert len(checks) == 14
    assert failures(checks) == []
    assert {c.name for c in checks if c.ok is None} <= {"missing input"}


@pytest.mark.parametrize("encoder", BREACHES)
def test_a_broken_encoder_fails_exactly_its_check(encoder):
    assert [c.name for c in failures(check_encoder(encoder))] == [BREACHES[encoder]]


def test_an_instance_is_left_as_it_was():
    encoder = Honest().train()
    before = copy.deepcopy(encoder.state_dict())
    assert failures(check_encoder(encoder)) == []
    assert encoder.training
    assert all(torch.equal(x, before[k]) for k, x in encoder.state_dict().items())


def test_running_statistics_that_twins_do_not_share_break_the_strand_claim():
    from zoo.layers.tied_conv import TiedBatchNorm1d, TiedConv1d

    class Normed(Honest):
        strand = "equivariant"
        norm = nn.BatchNorm1d

        def __init__(self):
            super().__init__()
            self.conv = nn.Sequential(TiedConv1d(4, 6, 11, padding=5), self.norm(6))

    class Shared(Normed):
        norm = TiedBatchNorm1d

    assert [c.name for c in failures(check_encoder(Normed))] == ["strand"]
    assert failures(check_encoder(Shared)) == []


class HonestHead(Head):
    needs_positions = True
    field = Field("CT", channels=("a", "b"))

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(8, 2, 3, padding=1)

    def forward(self, embedding, inputs):
        return self.conv(embedding)


class HeadOffTheGrid(HonestHead):
    def grid(self, grid):
        return Grid(grid.offset + 7, 1, grid.length)


class HeadForPooled(HonestHead):
    needs_positions = False


class HeadOfAnotherShape(HonestHead):
    field = Field("CT", channels=("a", "b", "c"))


class HeadThatWrites(HonestHead):
    def forward(self, embedding, inputs):
        return self.conv(embedding.add_(1))


class HeadThatRescales(HonestHead):
    @torch.no_grad()
    def rescale(self, scale, shift):
        self.conv.weight.mul_(scale[:, None, None])
        self.conv.bias.mul_(scale).add_(shift)


class HeadThatForgetsItsBias(HonestHead):
    @torch.no_grad()
    def rescale(self, scale, shift):
        self.conv.weight.mul_(scale[:, None, None])
        self.conv.bias.add_(shift)


class HeadThatSeesTheBatch(HonestHead):
    def forward(self, embedding, inputs):
        x = self.conv(embedding)
        return x - x.mean(0)


@pytest.mark.parametrize(
    ("head", "check"),
    [
        (HonestHead, None),
        (HeadThatRescales, None),
        (HeadThatForgetsItsBias, "rescale"),
        (HeadOffTheGrid, "grid"),
        (HeadForPooled, "positions"),
        (HeadOfAnotherShape, "shape"),
        (HeadThatWrites, "inputs are left alone"),
        (HeadThatSeesTheBatch, "independent of the batch"),
    ],
)
def test_a_broken_head_fails_exactly_its_check(head, check):
    assert [c.name for c in failures(check_head(head, in_channels=8))] == [check] * (check is not None)


class HonestObjective(Objective):
    activation = "identity"

    def mask(self, batch):
        return (~batch["target/output"].isnan()) * batch["weight/output"]

    def weights(self, batch):
        return {"error": self.mask(batch).sum()}

    def forward(self, prediction, batch, embedding):
        error = (prediction["output"] - batch["target/output"].nan_to_num()) ** 2
        return {"error": ((error * self.mask(batch)).sum(), self.mask(batch).sum())}


class MeansInsteadOfSums(HonestObjective):
    def forward(self, prediction, batch, embedding):
        (total, weight) = super().forward(prediction, batch, embedding)["error"]
        return {"error": (total / weight.clamp(min=1e-9), weight)}


class ForgetsTheMask(HonestObjective):
    def forward(self, prediction, batch, embedding):
        error = (prediction["output"] - batch["target/output"].nan_to_num()) ** 2
        return {"error": (error.sum(), self.mask(batch).sum())}


class TakesCountsAlone(HonestObjective):
    """States a range that the labels of its activation do not keep to."""

    target_range = TargetRange("counts", "another objective", low=0)


class DropsItsKey(HonestObjective):
    def forward(self, prediction, batch, embedding):
        parts = super().forward(prediction, batch, embedding)
        return parts if parts["error"][1] > 0 else {}


class OtherWeights(HonestObjective):
    def weights(self, batch):
        return {"error": self.mask(batch).sum() * 2}


class SendsNoGradient(HonestObjective):
    def forward(self, prediction, batch, embedding):
        return super().forward({k: x.detach() for k, x in prediction.items()}, batch, embedding)


@pytest.mark.parametrize(
    ("objective", "broken"),
    [
        (HonestObjective, []),
        (MeansInsteadOfSums, ["additive"]),
        (ForgetsTheMask, ["empty mask", "missing labels"]),
        (TakesCountsAlone, ["target range"]),
        (DropsItsKey, ["empty mask"]),
        (OtherWeights, ["parts"]),
        (SendsNoGradient, ["gradient reaches the model"]),
    ],
)
def test_a_broken_objective_fails_exactly_its_checks(objective, broken):
    found = failures(check_objective(objective, target=Field("C", channels=("a", "b"))))
    assert [c.name for c in found] == broken


class LeavesEval(ISM):
    def attribute(self, model, batch, output):
        found = super().attribute(model, batch, output)
        model.eval()
        return found


class LooksBeside(ISM):
    def attribute(self, model, batch, output):
        found = super().attribute(model, batch, output)
        return Attribution({"one_hot": found.values["one_hot"].roll(1, 2)}, found.kind)


class EffectAtTheReference(ISM):
    def attribute(self, model, batch, output):
        found = super().attribute(model, batch, output).values["one_hot"]
        return Attribution({"one_hot": found - found.mean(1, keepdim=True)}, "effect")


class Graph(Interpreter):
    def attribute(self, model, batch, output):
        inputs = model.prepare(batch)
        x = inputs["one_hot"].requires_grad_()
        return Attribution({"one_hot": x * 1}, "contribution")


@pytest.mark.parametrize(
    ("interpreter", "check"),
    [
        (ISM, None),
        (LeavesEval, "leaves the model as it was"),
        (LooksBeside, "finds what the model reads"),
        (EffectAtTheReference, "finds what the model reads"),
        (Graph, "shape and kind"),
    ],
)
def test_a_broken_interpreter_fails_exactly_its_check(interpreter, check):
    assert [c.name for c in failures(check_interpreter(interpreter))] == [check] * (check is not None)
