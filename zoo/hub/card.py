"""README.md of a model folder: what its spec says, for a reader who has neither the paper nor the code."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError
from zoo.evaluation.comparison import clean_rows, verdicts
from zoo.files.regular_files import read_bounded
from zoo.hub.calibration import calibration_words
from zoo.hub.card_fields import card_words, history
from zoo.hub.import_record import import_words
from zoo.terminal.printable import printable

if TYPE_CHECKING:
    from zoo.fields import Field, Grid
    from zoo.spec import ModelSpec

_METRIC_COLUMNS = (
    "member", "task", "predictor", "metric", "value", "low", "high", "n", "n_positive", "split", "stratum", "unit",
    "note",
)  # fmt: skip
_LONGEST = 2000
_MOST_BYTES = 1 << 20
_MARKS = "\\`*[]|"

_TEMPLATE = """\
---
{{ front | safe_text }}---

# {{ spec.name }}

{{ spec.description or "No description was given." }}

## Use it

```python
import zoo

model = zoo.load("{{ spec.name }}")          # or a source: hf://, file://, pkg://, a path
prediction = model.predict({"codes": codes}) # codes (N, {{ spec.input_length }}) uint8: A C G T N = 0 1 2 3 4
```

```
zoo predict {{ spec.name }} --fasta genome.fa --bed intervals.bed -o predictions.tsv
```

## What goes in and what comes out

One window is {{ length }} bp{{ conjoined }}. An N is read as {{ n_encoding }}.{{ ensemble }}

{{ inputs | table }}

{{ outputs | table }}

{% if calibration -%}
{{ calibration | bullets }}

{% endif -%}
## How good it is

{% if spec.metrics -%}
{{ spec.metrics | metrics }}
{%- if verdicts %}

{{ verdicts }}
{%- endif %}
{%- else -%}
No evaluation is recorded: do not rely on this model before you have evaluated it on your own data.
{%- endif %}

## Where it comes from

{% for title, content in origin if content -%}
### {{ title }}

{{ content | bullets }}

{% endfor -%}
## Architecture

{{ parts | table }}
{%- if base %}

The weights are stored as a difference to {{ base }}: `zoo.load` brings that model too, in that revision.
{%- endif %}

## Licence and citation

{{ licence | bullets }}
{%- if history %}

## History

{{ history | bullets }}
{%- endif %}

## Made with

{{ made | bullets }}
"""


def write_card(spec: ModelSpec) -> str:
    """The model card as Markdown, with the front matter that Hugging Face reads.

    Texts of the spec are shown as text: line ends, HTML and Markdown in them lose their meaning.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=False, undefined=StrictUndefined, finalize=_plain, keep_trailing_newline=True)
    environment.filters |= {"table": _table, "bullets": _bullets, "metrics": _metrics, "safe_text": _Ready}
    return environment.from_string(_TEMPLATE).render(
        spec=spec,
        front=_front_matter(spec),
        length=f"{spec.input_length:,}",
        conjoined=", read on both strands and averaged" if spec.conjoined else "",
        n_encoding={"zero": "four zeros", "quarter": "four quarters"}[spec.n_encoding],
        ensemble=f" {spec.members} networks answer with their mean." if spec.members > 1 else "",
        inputs=[_field("input", key, field, None) for key, field in spec.inputs.items()],
        outputs=[
            _field("output", head, field, grid) | {"activation": spec.activation.get(head, "identity")}
            for head, (field, grid) in spec.outputs.items()
        ],
        calibration=_calibration(spec),
        origin=[
            ("Genome", spec.genome),
            ("Data", spec.data),
            ("Splits and held-out chromosomes", spec.splits),
            ("Leakage audit", spec.audit),
            ("Training", _without(spec.training, "calibration", "import")),
            ("Import", import_words(spec)),
        ],
        base=base_words(spec),
        parts=[_part("encoder", spec.encoder), *(_part(f"head {h}", part) for h, part in spec.heads.items())],
        licence={
            "licence": spec.licence or "not stated",
            "citation": spec.citation or "not stated",
            **{key: text for key, text in card_words(spec).items() if key in ("authors", "cite", "support")},
        },
        history=history(spec),
        verdicts=_verdicts(spec.metrics),
        made={**spec.versions, **{f"needs {d}": r for d, r in spec.requires.items()}} or {"versions": "not recorded"},
    )


def read_card(folder: Path) -> str:
    """README.md of a model folder, whose bytes may be anything.  HubError where it has none."""
    path = folder / "README.md"
    try:
        return read_bounded(path, _MOST_BYTES).decode("utf-8", "replace")
    except FileNotFoundError as error:
        raise HubError(f"{folder} has no card: `zoo show` without --card says what config.json does") from error
    except OSError as error:
        raise HubError(f"{path} cannot be read ({error.strerror}): fetch or publish the model again") from error


def facts(spec: ModelSpec) -> dict[str, str]:
    """The card's first facts as short texts, for the terminal."""
    outputs = [
        f"{head}: {', '.join(field.channels or field.vocabulary) or 'one number'}"
        + (f", {grid.length} positions of {grid.bin_size} bp" if grid else "")
        + f" ({spec.activation.get(head, 'identity')})"
        for head, (field, grid) in spec.outputs.items()
    ]
    rows = {
        "task": spec.task,
        "description": spec.description,
        "window": f"{spec.input_length:,} bp" + (", both strands averaged" if spec.conjoined else ""),
        "encoder": _one_line(spec.encoder),
        "base": base_words(spec),
        "inputs": ", ".join(spec.inputs),
        "outputs": "; ".join(outputs),
        "calibration": "; ".join(calibration_words(spec)),
        "import": _one_line({k: v for k, v in import_words(spec).items() if k in ("imported as", "checked")}),
        "members": str(spec.members) if spec.members > 1 else "",
        "genome": str(spec.genome.get("name") or ""),
        "splits": _one_line(spec.splits) if spec.splits else "",
        "audit": "" if "clean" not in spec.audit else "clean" if spec.audit["clean"] else "splits share sequence",
        "licence": spec.licence,
        "citation": spec.citation,
        **card_words(spec),
        "requires": ", ".join(f"{d}{r}" for d, r in spec.requires.items()),
        "versions": ", ".join(f"{k} {v}" for k, v in spec.versions.items()),
    }
    return {key: printable(text)[:_LONGEST] for key, text in rows.items() if text}


def base_words(spec: ModelSpec) -> str:
    """The published model that the weights are a difference to, and how it was tuned; "" for a whole model."""
    base, tune = spec.base, spec.training.get("tune")
    if not base:
        return ""
    rank = f", by adapters of rank {tune.get('rank')}" if isinstance(tune, Mapping) else ""
    licence = f" (licence {base['licence']})" if base.get("licence") else ""
    return f"{base.get('name')}{licence}, {base.get('source')}@{str(base.get('revision'))[:12]}{rank}"


def _calibration(spec: ModelSpec) -> dict[str, str]:
    """{head/task: whether its probabilities may be read as such}."""
    return {f"probabilities of {name}": text for name, _, text in (w.partition(": ") for w in calibration_words(spec))}


def _without(training: Any, *keys: str) -> Any:
    """What has no place of its own in the card."""
    return {k: v for k, v in training.items() if k not in keys} if isinstance(training, Mapping) else training


class _Ready(str):
    """Text that is Markdown already."""


def _plain(value: Any) -> Any:
    """A spec's text as text in a Markdown line."""
    if isinstance(value, _Ready):
        return value
    text = html.escape(printable(value), quote=False)[:_LONGEST]
    return "".join("\\" + letter if letter in _MARKS else letter for letter in text)


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return _Ready("none")
    columns = [
        c for c in dict.fromkeys(k for row in rows for k in row) if any(row.get(c) not in ("", None) for row in rows)
    ]
    lines = [" | ".join(_plain(c) for c in columns), " | ".join("---" for _ in columns)]
    lines += [" | ".join(_plain(_cell(row.get(c, ""))) for c in columns) for row in rows]
    return _Ready("\n".join(f"| {line} |" for line in lines))


def _metrics(rows: Sequence[Mapping[str, Any]]) -> str:
    """Model and baselines on equal rows; a stratum is named where there are several."""
    several = len({row.get("stratum") for row in rows}) > 1
    known = [c for c in _METRIC_COLUMNS if c != "stratum" or several]
    return _table([{c: row.get(c, "") for c in known} for row in rows])


def _verdicts(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line a task: whether the model is better than the rival that does best on the rows judged."""
    return _Ready("\n".join(f"- {_plain(line)}." for line in verdicts(clean_rows(rows))))


def _bullets(content: Mapping[str, Any]) -> str:
    return _Ready("\n".join(f"- {_plain(key)}: {_plain(_cell(value))}" for key, value in content.items()))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {_cell(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_cell(v) for v in value)
    return str(value)


def _field(what: str, name: str, field: Field, grid: Grid | None) -> dict[str, Any]:
    where = "" if grid is None else f"{grid.length} x {grid.bin_size} bp from {grid.offset}"
    return {
        what: name,
        "values": field.values,
        "axes": "N" + field.axes,
        "channels": ", ".join(field.channels or field.vocabulary),
        "unit": field.unit,
        "positions": where,
        "transform": field.transform or "",
        "required": "" if field.required else "no",
    }


def _part(what: str, part: Mapping[str, Any]) -> dict[str, str]:
    return {"part": what, "name": part["name"], "arguments": _cell({k: v for k, v in part.items() if k != "name"})}


def _one_line(content: Mapping[str, Any]) -> str:
    name = content.get("name")
    rest = {k: v for k, v in content.items() if k != "name"}
    return f"{name} ({_cell(rest)})" if name else _cell(rest)


def _front_matter(spec: ModelSpec) -> str:
    """What Hugging Face reads: JSON is YAML, so that no text of the spec can leave its quotes."""
    entries = {"library_name": "zoo", "license": spec.licence.lower() or "unknown", "tags": ["genomics", "dna"]}
    if entries["license"] not in ("mit", "apache-2.0", "bsd-3-clause", "cc-by-4.0", "cc0-1.0", "unknown"):
        entries |= {"license": "other", "license_name": spec.licence}
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in entries.items())
