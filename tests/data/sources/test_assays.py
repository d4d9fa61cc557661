"""data=assays: windows at the union of the peaks, and what every experiment says of them."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

from zoo.data.sources.assays import Assays
from zoo.data.sources.mixture import Mixture
from zoo.errors import ConfigError, GenomeMismatch
from zoo.testing.source import check_source

SPLITS = {"validation": ["2"], "test": ["3"]}


@pytest.fixture
def assays(cohort, cohort_genome):
    def make(**changes):
        arguments = {"sheet": str(cohort / "experiments.tsv"), "splits": SPLITS, "negatives": {"how": "random"}}
        return Assays(**{**arguments, "genome": {"name": "toy", "fasta": str(cohort_genome)}, **changes})

    return make


def everything(examples):
    rows = np.arange(len(examples))
    return examples.batch(rows), examples.identity(rows)


def test_a_window_is_a_positive_of_the_experiments_whose_summits_lie_in_its_core(assays):
    source = assays()
    assert source.tasks == ("A_K562", "B_K562", "A_liver", "B_liver")
    batch, where = everything(source.examples("test"))
    label, weight = batch["target/binding"], batch["weight/binding"]
    middle = where["start"] + 100
    at_peak = where["name"] == "peak"
    assert (batch["weight/binding"] > 0).all()  # every window at a peak holds its summits in the core
    a = at_peak & np.isin(middle, np.arange(1_000, 59_500, 3_000))
    assert a.sum() == 20
    assert (label[a, 0] == 1).all()
    assert (label[a, 1] == 0).all()
    assert label[a, 2].tolist() == [float(i % 2 == 0) for i in range(20)]
    both = at_peak & (label[:, 1] == 1) & (label[:, 3] == 1)
    assert set(middle[both]) == set(range(2_015, 59_500, 6_000))  # summits 30 bp apart share a window between them
    assert (label[~at_peak & (weight > 0).all(1)] == 0).all()


def test_splits_are_by_contig_and_the_audit_is_clean(assays):
    source = assays()
    for split, contig in (("train", "1"), ("validation", "2"), ("test", "3")):
        assert set(everything(source.examples(split))[1]["chrom"]) == {contig}
    description = source.describe()
    assert description["audit"]["clean"]
    json.dumps(description)
    assert description["tasks"][0] == {
        "name": "A_K562",
        "assay": "ChIP-seq",
        "target": "A",
        "cell": "K562",
        "batch": "lab1",
        "donor": "d1",
        "n": {s: {"positives": 20, "negatives": len(source.examples(s)) - 20} for s in ("train", "validation", "test")},
    }


def test_in_contexts_an_example_is_an_interval_in_a_cell(assays):
    source = assays(examples="contexts")
    assert source.tasks == ("A", "B")
    assert source.contexts == ("K562", "liver")
    assert source.domains == ("lab1", "lab2")
    batch, where = everything(source.examples("test"))
    n = len(assays().examples("test"))
    assert len(where["start"]) == 2 * n
    assert source.describe()["audit"]["within"]["train"]["duplicates"] == 0
    np.testing.assert_array_equal(batch["context"], batch["domain"])
    assert set(where["cell"][batch["context"] == 1]) == {"liver"}
    for cell in (0, 1):
        mine = batch["context"] == cell
        assert batch["target/binding"][mine].sum(0).tolist() == [20 / (1 + cell), 20 / (1 + cell)]


def test_tasks_are_chosen_by_name_pattern_and_column(assays):
    assert assays(tasks=["A*"]).tasks == ("A_K562", "A_liver")
    assert assays(where="cell=K562").tasks == ("A_K562", "B_K562")
    assert assays(tasks="A*", where=["batch=lab2"]).tasks == ("A_liver",)
    with pytest.raises(ConfigError, match="names no experiment 'A_K56': did you mean 'A_K562'"):
        assays(tasks=["A_K56"])
    with pytest.raises(ConfigError, match="has no column 'cel': did you mean 'cell'"):
        assays(where="cel=K562")
    with pytest.raises(ConfigError, match="no chosen experiment has cell=HepG2: choose from K562, liver"):
        assays(where="cell=HepG2")


def test_each_task_is_judged_by_so_many_windows_for_every_positive_which_tasks_share(assays):
    source = assays(negatives={"how": "random", "per_window": 3.0, "judged_per_positive": 2})
    batch, where = everything(source.examples("test"))
    label, known = batch["target/binding"], batch["weight/binding"] > 0
    positive, negative = known & (label == 1), known & (label == 0)
    assert (negative.sum(0) == 2 * positive.sum(0)).all()
    assert (where["name"][negative.any(1)] == "background").all()
    order = np.argsort(negative.sum(0))
    for fewer, more in pairwise(order):
        assert (negative[:, more] | ~negative[:, fewer]).mean() > 0.99  # but for windows that touch a peak of one
    train = everything(source.examples("train"))[0]
    assert (train["weight/binding"] > 0).mean() > 0.9
    again = assays(negatives={"how": "random", "per_window": 3.0, "judged_per_positive": 2})
    assert (everything(again.examples("test"))[0]["weight/binding"] == batch["weight/binding"]).all()


def test_a_task_with_too_few_windows_to_draw_from_is_named(assays):
    notes = assays(negatives={"how": "random", "per_window": 0.1, "judged_per_positive": 5}).notes
    assert any("fewer than 5 test negatives a positive" in note for note in notes)


def with_sheet(cohort, folder, *columns, rows=(), drop=()):
    """The cohort's sheet with further columns {name: value of a row}, and further rows."""
    header, *lines = [line.split("\t") for line in (cohort / "experiments.tsv").read_text().splitlines()]
    kept = [i for i, name in enumerate(header) if name not in drop]
    header, lines = [header[i] for i in kept], [[line[i] for i in kept] for line in lines]
    for name, values in columns:
        header.append(name)
        lines = [[*line, str(values.get(line[0], ""))] for line in lines]
    lines += [[str(row.get(name, "")) for name in header] for row in rows]
    at = header.index("peaks") if "peaks" in header else None
    for line in lines:
        if at is not None and line[at]:
            line[at] = str(cohort / line[at])
    path = folder / "sheet.tsv"
    path.write_text("".join("\t".join(cells) + "\n" for cells in (header, *lines)))
    return str(path)


def bedgraph(path, *rows):
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))
    return path.name


def test_coverage_of_a_window_is_the_label_and_its_log_ratio_to_a_control(assays, cohort, tmp_path):
    whole = [(c, 0, 60_000, 1) for c in ("chr1", "chr2", "chr3")]
    signal = bedgraph(tmp_path / "s.bedGraph", ("chr3", 900, 1_100, 8), *((c, 0, 500, 1) for c in ("chr1", "chr2")))
    control = bedgraph(tmp_path / "c.bedGraph", *whole)
    sheet = with_sheet(cohort, tmp_path, ("signal", {"A_K562": signal}))
    source = assays(sheet=sheet, tasks=["A_K562"], labels={"of": "signal"})
    assert source.targets["binding"].values == "real"
    batch, where = everything(source.examples("test"))
    planted = where["start"] == 900
    assert batch["target/binding"][planted].tolist() == [[8.0]]
    assert not batch["target/binding"][(where["start"] > 1_100) | (where["start"] < 700)].any()
    sheet = with_sheet(cohort, tmp_path, ("signal", {"A_K562": signal}), ("control", {"A_K562": control}))
    source = assays(sheet=sheet, tasks=["A_K562"], labels={"of": "signal"})
    mean = (8 * 200 + 2 * 500) / 180_000  # of the signal, and of the control once it is scaled to its depth
    batch, where = everything(source.examples("test"))
    ratio = batch["target/binding"][:, 0]
    np.testing.assert_allclose(ratio[where["start"] == 900], np.log2((8 + mean) / (mean + mean)), rtol=1e-5)
    np.testing.assert_allclose(ratio[where["start"] > 1_100], -1, rtol=1e-5)
    assert source.covariates == ("gc", "depth")
    np.testing.assert_allclose(batch["covariates"][:, 1], np.log(2), rtol=1e-6)
    with pytest.raises(ConfigError, match="a ratio to the control of 'A_K562' is none"):
        assays(sheet=sheet, tasks=["A_K562"], labels={"of": "profile"})


def test_a_control_of_another_kind_is_compared_by_base(assays, cohort, tmp_path):
    """Fragments whose ends are at every tenth base, and coverage of 7 everywhere, are both flat: no ratio but 1."""
    contigs = ("chr1", "chr2", "chr3")
    flat = bedgraph(tmp_path / "c.bedGraph", *((c, 0, 60_000, 7) for c in contigs))
    ends = [f"{c}\t{at}\t{at + 11}\tx\t1\n" for c in contigs for at in range(0, 59_980, 20)]
    (tmp_path / "f.frag").write_text("".join(ends))
    for signal, control in ((flat, "f.frag"), ("f.frag", flat)):
        columns = (("signal", {"A_K562": signal}), ("control", {"A_K562": control}))
        source = assays(sheet=with_sheet(cohort, tmp_path, *columns), tasks=["A_K562"], labels={"of": "signal"})
        batch, _ = everything(source.examples("test"))
        np.testing.assert_allclose(batch["target/binding"], 0, atol=0.02)


def test_fragments_are_counted_by_position_and_replicates_are_pooled(assays, cohort, tmp_path):
    for name, first in (("1.frag", 1_000), ("2.frag", 1_010)):
        (tmp_path / name).write_text(f"chr3\t{first}\t{first + 50}\tx\t1\n")
    rows = [{"name": "C", "peaks": "A_K562.bed", "signal": f"{i}.frag", "replicate": i} for i in (1, 2)]
    sheet = with_sheet(cohort, tmp_path, ("signal", {}), ("replicate", {}), rows=rows)
    source = assays(sheet=sheet, tasks=["C"], labels={"of": "profile", "bin_size": 10})
    field = source.targets["binding"]
    assert (field.axes, field.bin_size, field.values, field.channels) == ("CT", 10, "count", ("C",))
    examples = source.examples("test")
    row = np.flatnonzero(examples.identity(np.arange(len(examples)))["start"] == 900)
    batch = examples.batch(row)
    assert np.flatnonzero(batch["target/binding"][0, 0]).tolist() == [10, 11, 14, 15]
    assert batch["weight/binding"].shape == (1, 1, 1)
    wider = examples.batch(row, margin=100)["target/binding"]
    np.testing.assert_array_equal(wider[:, :, 10:-10], batch["target/binding"])


def test_the_signal_of_an_example_is_that_of_its_cell(assays, cohort, tmp_path):
    for cell, value in (("K562", 1), ("liver", 3)):
        bedgraph(tmp_path / f"{cell}.bedGraph", *((c, 0, 60_000, value) for c in ("chr1", "chr2", "chr3")))
    rows = [
        {"name": f"atac_{c}", "assay": "atac", "cell": c, "signal": f"{c}.bedGraph", "role": "input"}
        for c in ("K562", "liver")
    ]
    sheet = with_sheet(cohort, tmp_path, ("signal", {}), ("role", {}), rows=rows)
    source = assays(sheet=sheet, examples="contexts", signals={"bin_size": 50, "transform": "none"})
    assert source.inputs["signal"].channels == ("atac",)
    batch, _ = everything(source.examples("test"))
    assert batch["signal"].shape[1:] == (1, 4)
    np.testing.assert_array_equal(batch["signal"][:, 0, 0], np.where(batch["context"] == 0, 1, 3))
    checks = check_source(source)
    assert not [check for check in checks if check.ok is False]
    alone = assays(sheet=sheet, where="cell=liver", signals={"transform": "none"})
    assert (everything(alone.examples("test"))[0]["signal"] == 3).all()
    with pytest.raises(ConfigError, match="the inputs are of cells K562, liver, and an interval has one signal"):
        assays(sheet=sheet)
    lacking = with_sheet(cohort, tmp_path, ("signal", {}), ("role", {}), rows=rows[:1])
    source = assays(sheet=lacking, examples="contexts")
    batch, _ = everything(source.examples("test"))
    np.testing.assert_array_equal(batch["present/signal"], batch["context"] == 0)
    assert not batch["signal"][batch["context"] == 1].any()
    with pytest.raises(ConfigError, match="bin_size 32 does not divide the window of 200 bp"):
        assays(sheet=sheet, examples="contexts", signals={"bin_size": 32})


def test_a_cohort_keeps_the_contract_of_a_source(assays):
    for changes in ({}, {"examples": "contexts"}, {"labels": {"heads": "assay"}}):
        checks = check_source(assays(**changes))
        assert not [check for check in checks if check.ok is False]


def test_windows_on_n_or_the_blacklist_are_left_out_and_counted(assays, cohort, tmp_path):
    (tmp_path / "black.bed").write_text("chr1\t900\t901\nchr3\t0\t30000\n")
    source = assays(windows={"blacklist": str(tmp_path / "black.bed")})
    for split, start, end in (("train", 900, 901), ("test", 0, 30_000)):
        _, where = everything(source.examples(split))
        assert not ((where["start"] < end) & (where["end"] > start)).any()
        assert source.dropped[f"{split}_windows_on_the_blacklist"] > 0


def test_matched_negatives_have_the_gc_of_the_peaks_and_are_no_peaks(assays):
    source = assays(negatives={"how": "gc", "min_distance": 100})
    batch, where = everything(source.examples("train"))
    background = where["name"] == "background"
    assert background.sum() == (~background).sum()
    assert not batch["target/binding"][background].any()
    assert (batch["weight/binding"] == 1).all()
    assert source.describe()["negatives"]["train"]["histogram_distance"] < 0.1
    assert not (everything(assays(negatives={"how": "none"}).examples("train"))[1]["name"] == "background").any()


def test_what_an_experiment_cannot_say_is_a_note_or_one_sentence(assays, cohort, tmp_path):
    (tmp_path / "empty.bed").write_text("")
    (tmp_path / "test_only.bed").write_text("chr3\t7000\t7001\n")
    (tmp_path / "other.bed").write_text("chr1\t70000\t70001\n")
    (tmp_path / "unknown.bed").write_text("scaffold_9\t7\t9\n")
    rows = [
        {"name": name, "target": name, "cell": "x", "peaks": tmp_path / f"{name}.bed"}
        for name in ("empty", "test_only")
    ]
    source = assays(sheet=with_sheet(cohort, tmp_path, rows=rows))
    assert source.tasks == ("A_K562", "B_K562", "A_liver", "B_liver")
    notes = " | ".join(source.notes)
    assert "empty left out: fewer than 1 peaks on the genome" in notes
    assert "test_only left out: no training window is a positive" in notes
    assert "experiments are of 2 batches, so that an interval has no one domain" in notes
    assert source.domains == ()
    assert assays(where="batch=lab1").domains == ("lab1",)
    with pytest.raises(ConfigError, match="no task has both positives and negatives"):
        assays(sheet=with_sheet(cohort, tmp_path, rows=rows), tasks=["test_only"])
    refusals = {
        "other": "other.bed line 1: end 70,001 is past the end of 1",
        "unknown": "unknown.bed: genome 'toy' has no contig 'scaffold_9'",
    }
    for name, message in refusals.items():
        with pytest.raises(GenomeMismatch, match=message):
            assays(sheet=with_sheet(cohort, tmp_path, rows=[{"name": "x", "peaks": tmp_path / f"{name}.bed"}]))
    with pytest.raises(ConfigError, match="line 6: experiment 'x' names no peaks, of which its labels are made"):
        assays(sheet=with_sheet(cohort, tmp_path, rows=[{"name": "x"}]))
    (tmp_path / "places.bed").write_text("")
    with pytest.raises(ConfigError, match=r"places\.bed names no place on the genome"):
        assays(windows={"length": 200, "core": 100, "places": str(tmp_path / "places.bed")})
    with pytest.raises(ConfigError, match="has no column 'peaks', of which labels are made"):
        assays(sheet=with_sheet(cohort, tmp_path, drop=("peaks",)))
    with pytest.raises(ConfigError, match="names no cell: fill the column"):
        assays(sheet=with_sheet(cohort, tmp_path, drop=("cell",)), examples="contexts")
    with pytest.raises(ConfigError, match="data=assays needs a sheet"):
        assays(sheet=None)


def test_values_that_are_no_number_in_a_bigwig_are_counted_and_read_as_zero(assays, cohort, tmp_path):
    import pybigtools

    chroms = {"1": 60_000, "2": 60_000, "3": 60_000}
    values = [("1", 0, 100, 1.0), ("3", 900, 1_000, float("nan")), ("3", 1_000, 1_100, 2.0)]
    pybigtools.open(str(tmp_path / "s.bw"), "w").write(chroms, iter(values))
    sheet = with_sheet(cohort, tmp_path, ("signal", {"A_K562": "s.bw"}))
    source = assays(sheet=sheet, tasks=["A_K562"], labels={"of": "signal"})
    batch, where = everything(source.examples("test"))
    assert batch["target/binding"][where["start"] == 900].tolist() == [[1.0]]
    notes = " | ".join(source.notes)
    assert "signal: 100 bp of track 's.bw' have no finite value: they are read as 0" in notes
    assert "track 's.bw' holds no value on 1 contigs of the genome (2): it is 0 there" in notes
    notes = " | ".join(assays(mappability=str(tmp_path / "s.bw")).notes)
    assert "covariates: 100 bp of track 'mappability' have no finite value" in notes


def test_a_mixture_keeps_the_cells_and_batches_of_its_cohorts(assays):
    first, second = assays(examples="contexts", where="cell=liver"), assays(examples="contexts")
    mixture = Mixture(sources={"a": first, "b": second})
    assert mixture.contexts == ("liver", "K562")
    assert mixture.domains == ("lab2", "lab1")
    assert mixture.inputs["context"].vocabulary == mixture.contexts
    batch, where = everything(mixture.examples("test"))
    names = np.array(mixture.contexts)[batch["context"]]
    assert (names[where["source"] == "a"] == "liver").all()
    assert (names[where["source"] == "b"] == where["cell"][where["source"] == "b"]).all()
    np.testing.assert_array_equal(batch["context"], batch["domain"])
    relabelled = Mixture(sources={"a": first, "b": second}, domains={"a": "mine"})
    assert relabelled.domains == ("mine", "lab1", "lab2")
    batch, where = everything(relabelled.examples("test"))
    assert (batch["domain"][where["source"] == "a"] == 0).all()
    assert set(batch["domain"][where["source"] == "b"]) == {1, 2}


def test_matched_negatives_keep_away_from_places_too(assays, cohort, tmp_path):
    places = [("chr1", at, at + 1) for at in range(700, 59_000, 900)]
    for contig in ("chr2", "chr3"):
        places += [(contig, at, at + 1) for _, at, _ in places[:10]]
    bedgraph(tmp_path / "places.bed", *places)
    bedgraph(tmp_path / "s.bedGraph", ("chr1", 0, 60_000, 2))
    rows = [{"name": "C", "signal": "s.bedGraph"}]
    sheet = with_sheet(cohort, tmp_path, ("signal", {}), rows=rows)
    negatives = {"how": "gc", "min_distance": 10, "per_window": 0.5}
    windows = {"places": str(tmp_path / "places.bed")}
    source = assays(sheet=sheet, tasks=["C"], labels={"of": "signal"}, windows=windows, negatives=negatives)
    batch, where = everything(source.examples("train"))
    assert (batch["target/binding"] == 2).all()
    at_place, start = where["name"] == "peak", where["start"]
    assert at_place.sum() == len(range(700, 59_000, 900))
    assert (np.abs(start[~at_place][:, None] + 100 - np.array([at for c, at, _ in places if c == "chr1"])) > 100).all()
    with pytest.raises(ConfigError, match="names peaks, at which windows would stand: name a BED file"):
        assays(sheet=sheet, tasks=["C"], labels={"of": "signal"})
