"""`data=mixture`: several data sources as one, each with a weight, a domain and a context.

{name: source} -> targets agree -> leaks between the sources dropped -> batches of rows from all of them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zoo.data.leakage_audit import audit_source
from zoo.data.source import SPLITS, Examples, Source
from zoo.data.sources.mixture_splits import MixtureSplits
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.registry import registry


class Mixture(Source):
    """Named sources side by side: other experiments, laboratories, species, or sequences that only teach the encoder.

    sources: {source: {name: ..., arguments}}.  The first one's window is the one that the model is built for.
        Targets of one name must be the same field; where a source lacks a target, its weight is 0.
    repeat: {source: times an epoch that each of its training examples is seen}, 1 where not named.
    weights: {source: share} of an epoch's training examples, which are then drawn with replacement in these
        proportions; a source that is not named has share 1.
    domains: {source: domain} that the batch names in `domain` (N,), ids into `Source.domains`; a source that is
        not named keeps its own domains, -1 without any.
    contexts: {source: context} likewise in `context` (N,), an input; every source has one, stated or its own, or
        none has.
    held_out_domain: the domain whose sources' test examples are the test; the others' are training and validation.
    root, genome, seed: passed to every source that takes them and sets none itself.

    No sequence is on two sides, see `MixtureSplits`.  Between the training examples of the sources nothing is dropped:
    laboratories may measure the same sequence.
    """

    def __init__(
        self,
        *,
        sources: Mapping[str, Source] | None = None,
        repeat: Mapping[str, int] | None = None,
        weights: Mapping[str, float] | None = None,
        domains: Mapping[str, str] | None = None,
        contexts: Mapping[str, str] | None = None,
        held_out_domain: str | None = None,
        root: str | None = None,
        genome: Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        if not sources:
            raise ConfigError("data=mixture needs sources: set data.sources.NAME.name=peaks and its arguments")
        shared = {"root": root, "genome": genome, "seed": seed}
        self.sources = {name: _build(name, source, shared) for name, source in sources.items()}
        labels = {"repeat": repeat, "weights": weights, "domains": domains, "contexts": contexts}
        self.labels = {k: {n: v for n, v in (values or {}).items() if v is not None} for k, values in labels.items()}
        for key, values in self.labels.items():
            for name in values:
                if name not in self.sources:
                    raise ConfigError(f"data.{key}.{name} names no source" + did_you_mean(name, self.sources))
        for name, times in self.labels["repeat"].items():
            if not isinstance(times, int) or times < 1:
                raise ConfigError(f"data.repeat.{name} is {times!r}: give a whole number of 1 or more")
        first = next(iter(self.sources.values()))
        self.input_length, self.genome = first.input_length, getattr(first, "genome", None)
        self.inputs, self.targets = self._agreed("inputs"), self._agreed("targets")
        self.domains, self.contexts = self._vocabulary("domains"), self._vocabulary("contexts")
        self.covariates = self._agreed_covariates()
        for key, field in self.inputs.items():
            for name, source in self.sources.items():
                if field.required and key not in source.inputs:
                    raise ConfigError(f"source {name!r} of data=mixture has no input {key!r}, which another has")
        if self.contexts:
            self.inputs["context"] = Field("", values="class", vocabulary=self.contexts)
        self.notes = list(_notes(self.sources))
        self._splits = MixtureSplits(self.sources, self._sources_of(held_out_domain))
        self.dropped = self._splits.dropped
        self._examples: dict[str, MixedExamples] = {}

    def examples(self, split: str) -> MixedExamples:
        """The rows of all sources, one source after another; repeated ones come again behind them."""
        if split not in SPLITS:
            raise ConfigError(f"there is no split {split!r}: choose from {', '.join(SPLITS)}")
        if split not in self._examples:
            self._examples[split] = MixedExamples(self, split, {n: self._splits.of(split, n) for n in self.sources})
        return self._examples[split]

    def describe(self) -> dict[str, Any]:
        """Every source's own description, n by split and source, what was dropped, the leakage audit of the whole."""
        described = {name: source.describe() for name, source in self.sources.items()}
        for description in described.values():
            description.pop("audit", None)  # the mixture has one of its own
        labels = {key: values for key, values in self.labels.items() if values}
        configs = {n: d.pop("config", None) for n, d in described.items()}
        licences = dict.fromkeys(d["licence"] for d in described.values() if d.get("licence"))
        genomes = [d.pop("genome") for d in described.values() if d.get("genome")]
        return {
            "source": "mixture",
            "sources": described,
            **labels,
            "licence": "; ".join(licences),
            **({"genome": genomes[0]} if genomes else {}),
            "splits": {name: d.get("splits") for name, d in described.items()},
            "n": {split: self.examples(split).n for split in SPLITS},
            "dropped": {k: v for k, v in self.dropped.items() if v},
            **({"audit": audit_source(self)} if "codes" in self.examples("train").batch(np.array([0])) else {}),
            **({"config": {"name": "mixture", "sources": configs, **labels}} if all(configs.values()) else {}),
        }

    def _agreed(self, which: str) -> dict[str, Field]:
        """Inputs or targets of all sources; a name must mean one field."""
        agreed: dict[str, tuple[str, Field]] = {}
        for name, source in self.sources.items():
            for key, field in getattr(source, which).items():
                if (which, key) == ("inputs", "context"):
                    continue  # its vocabulary is that of all sources together
                first, other = agreed.setdefault(key, (name, field))
                if field != other:
                    raise ConfigError(
                        f"{which} {key!r} of source {name!r} is {field.to_dict()}, but of {first!r} {other.to_dict()}: "
                        "give one of them another name, or make them alike"
                    )
        return {key: field for key, (_, field) in agreed.items()}

    def _agreed_covariates(self) -> tuple[str, ...]:
        """Names of the covariates, which are the same in all sources that have some."""
        named = {name: source.covariates for name, source in self.sources.items() if source.covariates}
        if len(set(named.values())) > 1:
            listed = "; ".join(f"{name}: {', '.join(covariates)}" for name, covariates in named.items())
            raise ConfigError(f"the sources of data=mixture have different covariates ({listed}): make them alike")
        return next(iter(named.values()), ())

    def _sources_of(self, domain: str | None) -> list[str]:
        """Sources of the domain that is held out."""
        if domain is None:
            return []
        of = {name: str(label) for name, label in self.labels["domains"].items()}
        held_out = [name for name in self.sources if of.get(name) == str(domain)]
        if not held_out:
            raise ConfigError(
                f"data.held_out_domain {domain!r} names no domain of data.domains"
                + did_you_mean(str(domain), of.values())
            )
        if len(held_out) == len(self.sources):
            raise ConfigError(
                f"data.held_out_domain={domain} leaves nothing to train on: all sources are of that domain"
            )
        return held_out

    def _vocabulary(self, key: str) -> tuple[str, ...]:
        """Names over all sources: what the mixture calls a source, else what the source calls its own rows."""
        stated = {name: (str(label),) for name, label in self.labels[key].items()}
        names = {name: stated.get(name, getattr(source, key)) for name, source in self.sources.items()}
        lacking = next((name for name, own in names.items() if not own), None)
        if key == "contexts" and lacking is not None and any(names.values()):
            raise ConfigError(f"data.contexts names no context of source {lacking!r}: set data.contexts.{lacking}=...")
        return tuple(dict.fromkeys(name for own in names.values() for name in own or ()))


class MixedExamples(Examples):
    """Rows of several sources.

    n: {source: examples}.  groups: those of the sources, and every source where several have rows.
    """

    def __init__(self, mixture: Mixture, split: str, parts: Mapping[str, tuple[Examples, np.ndarray]]):
        self._mixture, self._parts = mixture, [examples for examples, _ in parts.values()]
        self._names = list(parts)
        times = [mixture.labels["repeat"].get(name, 1) if split == "train" else 1 for name in parts]
        rows = [(i, r) for turn in range(max(times)) for i, (_, r) in enumerate(parts.values()) if turn < times[i]]
        self._source = np.concatenate([np.full(len(r), i) for i, r in rows])
        self._row = np.concatenate([r for _, r in rows])
        self.lengths = np.concatenate([np.asarray(self._parts[i].lengths)[r] for i, r in rows]).astype(np.int64)
        self.n = {name: int((self._source == i).sum()) for i, name in enumerate(self._names)}
        present = [i for i, name in enumerate(self._names) if self.n[name]]
        self.margin = min((self._parts[i].margin for i in present), default=0)
        self.weights = self._sampling_weights() if split == "train" else None
        groups = {i: self._parts[i].groups for i in present}
        self.groups = {
            name: self._column({i: own[name] for i, own in groups.items() if name in own}, False)
            for name in dict.fromkeys(name for own in groups.values() for name in own)
        }
        if len(present) > 1:
            self.groups |= {f"source {self._names[i]}": self._source == i for i in present}
        first = {i: self._parts[i].batch(np.array([self._row[np.flatnonzero(self._source == i)[0]]])) for i in present}
        self._covariates = max((b["covariates"].shape[1] for b in first.values() if "covariates" in b), default=0)

    def batch(self, indices: np.ndarray, margin: int = 0) -> dict[str, np.ndarray]:
        """indices (N,) of equal length -> the keys that all sources share, and for every target its weight.

        domain, context: (N,) int64 where the mixture names them.  covariates: NaN where a source has none.
        """
        rows = np.asarray(indices, np.int64)
        sources = np.unique(self._source[rows]).tolist() or self._source[:1].tolist()
        at = {i: np.flatnonzero(self._source[rows] == i) for i in sources}
        batches = {i: self._complete(i, self._parts[i].batch(self._row[rows[a]], margin)) for i, a in at.items()}
        for target in self._mixture.targets:  # a source whose labels have no variance does not know it
            if any(f"variance/{target}" in batch for batch in batches.values()):
                for batch in batches.values():
                    shape, none = batch[f"target/{target}"].shape, np.full(1, np.nan, np.float32)
                    batch[f"variance/{target}"] = np.broadcast_to(batch.get(f"variance/{target}", none), shape)
        merged = {}
        for key in set.intersection(*(set(batch) for batch in batches.values())):
            merged[key] = np.concatenate([batch[key] for batch in batches.values()])
            merged[key][np.concatenate(list(at.values()))] = merged[key].copy()
        return {**merged, "index": rows}

    def identity(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """All sources' columns, empty (-1 for numbers) where one has none, and `source` where several have rows."""
        rows = np.asarray(indices, np.int64)
        columns: dict[str, np.ndarray] = {}
        for i in np.flatnonzero(list(self.n.values())):
            at = np.flatnonzero(self._source[rows] == i)
            for key, x in self._parts[i].identity(self._row[rows[at]]).items():
                if key not in columns:
                    numbers = np.issubdtype(np.asarray(x).dtype, np.number)
                    columns[key] = np.full(len(rows), -1 if numbers else "", x.dtype if numbers else object)
                columns[key][at] = x
        if sum(n > 0 for n in self.n.values()) > 1:
            columns["source"] = np.array([self._names[i] for i in self._source[rows]], object)
        for name, domain in self._mixture.labels["domains"].items():
            columns.setdefault("domain", np.full(len(rows), "", object))
            columns["domain"][self._source[rows] == self._names.index(name)] = str(domain)
        return columns

    def _complete(self, i: int, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A source's batch with every target of the mixture, its weight, and the labels of the source."""
        mixture, n = self._mixture, len(next(iter(batch.values())))
        length = batch["codes"].shape[1] if "codes" in batch else mixture.input_length
        for target, field in mixture.targets.items():
            key, absent = f"target/{target}", f"target/{target}" not in batch
            if absent:
                kind = np.int64 if field.values == "class" else np.float32
                batch[key] = np.zeros(field.shape(n, length // field.bin_size), kind)
            weight = np.float32(not absent) * batch.get(f"weight/{target}", np.ones(1, np.float32))
            weight = weight.reshape(*weight.shape, *[1] * (batch[key].ndim - weight.ndim))
            batch[f"weight/{target}"] = np.broadcast_to(weight, batch[key].shape)
        for key, field in mixture.inputs.items():
            if not field.required:  # a source without it has zeros and says so
                there = np.full(n, key in batch, np.float32)
                batch[f"present/{key}"] = batch.get(f"present/{key}", there)
                batch.setdefault(key, np.zeros(field.shape(n, length // field.bin_size), np.float32))
        if self._covariates and "covariates" not in batch:
            batch["covariates"] = np.full((n, self._covariates), np.nan, np.float32)
        for key, names in (("domain", mixture.domains), ("context", mixture.contexts)):
            label = mixture.labels[f"{key}s"].get(self._names[i])
            own = getattr(mixture.sources[self._names[i]], f"{key}s")
            if label is not None:
                batch[key] = np.full(n, names.index(str(label)), np.int64)
            elif own and key in batch:
                ids = np.array([*(names.index(name) for name in own), -1])
                batch[key] = ids[np.maximum(batch[key], -1)]
            elif names and key not in batch:
                batch[key] = np.full(n, -1, np.int64)
        return batch

    def _column(self, values: Mapping[int, np.ndarray], default: Any) -> np.ndarray:
        """(n,) column of the whole from (n_i,) columns of the sources."""
        column = np.full(len(self._row), default, np.result_type(*values.values()))
        for i, x in values.items():
            at = self._source == i
            column[at] = np.asarray(x)[self._row[at]]
        return column

    def _sampling_weights(self) -> np.ndarray | None:
        """(n,) weights that give every source its share, its own weights within it; None where nothing says so."""
        own = [part.weights for part in self._parts]
        shares = self._mixture.labels["weights"]
        if not shares and all(w is None for w in own):
            return None
        within = self._column({i: np.ones(len(p)) if own[i] is None else own[i] for i, p in enumerate(self._parts)}, 0)
        for i, name in enumerate(self._names if shares else ()):
            at = self._source == i
            if at.any():
                within[at] *= float(shares.get(name, 1.0)) / within[at].sum()
        return within


def _notes(sources: Mapping[str, Source]) -> Iterator[str]:
    """What the sources have to say, and what each of them left out, by its name."""
    for name, source in sources.items():
        yield from (f"{name}: {note}" for note in source.notes)
        yield from (f"{name}: left out {n:,} {reason.replace('_', ' ')}" for reason, n in source.dropped.items() if n)


def _build(name: str, source: Mapping[str, Any] | Source, shared: Mapping[str, Any]) -> Source:
    """A source from its name and arguments, with what the mixture shares where it sets none itself."""
    if isinstance(source, Source):
        return source
    if not isinstance(source, Mapping) or not source.get("name"):
        raise ConfigError(f"data.sources.{name} names no data source: set data.sources.{name}.name=peaks")
    arguments = {k: v for k, v in source.items() if k != "name" and not (k in shared and v is None)}
    return registry().build("data", source["name"], arguments, shared)
