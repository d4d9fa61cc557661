"""Domains and covariates of rows, and a domain left out of training, in tables, FASTA, mixtures and simulations."""

import json

import numpy as np
import pytest

from zoo.data.codes import decode
from zoo.data.sequences import Sequences
from zoo.data.sources.domains import gc_content, header_values, hold_out
from zoo.data.sources.fasta import Fasta
from zoo.data.sources.mixture import Mixture
from zoo.data.sources.simulated_labs import SimulatedLabs
from zoo.data.sources.table import Table
from zoo.errors import ConfigError, DataError
from zoo.testing.source import check_source


def letters(seed, n, length=20):
    return [decode(row) for row in np.random.default_rng(seed).integers(0, 4, (n, length), np.uint8)]


def whole(source, split):
    examples = source.examples(split)
    rows = np.arange(len(examples))
    return examples.batch(rows), examples.identity(rows)


@pytest.fixture
def table(tmp_path):
    """Three labs of 30 rows; the first four of `c` are sequences of `a`; depth is missing in a row."""
    lines = ["sequence\tbound\tlab\tdepth"]
    for lab, seed in (("a", 1), ("b", 2), ("c", 3)):
        rows = letters(seed, 30)
        if lab == "c":
            rows[:4] = letters(1, 4)
        lines += [f"{s}\t{i % 2}\t{lab}\t{'' if i == 9 else i}" for i, s in enumerate(rows)]
    path = tmp_path / "labs.tsv"
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def test_a_table_names_the_domain_and_the_covariates_of_every_row(table):
    cohort = {"domain": "lab", "covariates": ["depth", "gc"]}
    source = Table(table=table, cohort=cohort, splits={"validation": 0.2, "test": 0.2})
    assert (source.domains, source.covariates) == (("a", "b", "c"), ("depth", "gc"))
    assert source.targets["value"].channels == ("bound",)
    assert all(check.ok is not False for check in check_source(source))
    for split in ("train", "validation", "test"):
        batch, identity = whole(source, split)
        assert batch["domain"].dtype == np.int64
        assert identity["domain"].tolist() == [source.domains[d] for d in batch["domain"]]
        gc = ((batch["codes"] == 1) | (batch["codes"] == 2)).mean(1)
        np.testing.assert_allclose(batch["covariates"][:, 1], gc, atol=1e-6)
    everywhere = np.concatenate([whole(source, s)[0]["covariates"][:, 0] for s in ("train", "validation", "test")])
    assert np.isnan(everywhere).sum() == 3
    assert json.loads(json.dumps(source.describe()))["covariates"] == ["depth", "gc"]


def test_one_lab_is_the_test_without_what_training_knows(table):
    source = Table(table=table, targets="bound", cohort={"domain": "lab", "held_out": "c"}, splits={"validation": 0.2})
    domains = {split: set(whole(source, split)[1]["domain"]) for split in ("train", "validation", "test")}
    assert domains == {"train": {"a", "b"}, "validation": {"a", "b"}, "test": {"c"}}
    assert len(source.examples("test")) == 26
    assert source.dropped["of_held_out_domain_known_from_training"] == 4
    assert len(source.examples("train")) + len(source.examples("validation")) == 60
    description = source.describe()
    assert description["audit"]["clean"]
    assert description["dropped"] == {"of_held_out_domain_known_from_training": 4}
    assert description["domains"]["test"] == {"a": 0, "b": 0, "c": 26}


def test_what_cannot_be_held_out_is_refused_with_what_to_do(table, tmp_path):
    with pytest.raises(ConfigError, match="needs the domain of every row"):
        Table(table=table, targets="bound", cohort={"held_out": "c"})
    with pytest.raises(ConfigError, match="'d' is no domain: choose from a, b, c"):
        Table(table=table, targets="bound", cohort={"domain": "lab", "held_out": "d"})
    with pytest.raises(DataError, match="no covariate 'mappability': name a column of it, or gc"):
        Table(table=table, targets="bound", cohort={"domain": "lab", "covariates": ["mappability"]})
    with pytest.raises(DataError, match="'x' is no number"):
        path = tmp_path / "bad.tsv"
        path.write_text("sequence\tbound\tdepth\nACGT\t1\tx\nACGA\t0\t2\n")
        Table(table=str(path), cohort={"covariates": ["depth"]})
    one = tmp_path / "one.tsv"
    one.write_text("sequence\tbound\tlab\n" + "".join(f"{s}\t{i % 2}\ta\n" for i, s in enumerate(letters(5, 12))))
    with pytest.raises(ConfigError, match="leaves nothing to train on, since all rows are of that domain"):
        Table(table=str(one), cohort={"domain": "lab", "held_out": "a"})
    with pytest.raises(ConfigError, match="no laboratory: choose from a, b"):
        SimulatedLabs(held_out_domain="z")


def test_holding_out_gives_every_row_one_place_or_a_reason():
    split = np.array([0, 0, 1, 2, 0, 1, 2, 2], np.int8)
    held = np.array([0, 0, 0, 0, 1, 1, 1, 1], bool)
    groups = np.array([1, 2, 3, 4, 5, 6, 1, 8], np.uint64)
    codes, left_out = hold_out(split, held, groups, test_is_stated=True)
    assert codes.tolist() == [0, 0, 1, -1, -1, -1, -1, 2]
    assert list(left_out.values()) == [1, 2, 1]
    codes, left_out = hold_out(split, held, groups, test_is_stated=False)
    assert codes.tolist() == [0, 0, 1, -1, 2, 2, -1, 2]
    assert (codes == -1).sum() == sum(left_out.values())


def fasta(path, rows, lab=None):
    """rows: (chrom, start, sequence, class)."""
    keys = f" batch:{lab};" if lab else ""
    path.write_text("".join(f">{c}:{s}-{s + len(q)};{keys} class:{k}\n{q}\n" for c, s, q, k in rows))
    return str(path)


def records(seed, n, chrom, first=0):
    return [(chrom, first + 100 * i, s, i % 2) for i, s in enumerate(letters(seed, n))]


def test_headers_of_fasta_name_the_domain_and_overlaps_of_the_test_are_left_out(tmp_path):
    parts = {"a": records(1, 20, "chr1"), "b": records(2, 20, "chr2")}
    parts["c"] = [*records(3, 10, "chr3"), ("chr1", 5, letters(9, 1)[0], 1), ("chr9", 5, parts["b"][0][2], 0)]
    files = [fasta(tmp_path / f"{lab}.fa", rows, lab) for lab, rows in parts.items()]
    cohort = {"domain": "batch", "covariates": "gc", "held_out": "c"}
    source = Fasta(positives=files, cohort=cohort, splits={"validation": 0.2})
    batch, identity = whole(source, "test")
    assert set(identity["domain"]) == {"c"}
    assert len(identity["name"]) == 10, "one overlaps a sequence of a, one is a sequence of b"
    assert batch["covariates"].shape == (10, 1)
    assert source.dropped["of_held_out_domain_known_from_training"] == 2
    assert set(whole(source, "train")[1]["domain"]) == {"a", "b"}
    together = Fasta(positives=files, cohort={"domain": "batch"})
    assert {d for s in ("train", "validation", "test") for d in whole(together, s)[1]["domain"]} == {"a", "b", "c"}
    with pytest.raises(DataError, match="says lab:NAME"):
        Fasta(positives=files, cohort={"domain": "lab"})


def test_the_same_sequence_in_two_batches_is_kept_in_both(tmp_path):
    rows = records(1, 20, "chr1")
    files = [fasta(tmp_path / f"{lab}.fa", rows, lab) for lab in "ab"]
    source = Fasta(positives=files, cohort={"domain": "batch"})
    assert sum(len(source.examples(s)) for s in ("train", "validation", "test")) == 40
    assert source.describe()["audit"]["clean"]


def test_a_mixture_trains_on_the_other_files_and_judges_by_one(tmp_path):
    sources = {}
    for lab, seed in (("a", 1), ("b", 2), ("c", 3)):
        test = records(seed + 10, 8, f"chr{seed}", 50_000)
        if lab == "c":
            test += [("chr1", 3, letters(20, 1)[0], 0), ("chr8", 0, records(2, 30, "chr2")[4][2], 1)]
        sources[lab] = {
            "name": "fasta",
            "positives": fasta(tmp_path / f"{lab}.fa", records(seed, 30, f"chr{seed}")),
            "test_positives": fasta(tmp_path / f"{lab}_test.fa", test),
        }
    domains = {lab: lab for lab in sources}
    source = Mixture(sources=sources, domains=domains, held_out_domain="c")
    sides = {split: set(whole(source, split)[1]["domain"]) for split in ("train", "validation", "test")}
    assert sides == {"train": {"a", "b"}, "validation": {"a", "b"}, "test": {"c"}}
    assert len(source.examples("test")) == 8
    assert source.dropped["c_test_known_from_training"] == 2
    assert source.describe()["audit"]["clean"]
    assert len(Mixture(sources=sources, domains=domains).examples("test")) == 26
    with pytest.raises(ConfigError, match="names no domain of"):
        Mixture(sources=sources, domains=domains, held_out_domain="z")
    with pytest.raises(ConfigError, match="all sources are of that domain"):
        Mixture(sources=sources, domains=dict.fromkeys(sources, "a"), held_out_domain="a")


def test_simulated_labs_hold_what_they_say():
    labs = {"a": {"positives": 0.9, "negatives": 0.1}, "b": {"gc": 0.3, "gc_of_positives": 0.6, "prevalence": 0.2}}
    source = SimulatedLabs(labs=labs, n_train=400, n_validation=50, n_test=50)
    assert all(check.ok is not False for check in check_source(source))
    batch, _ = whole(source, "train")
    label, (gc, artefact) = batch["target/binding"][:, 0], batch["covariates"].T
    shares = [artefact[(batch["domain"] == 0) & (label == k)].mean() for k in (0, 1)]
    assert shares == pytest.approx([0.1, 0.9], abs=0.06)
    assert artefact[batch["domain"] == 1].sum() == 0
    assert label[batch["domain"] == 1].mean() == pytest.approx(0.2)
    of_b = batch["domain"] == 1
    assert gc[of_b & (label == 1)].mean() - gc[of_b & (label == 0)].mean() > 0.15
    adapter = "AGATCGGAAGAGC"
    assert [adapter in decode(c) for c in batch["codes"][:50]] == (artefact[:50] == 1).tolist()
    held = SimulatedLabs(labs=labs, held_out_domain="b", n_train=40, n_validation=10, n_test=10)
    assert set(whole(held, "train")[0]["domain"]) == {0}
    assert set(whole(held, "test")[0]["domain"]) == {1}


def test_gc_is_that_of_the_known_bases_and_headers_are_read_by_key():
    sequences = Sequences.from_letters(["GGCC", "AANN", "NNN", "ACGTA"])
    np.testing.assert_allclose(gc_content(sequences), [1, 0, np.nan, 0.4])
    sequences.headers[:] = ["a; batch:x", "b batch = y; class:1", "c", "mybatch:z"]
    assert header_values(sequences, "batch") == ["x", "y", "", ""]
