"""Order, shares and place of the batches."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.source import Examples
from zoo.fields import Field
from zoo.training.loader import REVERSE, START, Loader
from zoo.training.task_sizes import balanced_weights, task_sizes


class Numbered(Examples):
    """Examples that are their index."""

    def __init__(self, lengths, weights=None, margin=0):
        self.lengths, self.weights, self.margin = np.asarray(lengths), weights, margin
        self.seen_lengths = []

    def batch(self, indices, margin=0):
        lengths = set(self.lengths[indices])
        assert len(lengths) == 1
        return {"codes": np.tile(np.uint8(indices % 5)[:, None], (1, lengths.pop() + 2 * margin))}


def indices(loader):
    return [batch["index"].tolist() for batch in loader]


def flat(batches):
    return [i for batch in batches for i in batch]


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 70),
    batch_size=st.integers(1, 20),
    world=st.integers(1, 4),
    kinds=st.integers(1, 3),
    epoch=st.integers(0, 3),
    seed=st.integers(0, 2**40),
)
def test_every_example_is_seen_once_an_epoch_on_any_number_of_processes(n, batch_size, world, kinds, epoch, seed):
    lengths = 5 + np.arange(n) % kinds
    shares = []
    for rank in range(world):
        loader = Loader(Numbered(lengths), batch_size=batch_size, seed=seed, shuffle=True)
        loader.shard(rank, world)
        loader.load_state_dict({"epoch": epoch, "batch": 0})
        shares.append(indices(loader))
    assert len({len(share) for share in shares}) == 1
    assert sorted(flat(flat(shares))) == list(range(n))
    assert all(len(set(lengths[batch])) <= 1 for share in shares for batch in share)
    assert len(shares[0]) == len(loader)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 70), batch_size=st.integers(1, 20), world=st.integers(1, 4), kinds=st.integers(1, 3))
def test_batches_of_mixed_lengths_are_of_one_size_and_see_every_example_once(n, batch_size, world, kinds):
    lengths = 5 + np.arange(n) % kinds
    shares = []
    for rank in range(world):
        loader = Loader(Numbered(lengths), batch_size=batch_size, seed=1, shuffle=True, mix_lengths=True)
        loader.shard(rank, world)
        shares.append([batch if isinstance(batch, list) else [batch] for batch in loader])
        assert len(shares[-1]) == len(loader) == -(-n // batch_size)
    steps = [flat(rows["index"].tolist() for part in parts for rows in part) for parts in zip(*shares, strict=True)]
    assert [len(step) for step in steps[:-1]] == [batch_size] * (len(steps) - 1)
    assert sorted(flat(steps)) == list(range(n))
    for share in shares:
        for rows in flat(share):
            assert set(lengths[rows["index"].numpy()] - rows["codes"].shape[1]) <= {0}


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 50), batch_size=st.integers(1, 9), stop=st.integers(0, 60))
def test_a_loader_goes_on_where_it_was_stopped(n, batch_size, stop):
    def fresh():
        return Loader(Numbered([7] * n), batch_size=batch_size, seed=3, shuffle=True, reverse=True)

    whole = fresh()
    undisturbed = [b for _ in range(3) for b in whole]
    stop = min(stop, 3 * len(whole) - 1)
    first, before = fresh(), []
    while len(before) < stop:
        for batch in first:
            before.append(batch)
            if len(before) == stop:
                break
    second = fresh()
    second.load_state_dict(first.state_dict())
    after = []
    while len(before) + len(after) < len(undisturbed):
        after += list(second)
    for got, wanted in zip(before + after, undisturbed, strict=True):
        assert got["index"].tolist() == wanted["index"].tolist()
        assert got[REVERSE].tolist() == wanted[REVERSE].tolist()


def test_epochs_and_seeds_have_orders_of_their_own():
    loader = Loader(Numbered([5] * 40), batch_size=40, seed=0, shuffle=True)
    other = Loader(Numbered([5] * 40), batch_size=40, seed=1, shuffle=True)
    orders = [tuple(flat(indices(x))) for x in (loader, loader, other)]
    assert len(set(orders)) == 3


def test_augmentation_of_an_example_depends_on_seed_epoch_and_index_alone():
    def drawn(batch_size, rank, world, seed=0, epoch=2):
        loader = Loader(
            Numbered([9] * 60, margin=6), batch_size=batch_size, seed=seed, shuffle=True, reverse=True, shift=6, step=2
        )
        loader.shard(rank, world)
        loader.load_state_dict({"epoch": epoch, "batch": 0})
        return {
            int(i): (bool(r), int(s))
            for batch in loader
            for i, r, s in zip(batch["index"], batch[REVERSE], batch[START], strict=True)
        }

    alone = drawn(7, 0, 1)
    assert {**drawn(16, 0, 3), **drawn(16, 1, 3), **drawn(16, 2, 3)} == alone
    assert drawn(7, 0, 1, epoch=3) != alone
    assert drawn(7, 0, 1, seed=1) != alone
    assert {s for _, s in alone.values()} == set(range(0, 13, 2))
    assert 15 < sum(r for r, _ in alone.values()) < 45


@pytest.mark.parametrize(
    ("n", "steps", "passes"), [(50, 0, 1), (50, 5, 1), (50, 7, 1), (50, 8, 2), (50, 20, 4), (3, 7, 7)]
)
def test_an_epoch_of_a_small_split_is_several_passes_with_orders_and_augmentation_of_their_own(n, steps, passes):
    def loader(steps):
        return Loader(Numbered([9] * n), batch_size=10, seed=0, shuffle=True, reverse=True, epoch_steps=steps)

    once, several = loader(0), loader(steps)
    assert (several.passes, several.rows) == (passes, passes * n)
    for _ in range(2):
        expected, epoch = [batch for _ in range(passes) for batch in once], list(several)
        assert len(epoch) == len(several)
        for key in ("index", REVERSE):
            assert [b[key].tolist() for b in epoch] == [b[key].tolist() for b in expected]
    assert several.state_dict() == {"epoch": 1, "batch": len(several)}


def test_sampling_weights_decide_how_often_an_example_is_drawn():
    weights = np.array([0.0, 1.0, 3.0])
    loader = Loader(Numbered([5] * 3, weights), batch_size=3, seed=0, shuffle=True)
    drawn = np.bincount([i for _ in range(400) for i in flat(indices(loader))], minlength=3)
    assert drawn[0] == 0
    assert drawn[2] / drawn[1] == pytest.approx(3, rel=0.25)


def test_validation_keeps_the_order_given_and_is_not_augmented():
    loader = Loader(Numbered([5] * 10, margin=4), batch_size=4, reverse=True, shift=4)
    batches = list(loader)
    assert flat([b["index"].tolist() for b in batches]) == list(range(10))
    assert not any(REVERSE in b or START in b for b in batches)
    assert batches[0]["codes"].shape == (4, 5)


def test_a_batch_stays_as_it_is_when_the_source_reuses_its_buffers(rows):
    loader = Loader(rows(n=40), batch_size=8, seed=0, shuffle=True)
    kept = list(loader)
    again = Loader(rows(n=40), batch_size=8, seed=0, shuffle=True)
    for batch, fresh in zip(kept, again, strict=True):
        assert np.array_equal(batch["codes"], fresh["codes"])


def test_a_process_without_rows_gets_an_empty_batch():
    loader = Loader(Numbered([5] * 5), batch_size=4, shuffle=True)
    loader.shard(1, 2)
    assert [tuple(b["codes"].shape) for b in loader] == [(2, 5), (0, 5)]


class Labelled(Examples):
    """Rows of three tasks: often, rare, and one of numbers; the last rows have no label at all."""

    def __init__(self):
        self.lengths = np.full(1000, 4)
        self.binary = np.full((1000, 2), np.nan, np.float32)
        self.binary[:900, 0] = np.arange(900) % 2
        self.binary[:60, 1] = np.arange(60) < 10
        self.number = np.full((1000, 1), np.nan, np.float32)
        self.number[500:600] = 7.0

    def batch(self, indices, margin=0):
        known = np.isfinite(self.binary[indices])
        return {
            "codes": np.zeros((len(indices), 4), np.uint8),
            "target/binary": np.where(known, self.binary[indices], 1).astype(np.float32),
            "weight/binary": known.astype(np.float32),
            "target/number": self.number[indices],
        }


FIELDS = {"binary": Field("C", ("often", "rare"), values="binary"), "number": Field("C", ("number",))}


def test_balanced_draws_meet_every_task_and_class_equally_often_and_never_an_example_without_a_label():
    examples = Labelled()
    weights = balanced_weights(examples, FIELDS)
    assert weights.sum() == pytest.approx(1)
    assert (weights[900:] == 0).all()
    expected = np.zeros(1000)
    for known in (examples.binary == 1, examples.binary == 0):
        expected += (known / known.sum(0) / 2).sum(1)
    expected += np.isfinite(examples.number[:, 0]) / 100
    np.testing.assert_allclose(weights, expected / 3)


def test_labels_are_counted_as_often_as_balanced_draws_meet_them():
    examples = Labelled()
    weights = balanced_weights(examples, FIELDS)
    sizes = task_sizes(examples, FIELDS, weights)["binary"]
    met = np.random.default_rng(0).choice(1000, 200_000, p=weights)
    np.testing.assert_allclose(sizes.size, np.isfinite(examples.binary[met]).sum(0) / 200, rtol=0.02)
    np.testing.assert_allclose(sizes.positive, np.nansum(examples.binary[met], 0) / 200, rtol=0.02)
    assert sizes.positive[1] > 10 * task_sizes(examples, FIELDS)["binary"].positive[1]


def test_balanced_draws_are_those_of_seed_and_epoch_on_any_number_of_processes():
    def drawn(rank=0, world=1, epoch=1):
        examples = Labelled()
        loader = Loader(
            examples, batch_size=50, seed=4, shuffle=True, weights=balanced_weights(examples, FIELDS), epoch_steps=30
        )
        loader.shard(rank, world)
        loader.load_state_dict({"epoch": epoch, "batch": 0})
        return indices(loader)

    whole = drawn()
    assert whole == drawn()
    assert whole != drawn(epoch=2)
    shares = [drawn(rank, 2) for rank in range(2)]
    assert [sorted(a + b) for a, b in zip(*shares, strict=True)] == [sorted(batch) for batch in whole]
    assert sum(i < 10 for i in flat(whole)) > 0.15 * len(flat(whole))  # positives of the rare task are 1 % of the rows
