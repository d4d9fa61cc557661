"""data=mixture: several sources as one, with weights, domains and contexts, and without leaks between them."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest

from zoo.data.codes import decode, reverse_complement
from zoo.data.genome import Genome
from zoo.data.sources.mixture import Mixture
from zoo.data.sources.simulation import Simulated
from zoo.errors import ConfigError
from zoo.fields import Field
from zoo.testing.source import check_source
from zoo.training.loader import Loader
from zoo.training.plan import TrainingPlan

SPLITS = {"train": ["chr1:0-150000"], "validation": ["chr1:150000-"], "test": ["chr2"]}
SMALL = {"name": "simulated", "n_train": 60, "n_validation": 20, "n_test": 30, "length": 60}


def labs(**changes):
    """Two simulated laboratories of different GC content."""
    sources = {"a": SMALL, "b": {**SMALL, "seed": 1, "n_train": 20, "rows": {"gc": 0.6}}}
    return Mixture(**{"sources": sources, "domains": {"a": "left", "b": "right"}, **changes})


def peaks_and_sequences(folder, short=(), training_negatives=None, **changes):
    """Peaks that judge, and ready-made sequences with a target of their own."""
    peaks = {"peaks": "x.narrowPeak", "splits": SPLITS, "negatives": {"min_distance": 50}}
    sources = {
        "peaks": {"name": "peaks", **peaks, "windows": {"length": 120}, "task": "CTCF"},
        "short": {
            **{"name": "bound_sequences", **peaks, "sequences": "extra.fa", "target": "short", "task": "CTCF_short"},
            **dict(short),
        },
    }
    sources["peaks"]["negatives"] = {"min_distance": 50, "per_training_positive": training_negatives}
    genome = {"name": "toy", "fasta": str(folder / "g.fa")}
    return Mixture(**{"sources": sources, "root": str(folder), "genome": genome, **changes})


def everything(examples, length=None):
    rows = np.arange(len(examples)) if length is None else np.flatnonzero(examples.lengths == length)
    return examples.batch(rows), examples.identity(rows)


def checksum(examples):
    """Number and checksum of the examples in any order: codes, and the labels that have a weight."""
    rows = []
    for i in range(len(examples)):
        batch = examples.batch(np.array([i]))
        numbers = [
            batch[f"{kind}/{target}"] * (batch[f"weight/{target}"] > 0)
            for kind in ("target", "weight")
            for target in ("binding", "short")
        ]
        rows.append(batch["codes"].tobytes() + b"".join(np.float32(x).tobytes() for x in numbers))
    return len(rows), hashlib.sha256(b"".join(sorted(rows))).hexdigest()[:16]


def test_every_row_says_its_domain_and_the_rows_are_those_of_the_sources():
    source = labs()
    assert source.domains == ("left", "right")
    examples = source.examples("train")
    batch, where = everything(examples)
    assert batch["domain"].tolist() == [0] * 60 + [1] * 20
    assert batch["domain"].dtype == np.int64
    for name, alone, rows in (("a", Simulated, slice(0, 60)), ("b", Simulated, slice(60, 80))):
        arguments = {"a": {}, "b": {"seed": 1, "rows": {"gc": 0.6}}}[name]
        own = alone(n_train={"a": 60, "b": 20}[name], n_validation=20, n_test=30, length=60, **arguments)
        made = own.examples("train").batch(np.arange(len(own.examples("train"))))
        assert (batch["codes"][rows] == made["codes"]).all()
        assert (batch["target/binding"][rows] == made["target/binding"]).all()
    assert where["source"].tolist() == ["a"] * 60 + ["b"] * 20
    assert (examples.groups["source b"] == (batch["domain"] == 1)).all()
    mixed = np.array([70, 3, 61, 5])
    assert (examples.batch(mixed)["codes"] == batch["codes"][mixed]).all()
    assert examples.identity(np.array([70]))["name"].tolist() == ["train_10"]


def test_a_mixture_keeps_the_contract_of_a_data_source_and_describes_itself():
    checks = check_source(labs(contexts={"a": "K562", "b": "GM12878"}))
    assert [c.name for c in checks if c.status == "failed"] == []
    source = labs(repeat={"a": 2})
    described = source.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["n"]["train"] == {"a": 120, "b": 20}
    assert described["audit"]["clean"]
    again = Mixture(**{k: v for k, v in described["config"].items() if k != "name"})
    for split in ("train", "test"):
        assert (everything(again.examples(split))[0]["codes"] == everything(source.examples(split))[0]["codes"]).all()


def test_what_a_source_left_out_is_told_by_its_name(tmp_path):
    sequences = [decode(codes) for codes in np.random.default_rng(0).integers(0, 4, (60, 60)).astype(np.uint8)]
    table = "".join(f"{i},{letters},{i % 2}\n" for i, letters in enumerate(sequences))
    (tmp_path / "t.csv").write_text(f"id,sequence,bound\n{table}")
    (tmp_path / "p.fa").write_text("".join(f">{i}\n{s}\n" for i, s in enumerate([*sequences[:30], *sequences[:2]])))
    (tmp_path / "n.fa").write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences[30:])))
    fasta = {"name": "fasta", "positives": "p.fa", "negatives": "n.fa", "target": "value", "task": "bound"}
    both = Mixture(sources={"a": {"name": "table", "table": "t.csv"}, "b": fasta}, root=str(tmp_path))
    assert any(note.startswith("a: columns left out: 'id' (row names)") for note in both.notes)
    assert "b: left out 2 duplicates" in both.notes


def test_contexts_are_an_input_and_every_source_must_have_one():
    source = labs(contexts={"a": "K562", "b": "GM12878"})
    assert source.inputs["context"].vocabulary == source.contexts == ("K562", "GM12878")
    assert everything(source.examples("test"))[0]["context"].tolist() == [0] * 30 + [1] * 30
    with pytest.raises(ConfigError, match="names no context of source 'b'"):
        labs(contexts={"a": "K562"})


def test_a_source_without_a_domain_is_of_none():
    batch, _ = everything(labs(domains={"b": "right"}).examples("test"))
    assert batch["domain"].tolist() == [-1] * 30 + [0] * 30


def test_repeated_sources_come_again_in_training_and_weights_draw_in_their_proportions():
    plain, repeated = labs().examples("train"), labs(repeat={"b": 3}).examples("train")
    assert (len(plain), len(repeated), plain.weights) == (80, 120, None)
    assert (everything(repeated)[0]["codes"][-20:] == everything(plain)[0]["codes"][-20:]).all()
    assert len(labs(repeat={"b": 3}).examples("test")) == 60
    examples = labs(weights={"a": 1, "b": 3}).examples("train")
    assert examples.weights[:60].sum() * 3 == pytest.approx(examples.weights[60:].sum())
    loader = Loader(examples, batch_size=40, shuffle=True)
    domains = np.concatenate([batch["domain"].numpy() for _ in range(20) for batch in loader])
    assert domains.mean() == pytest.approx(0.75, abs=0.05)


def test_what_the_sources_do_not_agree_on_is_said():
    with pytest.raises(ConfigError, match=r"targets 'binding' of source 'b' is .* but of 'a' .* make them alike"):
        labs(sources={"a": SMALL, "b": {**SMALL, "motifs": ["SPI1"]}})
    with pytest.raises(ConfigError, match=r"data\.domains\.aa names no source: did you mean|choose from"):
        labs(domains={"aa": "left"})
    with pytest.raises(ConfigError, match=r"set data\.sources\.NAME\.name="):
        Mixture()
    tracked = Simulated(n_train=5, n_validation=5, n_test=5)
    tracked.inputs = {"signal": Field("AT", channels=("ATAC",))}
    with pytest.raises(ConfigError, match="source 'b' of data=mixture has no input 'signal'"):
        Mixture(sources={"a": tracked, "b": Simulated(n_train=5, seed=1)})


def test_a_target_that_a_source_lacks_has_no_weight_there(folder):
    source = peaks_and_sequences(folder)
    assert source.targets["short"].channels == ("CTCF_short",)
    assert source.input_length == 120
    for length, own, other in ((120, "binding", "short"), (60, "short", "binding")):
        batch, _ = everything(source.examples("train"), length)
        assert (batch[f"weight/{own}"] > 0).all(), "windows of one length are labelled for one target"
        assert (batch[f"weight/{other}"] == 0).all()
        assert 0 < batch[f"target/{own}"].mean() < 1
    batch, where = everything(source.examples("test"))
    assert (batch["weight/short"] == 0).all()
    assert set(where) == {"chrom", "start", "end", "name", "peak_width"}
    assert set(source.examples("test").groups) == {"peaks <= 2,000 bp"}


def test_peaks_with_bound_sequences_beside_them_are_the_same_examples_as_ever(folder):
    """Checksums of the examples that one source made of both before there was a mixture."""
    source = peaks_and_sequences(folder, training_negatives=3, repeat={"peaks": 2})
    assert checksum(source.examples("train")) == (468, "957e5053fe3b02fb")
    assert checksum(source.examples("validation")) == (32, "3422f874de631b57")
    assert checksum(source.examples("test")) == (130, "1fdd2cae2b390a75")
    shorter = peaks_and_sequences(folder, {"margin": 8}, seed=3)
    assert checksum(shorter.examples("train")) == (174, "79116d9d966e877b")


def test_a_training_sequence_that_another_source_judges_by_is_dropped_on_either_strand(folder, tmp_path):
    held = reverse_complement(Genome(folder / "g.fa").fetch("2", 3_040, 3_160))
    (tmp_path / "twin.fa").write_text(f">twin\n{decode(held)}\n>other\n{'ACGT' * 30}\n")
    source = peaks_and_sequences(folder, {"sequences": str(tmp_path / "twin.fa"), "target": "binding", "task": "CTCF"})
    described = source.describe()
    assert described["dropped"] == {"short_train_in_a_later_split": 1}
    assert described["audit"]["clean"]
    assert list(source.targets) == ["binding"]


@pytest.mark.data
def test_real_ctcf_peaks_are_matched_and_do_not_leak(monkeypatch, tmp_path):
    from zoo.config import compose

    data = os.environ.get("ZOO_DATA", "")
    if not data or not (Path(data) / "ctcf").is_dir():
        pytest.skip("ZOO_DATA names no folder with ctcf/ and hg19/")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    described = TrainingPlan.of(compose(["experiment=ctcf", f"data.root={data}"])).source.describe()
    peaks, short = described["sources"]["peaks"], described["sources"]["short"]
    assert peaks["n"]["test"] == {"positives": 1133, "negatives": 1133}
    assert short["n"]["train"]["positives"] > 36_000
    assert described["audit"]["clean"]
    for report in (*(peaks["negatives"][s] for s in ("train", "validation", "test")), short["negatives"]["train_100"]):
        assert abs(report["auroc_of_gc"] - 0.5) < 0.005
        assert report["borrowed"] == 0
