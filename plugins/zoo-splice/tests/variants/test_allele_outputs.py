"""Parts of the layers of a network, shared between alleles, against the whole network on each allele's own sequence."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data.codes import reverse_complement
from zoo.data.genome import Genome
from zoo.model import build
from zoo_splice.networks.specification import ENCODER, SOFTMAX, splice_spec
from zoo_splice.variants.allele_outputs import Allele, Strand, Stretch, allele_outputs
from zoo_splice.variants.reference_pass import ReferencePass, grown
from zoo_splice.variants.residual_stack import random_stack, stacks_of

STACKS = [random_stack(((3, 1, 2), (5, 3, 1)), channels=8, seed=seed) for seed in (1, 2)]
REACH = STACKS[0].reach


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    path = tmp_path_factory.mktemp("genome") / "g.fa"
    letters = "".join(np.random.default_rng(3).choice(list("ACGTN"), 400, p=[0.24, 0.24, 0.24, 0.24, 0.04]))
    path.write_text(f">1\n{letters}\n")
    return Genome(path)


def one_hot(codes):
    return torch.from_numpy((np.asarray(codes) == np.arange(4)[:, None]).astype(np.float32))


def whole(codes):
    """(K, bases) of the mean of the networks for a sequence with its context."""
    with torch.inference_mode():
        return torch.stack([stack.whole(one_hot(codes)[None])[0] for stack in STACKS]).mean(0).numpy()


def expected(genome, strand, bounds, allele):
    """Both alleles, each as a sequence of its own."""
    start, end = allele.first - REACH, allele.last + REACH
    codes = genome.windows(np.array([0]), np.array([start]), end - start)[0]
    place = np.arange(start, end)
    codes[(place < bounds[0]) | (place >= bounds[1])] = 4
    at = allele.position - start
    other = np.concatenate([codes[:at], allele.letters, codes[at + allele.reference :]])
    if strand > 0:
        return whole(codes), whole(other)
    return whole(reverse_complement(codes))[:, ::-1], whole(reverse_complement(other))[:, ::-1]


alleles = st.builds(
    lambda position, reference, letters, before, after: Allele(
        position - before, position + reference + after, position, reference, np.array(letters, np.uint8)
    ),
    st.integers(-5, 405),
    st.integers(1, 25),
    st.lists(st.integers(0, 4), min_size=1, max_size=25),
    st.integers(2, 12),
    st.integers(1, 12),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(alleles, min_size=1, max_size=6), st.sampled_from([1, -1]), st.integers(0, 200), st.integers(0, 250))
def test_alleles_that_share_passes_have_the_outputs_of_their_own_sequences(genome, several, strand, start, size):
    of_gene = Strand(genome, 0, strand, (start, start + size))
    results = {i: pair for i, *pair in allele_outputs(STACKS, of_gene, several)}
    assert sorted(results) == list(range(len(several)))
    for i, allele in enumerate(several):
        for own, other in zip(results[i], expected(genome, strand, (start, start + size), allele), strict=True):
            np.testing.assert_allclose(own, other, atol=2e-6)


def test_an_allele_that_changes_nothing_differs_by_exactly_zero(genome):
    codes = genome.windows(np.array([0]), np.array([100]), 3)[0]
    ((_, reference, alternate),) = allele_outputs(
        STACKS, Strand(genome, 0, -1, (0, 400)), [Allele(90, 111, 100, 3, codes)]
    )
    assert (reference == alternate).all()


def test_far_alleles_are_passed_over_apart_and_near_ones_together(genome, monkeypatch):
    lengths = []
    before = Stretch.__init__

    def watch(self, strand, alleles, reach):
        before(self, strand, alleles, reach)
        lengths.append(len(self.codes))

    monkeypatch.setattr(Stretch, "__init__", watch)
    places = [50, 55, 300]
    some = [Allele(p - 5, p + 6, p, 1, np.array([0], np.uint8)) for p in places]
    list(allele_outputs(STACKS, Strand(genome, 0, 1, (0, 400)), some))
    assert lengths == [16 + 2 * REACH, 11 + 2 * REACH]


def test_only_the_positions_that_outputs_follow_are_computed():
    seen = []
    stack = STACKS[0]
    sequence = one_hot(np.random.default_rng(0).integers(0, 4, 300))
    with torch.inference_mode():
        passed = ReferencePass(stack, sequence, [(100, 103), (200, 201)])
        for a, b in ((100, 103), (200, 201)):
            alone = stack.whole(sequence[None, :, a - REACH : b + REACH])[0]
            seen.append(float((alone - passed.probabilities.at(a, b)[0, :, 0]).abs().max()))
    assert max(seen) < 2e-6
    assert grown([(100, 103), (200, 201)], REACH) == [(100 - REACH, 103 + REACH), (200 - REACH, 201 + REACH)]


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_a_stack_of_a_model_gives_what_the_model_gives(slope):
    encoder = {**ENCODER, "channels": 6, "kernels": [3, 5], "dilations": [1, 2], "blocks": 2, "slope": slope}
    model = build(splice_spec("small", encoder, {**SOFTMAX, "in_channels": 6}, members=2)).eval()
    generator = torch.Generator().manual_seed(0)
    for norm in (m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)):
        for tensor in (norm.running_mean, norm.weight.data, norm.bias.data):
            tensor.copy_(torch.randn(len(tensor), generator=generator))
        norm.running_var.copy_(torch.rand(len(norm.bias), generator=generator) + 0.5)
    codes = torch.randint(0, 5, (2, model.spec.input_length), generator=generator, dtype=torch.uint8)
    with torch.inference_mode():
        want = model.predict({"codes": codes})["splice"]
        one = torch.stack([one_hot(row.numpy()) for row in codes])
        have = torch.stack([stack.whole(one) for stack in stacks_of(model)]).mean(0)
    assert have.shape == want.shape
    assert torch.allclose(have, want, atol=2e-6)
