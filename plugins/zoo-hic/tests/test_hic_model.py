"""The encoder down to bins and the head over pairs of them: shapes, symmetry, strands, what reaches what."""

import pytest
import torch

from zoo.errors import ConfigError, ContractError
from zoo.fields import Grid
from zoo_hic.encoder import ContactCNN
from zoo_hic.head import ContactHead

SMALL = {"pools": (8, 4), "channels": 8, "first_channels": 8, "first_width": 7, "layers": 2}


def one_hot(n=2, length=512, seed=0):
    torch.manual_seed(seed)
    return torch.nn.functional.one_hot(torch.randint(0, 4, (n, length)), 4).permute(0, 2, 1).float()


def contacts(encoder, head, x, **more):
    return head(encoder({"one_hot": x, **more}), {})


def test_a_window_becomes_a_symmetric_map_of_its_bins():
    encoder, head = ContactCNN(**SMALL).eval(), ContactHead(in_channels=8, bin_size=32, resolution=32).eval()
    assert encoder.grid(512) == Grid(0, 32, 16)
    found = contacts(encoder, head, one_hot())
    assert found.shape == (2, 1, 16, 16)
    assert torch.equal(found, found.transpose(2, 3))
    assert found.std() > 0
    assert head.field.axes == "CTT"
    assert head.field.shape(2, 16) == found.shape


def test_a_window_that_is_no_whole_number_of_bins_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"500 bp is no whole number of bins of 32 bp .* take 480 bp"):
        ContactCNN(**SMALL).grid(500)
    with pytest.raises(ConfigError, match="first_width 8"):
        ContactCNN(first_width=8)
    with pytest.raises(ConfigError, match="choose pools of the encoder whose product is 64"):
        ContactHead(in_channels=8, bin_size=64, resolution=32)
    with pytest.raises(ContractError, match=r"head.resolution=16"):
        ContactHead(in_channels=8, bin_size=32, resolution=32).grid(Grid(0, 16, 8))


def test_the_receptive_field_is_what_is_declared():
    encoder = ContactCNN(pools=(4, 2), channels=4, first_channels=4, first_width=5, width=3, layers=2).eval()
    x = one_hot(1, 512).requires_grad_()
    encoder({"one_hot": x})[0, :, 32].sum().backward()
    seen = x.grad[0].abs().sum(0).nonzero()
    assert int(seen.max() - seen.min()) + 1 <= encoder.receptive_field
    assert encoder.receptive_field == 5 + 3 + 2 * 4 + 1 * 4 + 2 * 3 * 8


def test_the_default_spans_a_window_of_a_quarter_of_a_million_bp():
    assert ContactCNN().receptive_field > 2048 * 126


def test_tied_strands_flip_the_map():
    torch.manual_seed(3)
    encoder = ContactCNN(**SMALL, tied=True, dropout=0.0).eval()
    x = one_hot()
    torch.testing.assert_close(encoder({"one_hot": x.flip(1, 2)}), encoder({"one_hot": x}).flip(1, 2))
    assert encoder.strand == "equivariant"
    assert encoder({"one_hot": x}).std() > 0


def test_an_oriented_pair_tells_left_from_right():
    """Turned around, the map of the other strand is another one: the head is not blind to orientation."""
    torch.manual_seed(1)
    head = ContactHead(in_channels=4, bin_size=1, resolution=1, layers=0).eval()
    embedding = torch.zeros(1, 4, 12)
    embedding[0, 0, 3], embedding[0, 1, 8] = 3, 3
    swapped = torch.zeros(1, 4, 12)
    swapped[0, 1, 3], swapped[0, 0, 8] = 3, 3
    a, b = head(embedding, {})[0, 0, 3, 8], head(swapped, {})[0, 0, 3, 8]
    assert (a - b).abs() > 1e-3


def test_what_lies_between_grows_from_the_diagonal_and_adds_up():
    torch.manual_seed(2)
    head = ContactHead(in_channels=4, bin_size=1, resolution=1)
    crossed = head.crossed(torch.randn(1, 4, 20)).square() - 0.01
    assert (crossed[0, :, 3, 4:].diff(dim=-1) > 0).all()
    torch.testing.assert_close(crossed[0, :, 2, 9], crossed[0, :, 2, 5] + crossed[0, :, 5, 9])
    torch.testing.assert_close(crossed, crossed.transpose(2, 3))


def test_checkpointing_changes_memory_and_nothing_else():
    torch.manual_seed(4)
    plain = ContactHead(in_channels=4, bin_size=1, resolution=1, dropout=0.0)
    other = ContactHead(in_channels=4, bin_size=1, resolution=1, dropout=0.0, checkpointing=True)
    other.load_state_dict(plain.state_dict())
    x = torch.randn(2, 4, 16)
    for head in (plain, other):
        head.train()(x, {}).square().mean().backward()
    for a, b in zip(plain.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_context_and_tracks_reach_the_map():
    encoder = ContactCNN(**SMALL, tracks=["CTCF"], contexts=["K562", "GM12878"]).eval()
    assert set(encoder.inputs) == {"one_hot", "signal", "context"}
    assert not encoder.inputs["signal"].required
    x, track = one_hot(1), torch.zeros(1, 1, 16)
    here = encoder({"one_hot": x, "signal": track, "context": torch.tensor([0])})
    there = encoder({"one_hot": x, "signal": track, "context": torch.tensor([1])})
    assert (here - there).abs().max() > 1e-3
    track[0, 0, 5] = 2
    marked = encoder({"one_hot": x, "signal": track, "context": torch.tensor([0])})
    assert (marked - here).abs().max() > 1e-3


def test_tied_strands_read_tracks_and_contexts_too():
    torch.manual_seed(5)
    encoder = ContactCNN(**SMALL, tracks=["CTCF"], contexts=["a", "b"], tied=True, dropout=0.0).eval()
    x, track, context = one_hot(1), torch.rand(1, 1, 16), torch.tensor([1])
    given = {"one_hot": x, "signal": track, "context": context}
    turned = {"one_hot": x.flip(1, 2), "signal": track.flip(2), "context": context}
    torch.testing.assert_close(encoder(turned), encoder(given).flip(1, 2))


@pytest.mark.parametrize("tied", [False, True])
def test_composition_tells_gc_and_where_a_contig_ends(tied):
    torch.manual_seed(6)
    encoder = ContactCNN(**SMALL, composition=True, tied=tied, dropout=0.0).eval()
    x = one_hot(1)
    ended = x.clone()
    ended[:, :, 256:] = 0
    plain = ContactCNN(**SMALL, tied=tied, dropout=0.0).eval()
    plain.load_state_dict({k: v for k, v in encoder.state_dict().items() if "composition" not in k})
    added = encoder({"one_hot": ended})[:, :, 12] - plain({"one_hot": ended})[:, :, 12]
    assert added.abs().max() > 1e-3
    if tied:
        torch.testing.assert_close(encoder({"one_hot": x.flip(1, 2)}), encoder({"one_hot": x}).flip(1, 2))
