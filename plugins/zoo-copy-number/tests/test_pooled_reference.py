"""A reference pooled from normals: the kit's own unevenness comes out, and the sex of each normal does not."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.errors import DataError
from zoo_copy_number.bins import Bins
from zoo_copy_number.pooled_reference import infer_sexes, pool_normals
from zoo_copy_number.tracks import is_autosomal, log2_depth

KIT = 600


def sample(sex, seed=0, *, x_bias=0.0, name="s", noise=0.05, lacking=0):
    """600 targets of chromosome 1, 200 of X, 60 of Y, each caught with an efficiency of its own."""
    efficiency = np.exp2(np.random.default_rng(99).normal(0, 0.5, KIT + 260))
    contig = np.repeat([0, 1, 2], [KIT, 200, 60]).astype(np.int32)
    copies = np.repeat([1.0, 0.5 if sex == "male" else 1.0, 0.5 if sex == "male" else 0.002], [KIT, 200, 60])
    copies[contig == 1] *= 2**x_bias
    depth = 100 * efficiency * copies * np.exp2(np.random.default_rng(seed).normal(0, noise, len(copies)))
    start = np.concatenate([np.arange(n) * 500 for n in (KIT, 200, 60)]).astype(np.int64)
    nothing = np.full(len(depth), np.nan, np.float32)
    mask = np.ones(len(depth), bool)
    bins = Bins(["1", "X", "Y"], contig, start, start + 200, depth.astype(np.float32), nothing, nothing, mask, name)
    return bins[lacking:]


@pytest.mark.parametrize("sex", ["male", "female"])
@pytest.mark.parametrize("x_bias", [0.0, 0.5, -0.4])
def test_what_is_left_is_copies_over_two(sex, x_bias):
    normals = [sample(s, i + 1, x_bias=x_bias, name=f"n{i}") for i, s in enumerate(["male", "female", "male"])]
    bins = pool_normals(sample(sex, x_bias=x_bias), normals)
    left = log2_depth(bins, is_autosomal(bins)) - bins.reference
    for contig, level in ((0, 0.0), (1, -1.0 if sex == "male" else 0.0)):
        here = bins.contig == contig
        assert np.median(left[here]) == pytest.approx(level, abs=0.03)
        assert left[here].std() < 0.12
    assert np.median(bins.spread[bins.contig == 0]) < 0.1
    if sex == "male":
        assert np.median(left[bins.contig == 2]) == pytest.approx(-1, abs=0.05)
    assert "n1 (female)" in bins.notes[-1]


def test_sexes_are_read_beside_each_other():
    kit = [sample(s, i, x_bias=0.6) for i, s in enumerate(["male", "female", "female"])]
    assert infer_sexes(kit) == ["male", "female", "female"], "one X of a kit that catches it well lies above -0.5"
    assert infer_sexes(kit[1:]) == ["female", "female"]
    assert infer_sexes(kit[:1]) == ["male"], "Y tells where there is nobody to compare with"
    without_y = [b[b.contig < 2] for b in kit]
    assert infer_sexes(without_y) == ["male", "female", "female"]
    assert infer_sexes([b[b.contig == 0] for b in kit]) == [None, None, None]


def test_a_normal_of_another_kit_is_refused():
    other = sample("female", 1, name="other")
    other = replace(other, start=other.start + 7, end=other.end + 7)
    with pytest.raises(DataError, match=r"0 of 860 bins of s are in the normal other, 90% are needed: another kit"):
        pool_normals(sample("male"), [sample("female", 2), other])
    with pytest.raises(DataError, match="1 normal is no pool"):
        pool_normals(sample("male"), [other])
    bins = pool_normals(sample("male"), [sample("female", 2, lacking=20), sample("male", 3, lacking=20)])
    assert np.isnan(bins.reference[:20]).all()
    assert np.isfinite(bins.reference[20:700]).all()


def test_a_mans_pseudoautosomal_regions_have_two_copies_in_the_reference():
    """GRCh38 in bins of 200 kb: of three normals two are men, whose X has one copy but at its ends."""
    size, width = 156_040_895, 200_000
    n = -(-size // width)
    start = np.concatenate([np.arange(n), np.arange(n)]) * width
    contig = np.repeat([0, 1], n).astype(np.int32)
    paired = (contig == 1) & ((start + width <= 2_781_479) | (start >= 155_701_382))
    nothing, mask = np.full(2 * n, np.nan, np.float32), np.ones(2 * n, bool)

    def person(male):
        depth = np.where((contig == 1) & ~paired & male, 50, 100).astype(np.float32)
        end = np.minimum(start + width, size)
        return Bins(["1", "X"], contig, start.astype(np.int64), end.astype(np.int64), depth, nothing, nothing, mask)

    pooled = pool_normals(person(False), [person(True), person(True), person(False)])
    inner = paired & (start > 0) & (start + width <= 156_030_895)  # a bin of both kinds is not called
    assert np.abs(pooled.reference[inner]).max() < 0.01
    assert np.abs(pooled.reference[~paired & (start > 3_000_000) & (start < 155_000_000)]).max() < 0.01


def test_bins_that_most_normals_do_not_cover_are_left_out():
    normals = [sample("male", i + 1, name=f"n{i}") for i in range(3)]
    bare = [replace(b, depth=np.where(np.arange(len(b)) % 3 == 0, 0.05, b.depth).astype(np.float32)) for b in normals]
    bins = pool_normals(sample("male"), bare)
    assert len(bins) == (np.arange(KIT + 260) % 3 > 0).sum()
    assert any("287 of 860 bins have no coverage in the normals: they are masked" in n for n in bins.notes)
    lost = [replace(bare[0], depth=b.depth) if i else bare[0] for i, b in enumerate(normals)]
    assert len(pool_normals(sample("male"), lost)) == KIT + 260, "one of three may have lost them"
