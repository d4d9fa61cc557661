"""Pictures of designs show the edits where they are, and nothing of a stranger's text as a formula."""

import numpy as np

from zoo.pictures.figure_files import save_figure
from zoo_design.design import Design
from zoo_design.judgement.independence import Relation
from zoo_design.judgement.judges import Skill
from zoo_design.judgement.verdict import Opinion, Verdict
from zoo_design.pictures.designs import draw_designs


def design(name="d$x$", length=60):
    start = "A" * length
    sequence = start[:10] + "G" + start[11:]
    return Design(name, start, sequence, 0.0, 1.0, (), (0.0, 0.4, 1.0), (), "ok", ((0, 5, "part"),))


def test_a_picture_holds_trajectories_judges_and_edits(tmp_path):
    opinion = Opinion("j", Relation("independent", ""), Skill(True, ""), None, (("natural", 9, 0.0, 0.0, 2.5),))
    columns, rows = ("name", "j.start", "j.value"), (("a", 0.0, 3.0), ("b", 1.0, float("nan")))
    verdict = Verdict("supported", "by $j$", (opinion,), columns, rows)
    figure = draw_designs([design(), design("b")], verdict, "two designs")
    trajectory, judged, edits = figure.axes
    assert len(trajectory.lines) == 3
    assert [line.get_ydata()[0] for line in judged.lines][-1] == 2.5
    letters = [t for t in edits.texts if t.get_transform() == edits.transData]
    assert {t.get_text() for t in letters} == {"G"}
    assert {t.get_position()[0] for t in letters} == {10.5}
    shaded = [p for p in edits.patches if np.isclose(p.get_facecolor()[0], 0.88)]
    assert {(p.get_x(), p.get_width()) for p in shaded} == {(0, 5)}
    save_figure(tmp_path / "designs.png", figure)
    assert (tmp_path / "designs.png").stat().st_size > 10_000


def test_long_sequences_and_many_designs_are_cut_and_said_so():
    figure = draw_designs([design(str(i), 3_000) for i in range(120)])
    edits = figure.axes[-1]
    first, last = edits.get_xlim()
    assert last - first == 400
    assert first <= 10 < last
    assert "100 of 120 designs" in edits.get_ylabel()


def test_designs_that_have_failed_are_drawn_without_edits():
    failed = Design("x", "ACGT", "ACGT", float("nan"), float("nan"), (), (), (), "no_start")
    assert len(draw_designs([failed]).axes) == 2
