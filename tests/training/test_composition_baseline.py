"""What dinucleotides alone reach, on planted differences."""

import numpy as np

from zoo.data.codes import decode
from zoo.data.planted_motifs import background
from zoo.data.sources.fasta import Fasta
from zoo.data.sources.table import Table
from zoo.training.composition_baseline import composition_baseline, describe_composition


def fasta(tmp_path, positives, negatives):
    paths = {}
    for name, codes in (("positives", positives), ("negatives", negatives)):
        paths[name] = tmp_path / f"{name}.fa"
        paths[name].write_text("".join(f">{i}\n{decode(x)}\n" for i, x in enumerate(codes)))
    return {k: str(path) for k, path in paths.items()}


def random(n, seed, **composition):
    return background(n, 100, rng=np.random.default_rng(seed), **composition)


def test_a_difference_in_neighbouring_pairs_is_told_though_gc_is_equal(tmp_path):
    sticky = np.full((4, 4), 0.2) + 0.2 * np.eye(4)
    files = fasta(tmp_path, random(400, 0, transitions=sticky), random(400, 1, gc=0.5))
    (row,) = composition_baseline(Fasta(**files))
    assert row.dinucleotides > 0.95
    assert 0.35 < row.gc < 0.65
    assert "warning: positives and negatives differ in composition" in str(row)
    assert f"{row.positives} positive, {row.negatives} negative" in str(row)
    (card,) = describe_composition([row])
    assert card["auroc_of_dinucleotides"] == round(row.dinucleotides, 4)
    assert (card["target"], card["task"], card["split"]) == ("binding", "bound", "validation")


def test_gc_is_told_too(tmp_path):
    (row,) = composition_baseline(Fasta(**fasta(tmp_path, random(300, 0, gc=0.6), random(300, 1, gc=0.4))))
    assert row.gc > 0.95
    assert row.dinucleotides > 0.95


def test_shuffles_have_nothing_that_dinucleotides_could_tell(tmp_path):
    sticky = np.full((4, 4), 0.2) + 0.2 * np.eye(4)
    files = fasta(tmp_path, random(600, 0, transitions=sticky), [])
    (row,) = composition_baseline(Fasta(positives=files["positives"], negatives="shuffled"))
    assert abs(row.dinucleotides - 0.5) < 0.01  # pairs are equal; ties count half
    assert abs(row.gc - 0.5) < 1e-9
    assert "warning" not in str(row)


def test_measured_values_have_no_such_line(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"{decode(x)}\t{rng.normal():.3f}" for x in random(90, 0)]
    (tmp_path / "t.tsv").write_text("sequence\ty\n" + "\n".join(rows) + "\n")
    assert composition_baseline(Table(table=str(tmp_path / "t.tsv"))) == []
