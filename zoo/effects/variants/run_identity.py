"""What a run of scores is: the content of every input, the weights, and every option that changes a number.

ScoreJob -> {"variants": {"file": "calls.vcf", "blake2b": "..."}, "anchor": "both", ...} -> difference(before, now)

Names and times of files do not count, what they hold does: a run may go on after its files were moved or touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from zoo.files.digest import file_digest

if TYPE_CHECKING:
    from zoo.effects.variants.job import ScoreJob
    from zoo.model import Model

FORMAT = 2
"""Of the rows in finished parts."""

Identity = Mapping[str, Any]


def identify(job: ScoreJob, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Plain values, and of what is read or computed its digest.

    options: more that changes what is written; a text that names a file counts as what the file holds.  What the job
        knows itself, and what is off or not given, does not count.
    """
    scorer, models = job.scorer, [one.model for one in getattr(job.scorer, "scorers", {"": job.scorer}).values()]
    name = ", ".join(model.spec.name for model in models)
    limits = getattr(job.variants, "regions", None)
    null = job.background
    known = {**{key: _content(value) for key, value in job.limits.items()}, **scorer.options}
    scorers = getattr(scorer, "scorers", {"": scorer}).values()
    tracks = {name: path for one in scorers for name, path in one.options["signals"].items()}
    known = {key: value for key, value in known.items() if key != "signals"}
    off = {key for key, value in (options or {}).items() if value is None or value is False or value in ((), "")}
    others = {key: _content(value) for key, value in (options or {}).items() if key not in {*off, *known}}
    # What follows from the others stands last: the first difference is what is told.
    identity = {
        "format": FORMAT,
        "variants": _content(job.source if job.variants.kind == "typed" else str(job.variants.path)),
        "genome": {"file": job.genome.name, "blake2b": job.genome.content},
        "weights": {"file": name, "blake2b": " ".join(map(weights_digest, models))},
        "model": {"file": name, "blake2b": _digest("\n".join(model.spec.to_json() for model in models))},
        **known,
        **{f"signal {name}": _content(path) for name, path in sorted(tracks.items())},
        **others,
        "regions": None if limits is None else {"file": "--regions", "blake2b": _digest(_spans(limits.merged))},
        **{key: value for key, value in scorer.origin.items() if key.endswith(("revision", "versions"))},
        "columns": job.columns,
        "background": None if null is None else {"file": null.description, "blake2b": _arrays(null.values)},
    }
    return json.loads(json.dumps(identity, default=str))


def weights_digest(model: Model) -> str:
    """Of the names, types, shapes and values of all parameters and buffers."""
    import torch

    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


def difference(before: Identity, now: Identity) -> str | None:
    """What is not the same, in words: "the content of calls.vcf has changed"; None where nothing is."""
    for key in [*now, *(key for key in before if key not in now)]:
        one, other = before.get(key), now.get(key)
        if _compared(one) == _compared(other):
            continue
        files = [value["file"] for value in (one, other) if _is_content(value)]
        if len(files) == 2:
            return f"the content of {files[1]} ({key}) has changed"
        return f"{key} was {_shown(one)} and is now {_shown(other)}"
    return None


def short(identity: Identity) -> str:
    """On one line, for the files that are written: "variants:1f2e3d4c anchor:..."."""
    return " ".join(f"{key}:{_digest(json.dumps(_compared(value)))[:8]}" for key, value in identity.items())


def short_difference(line: str, identity: Identity) -> str | None:
    """The first key by which a file's `short` line differs; None where none does."""
    before, now = ({w.rpartition(":")[0]: w for w in text.split()} for text in (line, short(identity)))
    return next((key for key in [*now, *before] if before.get(key) != now.get(key)), None)


def _content(value: Any) -> Any:
    """The digest of a file, a value as it is."""
    if isinstance(value, (str, Path)) and Path(value).is_file():
        return {"file": Path(value).name, "blake2b": file_digest(value)}
    return value


def _is_content(value: Any) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping) and "blake2b" in value


def _compared(value: Any) -> Any:
    return value["blake2b"] if _is_content(value) else value


def _shown(value: Any) -> str:
    text = str(value["file"]) if _is_content(value) else json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _spans(merged: Mapping[str, Any]) -> str:
    return json.dumps({name: [part.tolist() for part in spans] for name, spans in sorted(merged.items())})


def _arrays(values: Mapping[str, np.ndarray]) -> str:
    return _digest(b"".join(name.encode() + np.ascontiguousarray(array).tobytes() for name, array in values.items()))


def _digest(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.blake2b(data, digest_size=16).hexdigest()
