"""Shift and reverse complement move inputs, targets and weights alike."""

from __future__ import annotations

import numpy as np
import torch

from zoo.data.codes import reverse_complement
from zoo.fields import Field, Grid
from zoo.spec import ModelSpec
from zoo.training.augment import augment, batch_fields, crop_targets, shift_step
from zoo.training.loader import REVERSE, START, Loader


def test_targets_counted_from_the_augmented_sequence_are_the_augmented_targets(rows, tiny):
    source = tiny()
    fields = batch_fields(source.inputs, source.targets)
    assert shift_step(fields) == 4
    loader = Loader(rows(), batch_size=16, seed=1, shuffle=True, reverse=True, shift=8, step=4)
    moved = turned = 0
    for batch in loader:
        moved += int((batch[START] != 8).sum())
        turned += int(batch[REVERSE].sum())
        out = augment(batch, fields, margin=8)
        assert out["codes"].shape[1] == 40
        assert not any(key.startswith("augment/") for key in out)
        codes = out["codes"].numpy()
        counted = [(codes == letter).reshape(len(codes), 10, 4).sum(2) for letter in (2, 1)]
        assert np.array_equal(out["target/profile"].numpy(), np.stack(counted, 1))
    assert moved > 10
    assert turned > 10


def test_reversed_codes_are_the_reverse_complement():
    codes = torch.randint(0, 5, (6, 11), dtype=torch.uint8)
    flags = torch.tensor([True, False] * 3)
    out = augment({"codes": codes, REVERSE: flags}, batch_fields({}, {}))["codes"].numpy()
    assert np.array_equal(out[::2], reverse_complement(codes.numpy())[::2])
    assert np.array_equal(out[1::2], codes.numpy()[1::2])


def test_weights_narrower_than_their_target_are_turned_with_it():
    fields = batch_fields({}, {"x": Field("CT", channels=("plus", "minus"), rc=(1, 0))})
    flags = torch.tensor([True])
    by_channel = torch.tensor([[1.0, 2.0]])
    by_position = torch.tensor([[[1.0, 2.0, 3.0]]])
    whole = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    for weight, wanted in (
        (by_channel, [[2.0, 1.0]]),
        (by_position, [[[3.0, 2.0, 1.0]]]),
        (whole, [[[4.0, 3.0], [2.0, 1.0]]]),
        (torch.tensor([5.0]), [5.0]),
    ):
        assert augment({"weight/x": weight, REVERSE: flags}, fields)["weight/x"].tolist() == wanted


def test_class_ids_are_mapped_to_those_of_the_other_strand_but_their_weights_are_not():
    field = Field("T", vocabulary=("none", "donor_plus", "donor_minus"), rc=(0, 2, 1), values="class")
    out = augment(
        {
            "target/x": torch.tensor([[0, 1, 1, -1]]),
            "weight/x": torch.tensor([[0.0, 1.0, 2.0, 3.0]]),
            REVERSE: torch.tensor([True]),
        },
        batch_fields({}, {"x": field}),
    )
    assert out["target/x"].tolist() == [[-1, 2, 2, 0]]
    assert out["weight/x"].tolist() == [[3.0, 2.0, 1.0, 0.0]]


def test_contact_maps_are_cropped_on_both_axes():
    field = Field("CTT", channels=("contacts",), bin_size=2)
    maps = torch.arange(36.0).view(1, 1, 6, 6)
    out = augment({"target/x": maps, START: torch.tensor([4])}, batch_fields({}, {"x": field}), margin=2)
    assert torch.equal(out["target/x"], maps[:, :, 2:6, 2:6])


def test_targets_are_cropped_to_what_a_cropping_head_predicts():
    targets = {"reads": Field("CT", channels=("a", "b"), bin_size=4), "map": Field("CTT", channels=("m",), bin_size=4)}
    fields = batch_fields({}, targets)
    batch = {
        "target/reads": torch.arange(40.0).reshape(2, 2, 10),
        "weight/reads": torch.ones(2, 1, 10),
        "target/map": torch.arange(200.0).reshape(2, 1, 10, 10),
    }
    parts = {head: {"name": "any"} for head in targets}
    spec = ModelSpec("m", {"name": "any"}, parts, 40, outputs={h: (f, Grid(8, 4, 6)) for h, f in targets.items()})
    cropped = crop_targets(batch, fields, spec)
    assert torch.equal(cropped["target/reads"], batch["target/reads"][:, :, 2:8])
    assert cropped["weight/reads"].shape == (2, 1, 6)
    assert torch.equal(cropped["target/map"], batch["target/map"][:, :, 2:8, 2:8])
    for other in (spec.replace(input_length=48), spec.replace(outputs={h: (f, None) for h, f in targets.items()})):
        assert torch.equal(crop_targets(batch, fields, other)["target/map"], batch["target/map"])
