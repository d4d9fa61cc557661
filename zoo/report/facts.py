"""Section `facts`: what the model is, who made it of what, and whether its splits share sequence, from its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zoo.hub.card import facts as card_facts
from zoo.report.section import Section, Subject, Table, Text
from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.spec import ModelSpec

_WORDS = {
    "task": "task",
    "window": "reads",
    "inputs": "inputs",
    "outputs": "predicts",
    "encoder": "network",
    "base": "a difference to",
    "members": "networks that answer with their mean",
    "licence": "licence",
    "citation": "cite",
    "cite": "to be cited as",
    "version": "version",
    "parent": "made from",
    "authors": "authors",
    "support": "questions to",
    "requires": "needs",
    "versions": "made with",
}
_SHARED = {
    "overlapping_intervals": "overlapping intervals",
    "duplicates": "equal sequences",
    "reverse_complement_duplicates": "equal sequences on the other strand",
}
_MOST = 8


def facts(subject: Subject) -> Section:
    """A table of the card's facts, then data, splits and leakage in words."""
    spec = subject.model.spec
    known = card_facts(spec)
    rows = [[words, known[key]] for key, words in _WORDS.items() if key in known]
    rows += [[key, value] for key, value in _made(subject) if value]
    rows += [
        [words, "not stated"] for key, words in _WORDS.items() if key in ("licence", "citation") and not known.get(key)
    ]
    parts = [
        Text(known.get("description") or "The model's card holds no description."),
        Table(["", ""], rows, "The model, as its card states it."),
        *_data(spec),
        _leakage(spec.audit),
    ]
    return Section("What the model is", parts)


def _made(subject: Subject) -> Iterator[tuple[str, str]]:
    """Where the weights are from."""
    model, training = subject.model, _mapping(subject.model.spec.training)
    source, revision = (printable(getattr(model, key, None) or "") for key in ("source", "revision"))
    yield "weights from", source if revision in source else f"{source} at {revision}"
    epochs = f"{training['epochs']} epochs" if isinstance(training.get("epochs"), int) else ""
    best = f", the best was {training['best_epoch']}" if isinstance(training.get("best_epoch"), int) else ""
    tuned = _mapping(training.get("finetuning"))
    best += f", then {tuned['epochs']} without augmentation" if isinstance(tuned.get("epochs"), int) else ""
    where = f" on {printable(training['device'])}" if training.get("device") else ""
    strand = f"strand: {printable(training['strand'])}" if training.get("strand") else ""
    yield "trained", "; ".join(filter(None, (f"{epochs}{best}{where}".strip(", "), strand)))


def _data(spec: ModelSpec) -> Iterator[Text | Table]:
    data, genome = _mapping(spec.data), _mapping(spec.genome)
    if not data:
        yield Text("The card says nothing of the data that the model was trained on.", "unsure")
        return
    kind = printable(data.get("source") or data.get("name") or "not named")
    files = [printable(_mapping(f).get("file") or f) for f in _list(data.get("files"))]
    text = f"Data: {kind}" + (f", from {_listed(files)}" if files else "") + "."
    if genome.get("name"):
        named = [printable(f) for f in _list(genome.get("files"))]
        text += f" Genome: {printable(genome['name'])}" + (f" ({_listed(named)})" if named else "") + "."
    negatives = data.get("negatives")
    how = _mapping(negatives).get("how") if isinstance(negatives, Mapping) else negatives
    if how:
        text += f" Negative examples: {printable(how)}."
    for row in map(_mapping, _list(data.get("composition"))[:1]):
        reached = [row.get(f"auroc_of_{what}") for what in ("dinucleotides", "gc")]
        if all(isinstance(value, float) for value in reached):
            text += (
                f" Before training, dinucleotides alone reached an AUROC of {reached[0]:.3f} on validation, GC content "
                f"alone {reached[1]:.3f}."
            )
    if data.get("licence"):
        text += f" Licence of the data: {printable(data['licence'])}."
    yield Text(text)
    rows = list(_splits(_mapping(spec.splits), _mapping(data.get("n"))))
    columns = ["split", "where", "examples"]
    kept = [i for i in range(3) if any(row[i] for row in rows)]
    if rows:
        caption = "What the model was trained on, tuned on (validation) and judged on (test)."
        yield Table([columns[i] for i in kept], [[row[i] for i in kept] for row in rows], caption)


def _splits(splits: Mapping[str, Any], n: Mapping[str, Any]) -> Iterator[list[str]]:
    """One row a split: its place, and its size by kind."""
    for split in list(dict.fromkeys([*splits, *n]))[:_MOST]:
        where, size = splits.get(split, ""), n.get(split)
        if isinstance(where, Mapping) and size is None:
            where, size = "", where
        place = _listed([printable(w) for w in _list(where)]) if isinstance(where, list | tuple) else _words(where)
        yield [printable(split), place, _words(size)]


def _leakage(audit: Mapping[str, Any]) -> Text:
    """What the audit of the splits found, in words."""
    audit = _mapping(audit)
    if "clean" not in audit:
        return Text(
            "Leakage: the card holds no audit of the splits. Sequence that training and test share would make the "
            "model look better than it is.",
            "unsure",
        )
    if audit["clean"] is True:
        return Text(
            "Leakage: the audit that was recorded with the model found no overlapping intervals and no equal "
            "sequence, on either strand, between training, validation and test.",
            "good",
        )
    shared = []
    for pair, found in list(_mapping(audit.get("between")).items())[:_MOST]:
        counts = [
            f"{_mapping(found)[key]:,} {words}"
            for key, words in _SHARED.items()
            if isinstance(_mapping(found).get(key), int) and _mapping(found)[key]
        ]
        if counts:
            shared.append(f"{printable(pair)}: {', '.join(counts)}")
    told = "; ".join(shared) or "the audit does not say how many"
    return Text(
        f"Leakage: the splits share sequence ({told}), so that the model has seen a part of what it is judged on.",
        "bad",
    )


def _words(value: Any) -> str:
    """{"positives": 1166, "negatives": 5} -> "1,166 positives, 5 negatives"; anything else as text."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | Mapping):
        return printable(value)
    if isinstance(value, int):
        return f"{value:,}"
    named = {"n": "in all", "n_positive": "positive"}
    return ", ".join(
        f"{_words(v)} {named.get(k, printable(k).replace('_', ' '))}"
        if isinstance(v, int)
        else f"{printable(k)} {_words(v)}"
        for k, v in list(value.items())[:_MOST]
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (f" and {len(names) - _MOST:,} more" if len(names) > _MOST else "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
