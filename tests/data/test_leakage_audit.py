"""The audit finds what was planted, and nothing else."""

import json
import time

import numpy as np
import pytest

from zoo.data.codes import reverse_complement
from zoo.data.leakage_audit import Audited, audit
from zoo.data.sequences import canonical_hash


def split(codes, chrom=None, start=None, labels=None):
    hashes, turned = canonical_hash(codes)
    names = np.array([f"s{i}" for i in range(len(codes))], object)
    end = None if start is None else start + codes.shape[1]
    chrom = None if chrom is None else np.array(chrom, object)
    return Audited(names, hashes, turned, chrom, start, end, labels)


@pytest.fixture
def codes():
    return np.random.default_rng(0).integers(0, 4, (300, 60)).astype(np.uint8)


def test_planted_duplicates_are_counted_by_kind(codes):
    train, test = codes[:200], codes[200:].copy()
    test[3:5] = train[10:12]
    test[7:10] = reverse_complement(train[20:23])
    found = audit({"train": split(train), "test": split(test)})
    pair = found["between"]["train / test"]
    assert (pair["duplicates"], pair["reverse_complement_duplicates"], pair["overlapping_intervals"]) == (2, 3, 0)
    assert pair["examples"] == ["s3", "s4", "s7", "s8", "s9"]
    assert not found["clean"]
    assert json.loads(json.dumps(found)) == found


def test_splits_without_anything_in_common_are_clean(codes):
    found = audit({"train": split(codes[:100]), "validation": split(codes[100:200]), "test": split(codes[200:])})
    assert found["clean"]
    assert list(found["between"]) == ["train / validation", "train / test", "validation / test"]


def test_a_palindrome_is_a_duplicate_not_a_reverse_complement():
    palindrome = np.array([[0, 3, 0, 3], [0, 1, 2, 3]], np.uint8)
    pair = audit({"a": split(palindrome[:1]), "b": split(palindrome[:1])})["between"]["a / b"]
    assert (pair["duplicates"], pair["reverse_complement_duplicates"]) == (1, 0)


def test_intervals_that_share_one_base_overlap_and_neighbours_do_not(codes):
    a = split(codes[:3], ["1", "1", "2"], np.array([0, 500, 0]))
    b = split(codes[3:7], ["1", "1", "2", ""], np.array([59, 440, 60, 0]))
    pair = audit({"a": a, "b": b})["between"]["a / b"]
    assert pair["overlapping_intervals"] == 1
    assert pair["examples"] == ["s0"]


def test_a_wide_interval_is_found_from_within(codes):
    wide = Audited(*(np.array([x]) for x in ("w", np.uint64(1), False, "1", 0, 10_000)))
    inside = split(codes[:1], ["1"], np.array([5_000]))
    assert audit({"a": wide, "b": inside})["between"]["a / b"]["overlapping_intervals"] == 1


def test_equal_sequences_with_two_labels_are_counted(codes):
    twice = np.concatenate([codes[:4], codes[:2]])
    found = audit({"train": split(twice, labels=np.array([1, 1, 0, 0, 1, 0]))})
    assert found["within"]["train"] == {"duplicates": 2, "with_another_label": 1}


def test_hashes_agree_with_the_sequences_themselves():
    codes = np.random.default_rng(1).integers(0, 5, (2_000, 5)).astype(np.uint8)
    hashes, turned = canonical_hash(codes)
    canonical = [min(bytes(c), bytes(r)) for c, r in zip(codes, reverse_complement(codes), strict=True)]
    assert len(set(hashes.tolist())) == len(set(canonical))
    assert turned.tolist() == [bytes(c) != k for c, k in zip(codes, canonical, strict=True)]
    assert not set(canonical_hash(codes[:, :4])[0].tolist()) & set(hashes.tolist())


def test_a_hundred_thousand_windows_take_seconds():
    codes = np.random.default_rng(0).integers(0, 4, (100_000, 200)).astype(np.uint8)
    start = time.process_time()
    places = np.array(["1"] * 50_000, object), np.arange(50_000) * 300
    found = audit({"train": split(codes[:50_000], *places), "test": split(codes[50_000:], *places)})
    assert found["between"]["train / test"]["overlapping_intervals"] == 50_000
    assert time.process_time() - start < 5
