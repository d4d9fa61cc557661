"""The section `filters` of a report: the known motif lines up with the filter, and the words are true."""

import numpy as np
import pytest
import torch

from zoo.data.motifs import Motif, get_motif
from zoo.data.planted_motifs import background, simulate
from zoo.model import build
from zoo.outputs import Output
from zoo.report.section import Picture, Section, Subject, Table, Text
from zoo.spec import ModelSpec
from zoo_motifs.filters_section import filters
from zoo_motifs.motif_logos import draw_aligned, heights


def subject(codes, random=False, **arguments):
    torch.manual_seed(0)
    options = {"filters": 6, "width": 19, "hidden": 0, "dropout": 0.0, "motifs": ["MA0139.1"], **arguments}
    head = {"name": "scalar", "tasks": ["CTCF"], "in_channels": 6}
    model = build(ModelSpec("toy", {"name": "motif_cnn", **options}, {"binding": head}, codes.shape[1])).eval()
    return Subject("toy", model, Output.parse("CTCF", model.spec), codes, "120 planted sequences", random=random)


def parts(section, kind):
    return [p for p in section.parts if isinstance(p, kind)]


@pytest.fixture(scope="module")
def planted():
    return simulate([get_motif("CTCF")], 300, length=100, positives=1.0, seed=1).codes


def test_a_filter_is_shown_with_its_logo_and_the_motif_that_it_is(planted):
    given = subject(planted)
    section = filters(given)
    assert isinstance(section, Section)
    (table,) = parts(section, Table)
    row = next(r for r in table.rows if r[0] == "filter_0")
    assert isinstance(row[1], Picture)
    assert "CTCF" in row[4]
    assert row[5] < 1e-6
    assert row[6] > 0.8
    assert "CTCF" in row[1].alt
    assert len(row[1].figure.axes) == 2
    changes = [r[2] for r in table.rows]
    assert changes == sorted(changes, reverse=True)
    text = " ".join(p.text for p in parts(section, Text))
    assert "120 planted sequences" in text
    assert "50%" in text
    found = given.results["filters"]
    assert {"filter", "importance", "match", "p_value", "q_value"} <= set(found[0])
    assert any("CTCF" in (f["match"] or "") for f in found)


def test_random_sequences_are_replaced_by_more_of_them_and_named():
    given = subject(background(20, 100, rng=np.random.default_rng(0)), random=True)
    section = filters(given)
    assert "2,000 random sequences" in " ".join(p.text for p in parts(section, Text))


def test_filters_that_match_nothing_are_not_praised():
    given = subject(background(300, 100, rng=np.random.default_rng(0)), motifs=[])
    section = filters(given)
    verdict = parts(section, Text)[0]
    assert verdict.tone == "unsure"
    assert "None of the 6 most important filters matches a known motif whose bases agree" in verdict.text
    statuses = [f["match_status"] for f in given.results["filters"]]
    assert set(statuses) <= {"no_match", "low_agreement"}
    (table,) = parts(section, Table)
    assert [("low agreement" in row[4]) for row in table.rows] == [s == "low_agreement" for s in statuses]
    assert (f"{statuses.count('low_agreement')} have a match with a low agreement" in verdict.text) == (
        "low_agreement" in statuses
    )


def test_silence_is_told(planted):
    given = subject(planted)
    with torch.no_grad():
        given.model.encoder.convolution.bias.fill_(-1e3)
    section = filters(given)
    assert "No filter is active" in parts(section, Text)[-1].text
    assert given.results["filters"] == []


def test_a_model_without_a_convolution_on_the_sequence_has_no_section(planted, monkeypatch):
    given = subject(planted)
    monkeypatch.setattr("zoo_motifs.filters.first_convolution", lambda model: None)
    assert filters(given) is None
    assert given.results == {}


def boxes(axes):
    """{x of a column: its highest letter} of a logo."""
    found = {}
    for base, collection in zip("ACGT", axes.collections, strict=True):
        for path in collection.get_paths():
            x0, y0, _, y1 = path.get_extents().extents
            best = found.get(int(np.floor(x0)), (0, ""))
            found[int(np.floor(x0))] = max(best, (y1 - y0, base))
    return {x: base for x, (_, base) in found.items()}


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("offset", [-3, 0, 4])
def test_aligned_logos_stand_above_one_another(offset, reverse):
    rng = np.random.default_rng(1)
    letters = rng.integers(0, 4, 20)
    one_hot = np.eye(4)[letters].T * 10
    query = Motif("q", "q", one_hot[:, 5:13])
    target = Motif("t", "t", one_hot[:, 5 - offset : 17])
    drawn = target.reverse_complement() if reverse else target
    figure = draw_aligned(query, drawn, offset, reverse)
    above, below = (boxes(axes) for axes in figure.axes)
    shared = set(above) & set(below)
    assert len(shared) >= 4
    assert min(below) == 0
    assert min(above) == -offset
    assert all(above[x] == below[x] for x in shared)
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_heights_are_bits():
    sure, even, half = heights(Motif("m", "m", np.array([[8, 2, 4], [0, 2, 4], [0, 2, 0], [0, 2, 0]]))).sum(0)
    assert (sure, even, half) == (pytest.approx(2), pytest.approx(0), pytest.approx(1))
