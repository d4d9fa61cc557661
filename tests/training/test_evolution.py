"""Mutations, deletions, insertions and translocations do what they say, and depend on seed, epoch and example alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from zoo.data.codes import reverse_complement
from zoo.data.source import Examples
from zoo.errors import ConfigError
from zoo.fields import CODES, Field
from zoo.training.augment import batch_fields
from zoo.training.evolution import AugmentationSettings, allowed_augmentation, evolve
from zoo.training.loader import Loader
from zoo.training.plan import TrainingPlan
from zoo.training.settings import TrainerSettings
from zoo.training.splitmix import draw, stream

ALL = AugmentationSettings(mutation=0.1, deletion=9, insertion=9, translocation=9, inversion=9)


def draws(n, seed=0, epoch=0):
    return draw(seed, epoch, np.arange(n))


def random_codes(n, length, seed=0, letters=4):
    return np.random.default_rng(seed).integers(0, letters, (n, length)).astype(np.uint8)


def longest_common(before, after):
    """Lengths of the common prefix and of the common suffix of two rows."""
    same = before == after
    return (same.cumprod().sum(), same[::-1].cumprod().sum())


def test_nothing_is_changed_without_a_kind_of_change():
    codes = random_codes(8, 30)
    assert evolve(codes, draws(8), AugmentationSettings()) is codes
    assert AugmentationSettings(deletion=3, mutation=0.1).kinds == ("deletion", "mutation")


def test_as_many_bases_mutate_as_are_asked_for_each_into_the_three_others_and_an_n_stays():
    codes = random_codes(400, 250, letters=5)
    changed = evolve(codes, draws(400), AugmentationSettings(mutation=0.05))
    bases = codes < 4
    assert np.array_equal(changed[~bases], codes[~bases])
    assert changed.max() == 4
    hit = (changed != codes)[bases]
    assert hit.mean() == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / hit.size))
    by = (changed - codes)[bases][hit] % 4
    assert np.bincount(by, minlength=4)[1:] / len(by) == pytest.approx([1 / 3] * 3, abs=0.03)
    assert (evolve(codes, draws(400), AugmentationSettings(mutation=1.0)) != codes)[bases].all()


def test_a_deletion_brings_what_was_apart_together_and_random_bases_to_the_ends():
    length, longest = 60, 12
    codes = np.tile(np.arange(length, dtype=np.uint8), (500, 1)) + 10  # every base can be told apart
    changed = evolve(codes, draws(500), AugmentationSettings(deletion=longest))
    assert changed.shape == codes.shape
    sizes, starts, padding = [], [], []
    for row in changed:
        kept = row[row >= 10] - 10
        size = length - len(kept)
        inner = np.flatnonzero(row >= 10)
        front = inner[0]
        assert np.array_equal(inner, front + np.arange(len(kept)))
        assert front == size // 2
        missing = sorted(set(range(length)) - set(kept))
        assert missing == list(range(missing[0], missing[0] + size))
        sizes.append(size)
        starts.append(missing[0])
        padding += row[row < 10].tolist()
    assert set(sizes) == set(range(1, longest + 1))
    assert min(starts) < 5
    assert max(starts) > length - longest - 5
    assert np.bincount(padding, minlength=4) / len(padding) == pytest.approx([0.25] * 4, abs=0.05)


def test_an_insertion_puts_random_bases_between_and_loses_both_ends():
    length, longest = 60, 12
    codes = np.tile(np.arange(length, dtype=np.uint8), (500, 1)) + 10
    changed = evolve(codes, draws(500), AugmentationSettings(insertion=longest))
    assert changed.shape == codes.shape
    seen, starts, inserted = set(), [], []
    for row in changed:
        new = np.flatnonzero(row < 10)
        before = row[: new[0]] - 10 if len(new) else row - 10
        after = row[new[-1] + 1 :] - 10 if len(new) else row[:0]
        if len(new):
            assert np.array_equal(new, np.arange(new[0], new[0] + len(new)))
        for part in (before, after):
            assert (np.diff(part.astype(int)) == 1).all()
        if len(before) and len(after):
            assert before[-1] + 1 == after[0]
            front, back = before[0], length - 1 - after[-1]
            assert front + back == len(new)
            assert front == len(new) // 2
            seen.add(len(new))
            starts.append(int(after[0]))
            inserted += row[new].tolist()
    assert seen == set(range(1, longest + 1))
    assert min(starts) < longest
    assert max(starts) > length - longest
    assert np.bincount(inserted, minlength=4) / len(inserted) == pytest.approx([0.25] * 4, abs=0.05)


def test_a_translocation_rotates_to_both_sides_by_every_distance():
    codes = np.tile(np.arange(40, dtype=np.uint8), (400, 1))
    changed = evolve(codes, draws(400), AugmentationSettings(translocation=6))
    distances = {int(np.flatnonzero(row == 0)[0]) for row in changed}
    assert distances == {*range(1, 7), *range(34, 40)}
    for row in changed:
        assert np.array_equal(np.roll(row, -int(np.flatnonzero(row == 0)[0])), codes[0])


def test_an_inversion_is_the_reverse_complement_of_one_stretch():
    codes = random_codes(300, 50, letters=5)
    changed = evolve(codes, draws(300), AugmentationSettings(inversion=10))
    widest = 0
    for before, after in zip(codes, changed, strict=True):
        front, back = longest_common(before, after)
        if front == len(before):  # the stretch is its own reverse complement
            continue
        inside = slice(front, len(before) - back)
        assert np.array_equal(reverse_complement(before[None, inside])[0], after[inside])
        widest = max(widest, inside.stop - inside.start)
    assert widest == 10


def test_a_sequence_gets_as_many_kinds_of_change_as_max_operations_and_all_of_them_in_turn():
    codes = np.tile(np.arange(60, dtype=np.uint8), (3000, 1)) + 10
    settings = AugmentationSettings(deletion=5, insertion=5, translocation=5, max_operations=1)
    changed = evolve(codes, draws(3000), settings)
    new = (changed < 10).any(1)
    # A translocation alone brings no new base, and keeps all old ones.
    rotated = ~new & (np.sort(changed, axis=1) == codes).all(1) & (changed != codes).any(1)
    assert rotated.mean() == pytest.approx(1 / 3, abs=0.04)
    every = evolve(codes, draws(3000), AugmentationSettings(deletion=5, translocation=5, max_operations=9))
    for row in every:
        old = np.flatnonzero(row >= 10)
        deleted = len(row) - len(old)
        assert deleted
        assert not np.array_equal(old, deleted // 2 + np.arange(len(old))), "not rotated"


@pytest.mark.parametrize("length", [1, 2, 7])
def test_windows_shorter_than_the_longest_change_stay_windows(length):
    codes = random_codes(50, length)
    changed = evolve(codes, draws(50), AugmentationSettings(deletion=20, insertion=20, translocation=20, inversion=20))
    assert changed.shape == codes.shape
    assert changed.max() <= 3
    assert evolve(codes[:0], draws(0), ALL).shape == (0, length)


@hypothesis_settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 40), length=st.integers(1, 50), seed=st.integers(0, 2**70), data=st.data())
def test_a_row_is_changed_alike_alone_and_in_any_batch(n, length, seed, data):
    codes, drawn = random_codes(n, length, letters=5), draws(n, seed)
    before = codes.copy()
    whole = evolve(codes, drawn, ALL)
    assert np.array_equal(codes, before)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=8)))
    assert np.array_equal(evolve(codes[rows], drawn[rows], ALL), whole[rows])
    assert whole.dtype == np.uint8
    assert whole.max() <= 4


def test_streams_of_random_bits_are_even_and_differ_by_number():
    bits = stream(draws(2000), 8, 1)
    ones = ((bits[..., None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean((0, 1))
    assert ones == pytest.approx(np.full(64, 0.5), abs=0.02)
    assert len(np.unique(np.concatenate([bits.ravel(), stream(draws(2000), 8).ravel()]))) == 2 * bits.size


class Coded(Examples):
    def __init__(self, n=60, length=30, margin=4):
        self.lengths, self.weights, self.margin = np.full(n, length), None, margin
        self.codes = random_codes(n, length + 2 * margin)

    def batch(self, indices, margin=0):
        cut = self.margin - margin
        return {"codes": self.codes[indices, cut : self.codes.shape[1] - cut]}


def test_the_loader_changes_an_example_by_seed_epoch_and_index_on_any_number_of_processes():
    def changed(batch_size, rank=0, world=1, seed=0, epoch=2, shuffle=True):
        loader = Loader(
            Coded(), batch_size=batch_size, seed=seed, shuffle=shuffle, reverse=True, shift=4, augmentation=ALL
        )
        loader.shard(rank, world)
        loader.load_state_dict({"epoch": epoch, "batch": 0})
        return {
            int(i): tuple(c) for batch in loader for i, c in zip(batch["index"], batch["codes"].tolist(), strict=True)
        }

    alone = changed(7)
    assert {**changed(16, 0, 3), **changed(16, 1, 3), **changed(16, 2, 3)} == alone
    assert changed(7, epoch=3) != alone
    assert changed(7, seed=1) != alone
    plain = {i: tuple(c) for i, c in enumerate(Coded().codes.tolist())}
    assert sum(alone[i] != plain[i] for i in plain) > 50
    validated = changed(7, shuffle=False)
    assert validated == {i: row[4:-4] for i, row in plain.items()}


def test_data_without_codes_are_refused():
    class Other(Coded):
        def batch(self, indices, margin=0):
            return {"one_hot": np.zeros((len(indices), 4, 30), np.float32)}

    with pytest.raises(ConfigError, match="augmentation=none"):
        next(iter(Loader(Other(), batch_size=4, shuffle=True, augmentation=ALL)))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"mutation": 1.5}, "mutation is 1.5: give a share from 0 to 1"),
        ({"deletion": -1}, "deletion is -1"),
        ({"max_operations": 0}, "max_operations is 0: give a whole number of 1 or more"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changes, match):
    with pytest.raises(ConfigError, match=match):
        AugmentationSettings(**changes)


def test_moving_bases_under_what_has_positions_is_refused_and_mutating_them_is_not(config, tiny):
    source = tiny(margin=0)
    parts = {"heads": {"profile": {"name": "profile"}}, "objectives": {"profile": {"name": "poisson"}}}
    with_profile = {**config, **parts, "encoder": {"name": "dilated_cnn", "channels": 8, "layers": 1}}
    with_profile["objective"] = {"name": "squared_error"}
    plan = TrainingPlan.of({**with_profile, "augmentation": {"deletion": 5, "mutation": 0.1}}, source)
    with pytest.raises(ConfigError, match=r"target 'profile' has positions.*augmentation=none, or .*deletion=0"):
        plan.module(TrainerSettings())
    module = TrainingPlan.of({**with_profile, "augmentation": {"mutation": 0.1}}, source).module(TrainerSettings())
    assert module.train_loader.augmentation.mutation == 0.1
    tracks = {"signal": Field("AT", channels=("DNase",)), "codes": CODES}
    with pytest.raises(ConfigError, match="input 'signal' has positions"):
        allowed_augmentation(ALL, batch_fields(tracks, {}))
    of_a_window = batch_fields({}, {"bound": Field("C", channels=("a",))})
    assert allowed_augmentation(ALL, of_a_window) is ALL
    assert allowed_augmentation(replace(ALL, scalar_only=True), of_a_window).kinds == ALL.kinds
    assert allowed_augmentation(replace(ALL, scalar_only=True), batch_fields(tracks, {})).kinds == ()
