"""Pictures: what is drawn where, and files by the end of their names."""

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.genome import Genome
from zoo.pictures.figure_files import save_picture
from zoo_hic.effects.disruption import predict_effect
from zoo_hic.effects.edits import WindowEdit
from zoo_hic.picture import draw_edits, draw_region
from zoo_hic.predictor import Predictor
from zoo_hic.simulation.contact_maps import simulate_contig
from zoo_hic.simulation.settings import MapSettings

BINS, RESOLUTION = 64, 256
SETTINGS = MapSettings(resolution=RESOLUTION, spacing=12, gap=4, strengths=(1.0,), shares=(1.0,), decoys=0.5)
SIMULATED = simulate_contig(np.random.default_rng(3), 160, SETTINGS)


def write_fasta(path, sequences):
    path.write_text("".join(f">{name}\n{decode(codes)}\n" for name, codes in sequences.items()))
    return path


def map_of(bins, seed=0):
    value = np.random.default_rng(seed).normal(size=(bins, bins)).astype(np.float32)
    value = (value + value.T) / 2
    value[3], value[:, 3] = np.nan, np.nan
    return value


def image(axes):
    return np.asarray(axes.images[0].get_array())


def test_the_square_is_observed_above_its_diagonal_and_predicted_below():
    predicted, observed = np.full((20, 20), -1.0), np.full((20, 20), 1.0)
    figure = draw_region(predicted, "chr1", 5000, 100, observed=observed, title="t")
    square = image(figure.axes[0])
    red, blue = square[2, 10], square[10, 2]
    assert red[0] > red[2], "above the diagonal: more than expected"
    assert blue[2] > blue[0]
    assert figure.axes[0].get_xlim() == (5.0, 7.0), "kb"
    assert [a.get_ylabel() for a in figure.axes[-1:]] == ["log(observed / expected)"]
    assert figure.axes[2].yaxis_inverted(), "the predicted triangle points down"


def test_unknown_pairs_are_grey_and_nothing_is_drawn_beside_the_triangle():
    square = map_of(20)
    figure = draw_region(square, "chr1", 0, 100)
    triangle = image(figure.axes[1])
    assert triangle.shape == (20, 40, 4)
    assert triangle[19, 0, 3] == 0, "no pair lies here"
    np.testing.assert_allclose(triangle[0, 6], [0.82, 0.82, 0.82, 1], atol=0.01)  # the masked bin
    assert triangle[0, 8, 3] == 1


def test_an_edit_is_three_triangles_of_one_depth_with_its_ends_marked(tmp_path, ground_truth):
    genome = Genome(write_fasta(tmp_path / "g.fa", {"chr1": SIMULATED.codes}))
    edit = WindowEdit("delete", "chr1", 84 * RESOLUTION, 96 * RESOLUTION)
    found = predict_effect(Predictor.of(ground_truth(BINS, SETTINGS)), genome, [edit])
    figure = draw_edits(found, "log_oe", title="delete", subtitle="$x <b>")
    rows = figure.axes[:3]
    assert len({image(a).shape for a in rows}) == 1
    marks = [[line.get_xdata()[0] * 1000 for line in a.lines] for a in rows]
    assert marks[0] == pytest.approx([edit.start, edit.end])
    assert marks[1] == pytest.approx([edit.start, edit.start]), "in the edited map nothing is left of it"
    labels = [a.get_ylabel() for a in figure.axes[3:]]
    assert labels == ["log(observed / expected)", "difference of\nlog(observed / expected)"]


def test_large_maps_are_averaged_and_say_so():
    square = np.add.outer(np.arange(1500.0), np.arange(1500.0)).astype(np.float32)
    figure = draw_region(square, "chr1", 0, 1000)
    assert image(figure.axes[0]).shape[:2] == (750, 750)
    assert "averaged to 2,000 bp" in figure.axes[0].get_title()


@pytest.mark.parametrize(
    ("end", "head"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("html", b"<!doc")]
)
def test_the_end_of_the_name_decides_the_file(tmp_path, end, head):
    figure = draw_region(map_of(12), "chr<1>", 0, 2_000_000, title="a $\\frac$ <b>")
    path = tmp_path / f"map.{end}"
    save_picture(str(path), figure, "a <b>", "map of <b>", {"model": "<script>"})
    data = path.read_bytes()
    assert data.startswith(head)
    assert b"<script>" not in data


def test_an_empty_map_is_drawn_grey(tmp_path):
    figure = draw_region(np.full((5, 5), np.nan), "chr1", 0, 100)
    save_picture(str(tmp_path / "x.png"), figure, "x", "x", {})
    assert (tmp_path / "x.png").stat().st_size > 0
