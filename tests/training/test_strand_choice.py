"""strand=auto sees whether labels read the same from both strands."""

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.evaluation.baselines import baselines
from zoo.fields import Field
from zoo.registry import registry
from zoo.training.label_scale import label_scale
from zoo.training.strand_choice import choose_strand

SITE = np.array([0, 3, 2, 0, 1, 3, 0, 0], np.uint8)  # ATGACTAA


def table(tmp_path, either_strand, n=1_200, real=False):
    """Half of the rows hold a site; of one strand or of either."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (n, 60)).astype(np.uint8)
    labels = np.arange(n) % 2
    for i in np.flatnonzero(labels):
        turned = either_strand and rng.random() < 0.5
        codes[i, (at := int(rng.integers(0, 52))) : at + 8] = (3 - SITE)[::-1] if turned else SITE
    path = tmp_path / "table.tsv"
    with path.open("w") as file:
        file.write("sequence\tlabel\tsplit\n")
        for i, (row, label) in enumerate(zip(codes, labels, strict=True)):
            value = f"{1_000 + 50 * label + rng.normal():.3f}" if real else label
            file.write(f"{decode(row)}\t{value}\t{('train', 'train', 'validation', 'test')[i // 2 % 4]}\n")
    arguments = {"table": str(path), "targets": ["label"], "splits": {"column": "split"}}
    return registry().build("data", "table", arguments)


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize(("either_strand", "strand"), [(False, "none"), (True, "conjoined")])
def test_a_site_of_one_strand_is_told_from_a_site_of_either(tmp_path, either_strand, strand, real):
    chosen, reason = choose_strand(table(tmp_path, either_strand, real=real))
    assert chosen == strand
    assert "standard errors on" in reason


def test_targets_with_positions_are_augmented():
    source = registry().build("data", "simulated", {"targets": ["profile"], "n_train": 20, "n_validation": 10})
    assert choose_strand(source)[0] == "augmented"


def test_without_validation_rows_nothing_is_measured(tmp_path):
    source = registry().build("data", "simulated", {"n_train": 20, "n_validation": 0})
    assert choose_strand(source) == ("augmented", "no validation rows to choose by")


def test_mean_and_sd_are_those_of_the_training_labels(tmp_path):
    scale = label_scale(table(tmp_path, True, real=True))["value"]
    assert scale["mean"] == pytest.approx([1_025], abs=0.5)
    assert scale["sd"] == pytest.approx([25.02], abs=0.3)
    assert label_scale(table(tmp_path, True)) == {}


@pytest.mark.parametrize(("either_strand", "note"), [(False, "one strand"), (True, "")])
def test_the_kmer_baseline_reads_the_strand_that_validation_favours(tmp_path, either_strand, note):
    source = table(tmp_path, either_strand)
    kmers = next(b for b in baselines(Field("C", ("label",), values="binary"), k=4) if b.name.startswith("4-mer"))
    parts = []
    for split in ("train", "validation"):
        batch = source.examples(split).batch(np.arange(len(source.examples(split))))
        parts += [kmers.features(batch["codes"]), batch["target/value"][:, 0]]
    assert kmers.fit("binary", *parts)[1] == note
