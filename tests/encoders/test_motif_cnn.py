"""The motif CNN sees motifs, at the rim too, and starts from JASPAR if asked."""

import pytest
import torch

from zoo.data.codes import encode
from zoo.data.motifs import get_motif
from zoo.encoders.motif_cnn import MotifCNN
from zoo.errors import ConfigError
from zoo.layers.initialization import stored_weights_follow
from zoo.layers.one_hot import one_hot


def read(encoder, *sequences):
    codes = torch.stack([torch.from_numpy(encode(s)) for s in sequences])
    with torch.no_grad():
        return encoder.eval()({"one_hot": one_hot(codes)})[:, :, 0]


def test_a_filter_that_starts_from_a_motif_finds_it_anywhere_even_at_the_rim():
    encoder = MotifCNN(filters=2, hidden=0, motifs=["CTCF"])
    site = get_motif("CTCF").consensus
    rest = "A" * 60
    sequences = (site + rest, "A" * 30 + site + "A" * 30, rest + site, rest + "A" * len(site))
    at_start, inside, at_end, nowhere = read(encoder, *sequences)[:, 0]
    assert torch.allclose(at_start, torch.tensor(2.0), atol=1e-4)
    assert torch.allclose(inside, at_start)
    assert torch.allclose(at_end, at_start)
    assert nowhere == 0


def test_motifs_are_not_looked_up_where_stored_weights_follow():
    with stored_weights_follow():
        MotifCNN(motifs=["NO-SUCH-MOTIF"])


def test_a_motif_wider_than_the_filters_is_refused_with_the_width_that_fits():
    width = len(get_motif("CTCF"))
    with pytest.raises(ConfigError, match=rf"encoder\.width={width}"):
        MotifCNN(width=width - 1, motifs=["CTCF"])


def test_more_motifs_than_filters_are_refused():
    with pytest.raises(ConfigError, match=r"encoder\.filters=2"):
        MotifCNN(filters=1, motifs=["CTCF", "SPI1"])


def test_an_unknown_activation_is_refused():
    with pytest.raises(ConfigError, match="relu or exp"):
        MotifCNN(activation="tanh")


@pytest.mark.parametrize("activation", ["relu", "exp"])
def test_it_learns_a_planted_motif(activation):
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    codes = torch.randint(4, (512, 60), generator=generator)
    y = torch.arange(512) % 2
    site = torch.tensor([0, 3, 2, 0, 1, 3, 1, 0])  # ATGACTCA
    for i in y.nonzero()[:, 0]:
        start = int(torch.randint(53, (1,), generator=generator))
        codes[i, start : start + 8] = site
    x = one_hot(codes.to(torch.uint8))
    encoder = MotifCNN(filters=16, width=11, hidden=0, activation=activation)
    dense = torch.nn.Linear(16, 1)
    optimizer = torch.optim.Adam([*encoder.parameters(), *dense.parameters()], lr=1e-2)
    for _ in range(150):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            dense(encoder({"one_hot": x[:384]})[:, :, 0])[:, 0], y[:384].float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        logit = dense(encoder.eval()({"one_hot": x[384:]})[:, :, 0])[:, 0]
    held_out = y[384:].bool()
    auroc = (logit[held_out][:, None] > logit[~held_out][None]).float().mean()
    assert auroc > 0.95
