"""What can go wrong with incremental inference is found, named and survived."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from zoo.data.edits import Edits
from zoo.effects.engine.incremental import Incremental
from zoo.effects.engine.rules import operation
from zoo.effects.engine.rules.pointwise import Scale
from zoo.effects.engine.self_check import Disagreement


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 6, 5, padding=2)
        self.second = nn.Conv1d(6, 6, 3, padding=1)
        self.dense = nn.Linear(6, 1)

    def forward(self, x):
        x = torch.relu(self.first(x))
        return self.dense(torch.relu(self.second(x)).mean(2))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def case(net, draw):
    codes = draw(1, 60)
    return Incremental(net, lambda i: net(i["one_hot"]), {"one_hot": (4, 60)}), codes, Edits.substitutions(codes)


def test_a_wrong_difference_is_found_and_its_layer_named(case):
    engine, codes, edits = case
    second = next(o for i, o in engine.plan.operations.items() if engine.plan.graph.nodes[i].name == "relu" and i > 3)
    second.weight = second.weight * 1.5
    with pytest.raises(Disagreement, match=r"differ by .* first at the model \(relu\): report it"):
        engine.effects(codes, edits)


def test_a_rule_that_is_wrong_is_found_and_its_layer_named(net, draw):
    from zoo.effects.engine.rules.operation import rules

    class Halved(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.odd = net, nn.CELU()

        def forward(self, x):
            return self.body.dense(self.odd(self.body.first(x)).mean(2))

    table = rules()[0]
    right = table["celu"]
    try:
        operation("celu")(lambda call, x, *a, **k: Scale((x,), layout=x.layout, factor=0.5))
        model = Halved().eval()
        engine = Incremental(model, lambda i: model(i["one_hot"]), {"one_hot": (4, 60)})
        codes = draw(1, 60)
        with pytest.raises(Disagreement, match=r"first at odd \(celu\)"):
            engine.effects(codes, Edits.substitutions(codes))
    finally:
        table["celu"] = right


def test_weights_that_changed_behind_the_engine_are_found(case, net):
    engine, codes, edits = case
    with torch.no_grad():
        net.second.weight.mul_(3)
    with pytest.raises(Disagreement):
        engine.effects(codes, edits)


def test_a_rule_that_fails_is_passed_over_and_the_report_says_so(net, draw):
    from zoo.effects.engine.rules.operation import rules

    table = rules()[0]
    right = table["relu"]
    try:
        operation("relu")(lambda call, x, inplace=False: 1 / 0)
        engine = Incremental(net, lambda i: net(i["one_hot"]), {"one_hot": (4, 60)})
    finally:
        table["relu"] = right
    codes = draw(1, 60)
    edits = Edits.substitutions(codes)
    found = engine.effects(codes, edits)
    assert "in full from the model (relu, its rule failed: ZeroDivisionError: division by zero) on" in engine.report
    torch.testing.assert_close(found, engine.full(edits.apply(codes)) - engine.full(codes))


def test_a_model_that_branches_on_values_is_run_in_full(draw):
    class Branches(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(4, 2, 3)

        def forward(self, x):
            y = self.conv(x)
            return y.mean(2) if float(y.sum()) > 0 else y.amax(2)

    net = Branches().eval()
    engine = Incremental(net, lambda i: net(i["one_hot"]), {"one_hot": (4, 30)})
    codes = draw(1, 30)
    assert engine.effects(codes, Edits.substitutions(codes)).shape == (90, 2)
    assert engine.report.startswith("90 mutants by full inference: the model cannot be recorded")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: x.__setitem__((0, 0), 0), "writes into a tensor with x"),
        (lambda x, y: (y[:, :1].relu_(), y)[1], "seen elsewhere too"),
        (lambda x, y: torch.relu(y) if y.shape[0] > 2 else torch.tanh(y), "relu|tanh"),
    ],
    ids=["assignment", "view", "branch on N"],
)
def test_what_cannot_be_recorded_is_refused(change, message, draw):
    conv = nn.Conv1d(4, 2, 3).eval()

    def run(inputs):
        y = conv(inputs["one_hot"])
        z = change(inputs["one_hot"], y)
        return (y if z is None else z).mean(2)

    engine = Incremental(conv, run, {"one_hot": (4, 30)})
    assert engine.plan is None
    assert re.search(message, engine.refused)


def test_full_inference_can_be_asked_for(net, draw):
    codes = draw(2, 60)
    edits = Edits.substitutions(codes, 10, 20)
    function = lambda i: net(i["one_hot"])  # noqa: E731
    engine = Incremental(net, function, {"one_hot": (4, 60)}, carry=False)
    carried = Incremental(net, function, {"one_hot": (4, 60)})
    torch.testing.assert_close(engine.effects(codes, edits), carried.effects(codes, edits), rtol=0, atol=1e-6)
    assert engine.report == "60 mutants by full inference: as asked"


def test_edits_that_move_a_flank_say_that_they_are_computed_in_full(case):
    engine, codes, _ = case
    edits = Edits.sets([[(2, 1, "")], [(2, 1, "A")], [(57, 1, "")]])
    found = engine.effects(codes, edits)
    assert engine.counts.full == 1
    assert "1 by full inference, since their edits move a flank" in engine.report
    truth = engine.full(edits.apply(codes)) - engine.full(codes)
    torch.testing.assert_close(found, truth, rtol=0, atol=1e-6)


def test_a_deletion_draws_in_the_flank_that_is_given(case):
    engine, codes, _ = case
    longer = np.concatenate([codes, np.full((1, 3), 2, np.uint8)], 1)
    edits = Edits.sets([[(30, 3, "")]])
    mutant = edits.apply(longer, 60)
    assert mutant[0, -3:].tolist() == [2, 2, 2]
    torch.testing.assert_close(
        engine.effects(longer, edits), engine.full(mutant) - engine.full(codes), rtol=0, atol=1e-6
    )
