"""Losses are the formulas they are called after, under masks, weights and missing labels."""

import pytest
import torch
from torch.nn import functional

from zoo.errors import ConfigError, ContractError
from zoo.interfaces import total
from zoo.objectives.confounder_penalty import ConfounderPenalty
from zoo.objectives.cross_entropy import CrossEntropy
from zoo.objectives.domain_adversarial import DomainAdversarial
from zoo.objectives.poisson import Poisson
from zoo.objectives.squared_error import SquaredError

NAN = float("nan")


def only(parts):
    (part,) = parts.values()
    return part


def loss(objective, x, batch, embedding=None):
    parts = objective({"output": x}, batch, torch.zeros(len(x), 2, 1) if embedding is None else embedding)
    assert set(parts) == set(objective.weights(batch))
    return total(parts)


def test_binary_cross_entropy_is_the_mean_over_the_labels_that_are_there():
    x = torch.tensor([[0.3, -1.0], [2.0, 0.5]])
    y = torch.tensor([[1.0, NAN], [0.0, 1.0]])
    kept = ~y.isnan()
    expected = functional.binary_cross_entropy_with_logits(x[kept], y[kept])
    torch.testing.assert_close(loss(CrossEntropy(), x, {"target/output": y}), expected)


def test_weights_of_examples_are_broadcast_over_their_labels():
    x, y = torch.randn(3, 2), torch.randint(2, (3, 2)).float()
    each = functional.binary_cross_entropy_with_logits(x, y, reduction="none")
    batch = {"target/output": y, "weight/output": torch.tensor([1.0, 0.0, 3.0])}
    torch.testing.assert_close(loss(CrossEntropy(), x, batch), (each[0].sum() + 3 * each[2].sum()) / 8)


def test_weights_shaped_like_one_channel_are_broadcast_over_all():
    x, y = torch.randn(2, 3, 4), torch.randint(2, (2, 3, 4)).float()
    weight = torch.rand(2, 1, 4)
    batch = {"target/output": y, "weight/output": weight}
    each = functional.binary_cross_entropy_with_logits(x, y, reduction="none")
    torch.testing.assert_close(loss(CrossEntropy(), x, batch), (each * weight).sum() / (3 * weight.sum()))


def test_class_ids_by_position_are_judged_by_softmax_and_an_id_below_0_is_missing():
    objective = CrossEntropy(classes=["a", "b", "c"])
    assert objective.activation == "softmax"
    x, y = torch.randn(2, 3, 5), torch.randint(3, (2, 5))
    y[0, :2] = -1
    expected = functional.cross_entropy(x, y, ignore_index=-1)
    torch.testing.assert_close(loss(objective, x, {"target/output": y}), expected)


def test_class_weights_are_those_of_torch():
    weights = [1.0, 2.0, 5.0]
    x, y = torch.randn(8, 3), torch.randint(3, (8,))
    expected = functional.cross_entropy(x, y, weight=torch.tensor(weights))
    found = loss(CrossEntropy(classes=["a", "b", "c"], class_weights=weights), x, {"target/output": y})
    torch.testing.assert_close(found, expected)


def test_positive_labels_can_weigh_more():
    x, y = torch.tensor([[0.0], [0.0]]), torch.tensor([[1.0], [0.0]])
    total_, weight = only(CrossEntropy(positive_weight=3)({"output": x}, {"target/output": y}, None))
    assert float(weight) == 4
    torch.testing.assert_close(total_, 4 * torch.log(torch.tensor(2.0)))


def test_smoothed_labels_are_learned_and_plain_ones_validated():
    x, y = torch.randn(6, 2), torch.rand(6, 2).round()
    y[0, 0] = NAN
    objective = CrossEntropy(smoothing=0.2, positive_weight=3.0)
    batch, kept = {"target/output": y}, ~y.isnan()
    weight = 1 + 2 * y[kept]
    for labels, mode in ((y * 0.8 + 0.1, True), (y, False)):
        each = functional.binary_cross_entropy_with_logits(x[kept], labels[kept], reduction="none")
        torch.testing.assert_close(loss(objective.train(mode), x, batch), (each * weight).sum() / weight.sum())
    best = torch.tensor([[0.9]]).logit().requires_grad_()
    CrossEntropy(smoothing=0.2).losses(best, torch.ones(1, 1)).sum().backward()
    assert best.grad.abs().max() < 1e-6


def test_smoothed_classes_are_those_of_torch():
    x, y = torch.randn(8, 3), torch.randint(3, (8,))
    objective = CrossEntropy(classes=["a", "b", "c"], smoothing=0.3)
    smoothed = functional.cross_entropy(x, y, label_smoothing=0.3)
    torch.testing.assert_close(loss(objective, x, {"target/output": y}), smoothed)
    torch.testing.assert_close(loss(objective.eval(), x, {"target/output": y}), functional.cross_entropy(x, y))


@pytest.mark.parametrize("smoothing", [-0.1, 0.5, NAN])
def test_a_share_that_would_leave_nothing_of_the_labels_is_refused(smoothing):
    with pytest.raises(ContractError, match="give a share of 0 or more and below"):
        CrossEntropy(smoothing=smoothing)


def test_poisson_is_that_of_torch_for_both_links():
    x, y = torch.randn(4, 2, 6), torch.poisson(torch.full((4, 2, 6), 3.0))
    batch = {"target/output": y}
    torch.testing.assert_close(loss(Poisson(), x, batch), functional.poisson_nll_loss(x, y))
    expected = functional.poisson_nll_loss(functional.softplus(x), y, log_input=False, eps=0)
    torch.testing.assert_close(loss(Poisson(link="softplus"), x, batch), expected)


def test_total_and_shape_add_up_to_the_poisson_likelihood_of_the_profile():
    x, y = torch.randn(4, 2, 6), torch.poisson(torch.full((4, 2, 6), 3.0))
    batch = {"target/output": y}
    parts = Poisson(shape_weight=1.0)({"output": x}, batch, None)
    whole = only(Poisson()({"output": x}, batch, None))[0]
    assert set(parts) == {"total", "shape"}
    torch.testing.assert_close(sum(s for s, _ in parts.values()), whole)


def test_masked_positions_change_neither_total_nor_shape():
    objective = Poisson(shape_weight=2.0)
    x, y = torch.randn(3, 2, 6), torch.poisson(torch.full((3, 2, 6), 3.0))
    masked = y.clone()
    masked[:, :, 4:] = NAN
    a, b = loss(objective, x, {"target/output": masked}), loss(objective, x[..., :4], {"target/output": y[..., :4]})
    torch.testing.assert_close(a, b)
    wild = x.clone()
    wild[:, :, 4:] = 50.0
    torch.testing.assert_close(loss(objective, wild, {"target/output": masked}), b)


def test_a_fully_masked_profile_gives_no_nan_gradient():
    x = torch.randn(2, 1, 6, requires_grad=True)
    y = torch.full((2, 1, 6), NAN)
    y[1] = 1
    loss(Poisson(shape_weight=2.0), x, {"target/output": y}).backward()
    assert x.grad.isfinite().all()
    assert (x.grad[0] == 0).all()


def test_squared_error_of_contact_maps():
    x, y = torch.randn(2, 1, 5, 5), torch.randn(2, 1, 5, 5)
    torch.testing.assert_close(loss(SquaredError(), x, {"target/output": y}), functional.mse_loss(x, y))


@pytest.mark.parametrize(
    "objective", [CrossEntropy(), CrossEntropy(smoothing=0.1), Poisson(), SquaredError(), Poisson(shape_weight=1.0)]
)
def test_halves_accumulate_to_the_whole_under_masks(objective):
    torch.manual_seed(0)
    x, y = torch.randn(6, 2, 4), torch.randint(2, (6, 2, 4)).float()
    y[:2, :, 1:] = NAN
    batch = {"target/output": y}
    weights = objective.weights(batch)
    whole = torch.autograd.functional.jacobian(lambda x: loss(objective, x, batch), x)
    summed = torch.zeros_like(x)
    for rows in (slice(0, 2), slice(2, 6)):
        leaf = x[rows].clone().requires_grad_()
        parts = objective({"output": leaf}, {"target/output": y[rows]}, None)
        sum(s / weights[part] for part, (s, _) in parts.items()).backward()
        summed[rows] = leaf.grad
    torch.testing.assert_close(summed, whole)


def test_shapes_that_do_not_fit_are_refused_with_both():
    with pytest.raises(ContractError, match=r"predicts \(2, 3\) but its target is \(2, 1\)"):
        loss(CrossEntropy(), torch.zeros(2, 3), {"target/output": torch.zeros(2, 1)})
    with pytest.raises(ContractError, match="integer"):
        loss(CrossEntropy(classes=["a", "b"]), torch.zeros(2, 2), {"target/output": torch.zeros(2)})
    with pytest.raises(ContractError, match="no 'target/output'"):
        loss(SquaredError(), torch.zeros(2, 2), {})
    with pytest.raises(ConfigError, match="log or softplus"):
        Poisson(link="exp")


def test_the_confounder_penalty_is_the_squared_correlation():
    torch.manual_seed(0)
    x, gc = torch.randn(50, 1), torch.randn(50, 1)
    expected = torch.corrcoef(torch.cat([x, gc], 1).T)[0, 1] ** 2
    torch.testing.assert_close(loss(ConfounderPenalty(within="none"), x, {"covariates": gc}), expected)
    torch.testing.assert_close(
        loss(ConfounderPenalty(within="none"), 3 * gc + 1, {"covariates": gc}), torch.tensor(1.0)
    )


def test_the_confounder_penalty_leaves_out_examples_without_covariates():
    torch.manual_seed(0)
    x, gc = torch.randn(50, 1), torch.randn(50, 2)
    some = gc.clone()
    some[40:, 1] = NAN
    penalty = ConfounderPenalty(within="none")
    a = loss(penalty, x, {"covariates": some})
    torch.testing.assert_close(a, loss(penalty, x[:40], {"covariates": gc[:40]}))
    assert float(loss(penalty, x[:2], {"covariates": gc[:2]})) == 0


@pytest.mark.parametrize(("strength", "least", "most"), [(0.0, 0.8, 1.2), (5.0, 0.0, 0.2)])
def test_the_confounder_penalty_unlearns_a_confounder(strength, least, most):
    torch.manual_seed(0)
    signal, gc = torch.randn(400, 1), torch.randn(400, 1)
    y = (signal + gc > 0).float()
    weight = torch.zeros(2, 1, requires_grad=True)
    objective, penalty = CrossEntropy(), ConfounderPenalty(within="none")
    optimizer = torch.optim.Adam([weight], lr=0.05)
    for _ in range(100):
        x = torch.cat([signal, gc], 1) @ weight
        value = loss(objective, x, {"target/output": y}) + strength * loss(penalty, x, {"covariates": gc})
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    share = float((weight[1] / weight[0]).detach().abs())
    assert least <= share <= most
    assert weight[0] > 0.5


def test_the_discriminator_learns_the_domain_and_the_encoder_is_pushed_to_hide_it():
    torch.manual_seed(0)
    domain = torch.arange(64) % 2
    features = torch.randn(64, 4, 3) + 2 * domain[:, None, None]
    objective = DomainAdversarial(in_channels=4, domains=["human", "mouse"], hidden=8)
    optimizer = torch.optim.Adam(objective.parameters(), lr=1e-2)
    for _ in range(100):
        value = loss(objective, torch.zeros(64, 1), {"domain": domain}, features)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert value < 0.1
    leaf = features.clone().requires_grad_()
    before = loss(objective, torch.zeros(64, 1), {"domain": domain}, leaf)
    before.backward()
    after = loss(objective, torch.zeros(64, 1), {"domain": domain}, features - 50 * leaf.grad)
    assert after > before


def test_an_unknown_domain_has_no_weight():
    torch.manual_seed(0)
    objective = DomainAdversarial(in_channels=4)
    features, domain = torch.randn(6, 4, 3), torch.tensor([0, 1, 0, -1, -1, -1])
    a = loss(objective, torch.zeros(6, 1), {"domain": domain}, features)
    torch.testing.assert_close(a, loss(objective, torch.zeros(3, 1), {"domain": domain[:3]}, features[:3]))


def test_terms_that_need_more_than_the_batch_has_say_so():
    with pytest.raises(ContractError, match="covariates"):
        ConfounderPenalty().weights({})
    with pytest.raises(ContractError, match="domain"):
        DomainAdversarial(in_channels=2).weights({})
    with pytest.raises(ContractError, match="two or more"):
        DomainAdversarial(in_channels=2, domains=["human"])
