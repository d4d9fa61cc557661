"""`publish`: one run, or several as an ensemble, to a place from which others load it by name."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError
from zoo.files.atomic import sentence
from zoo.hub.adapters import base_source, may_name
from zoo.hub.golden import golden_inputs
from zoo.hub.loader import fetch
from zoo.hub.model_folder import load_bundle, save_bundle
from zoo.hub.path import run_of
from zoo.hub.sources import parse_place
from zoo.hub.stores import store_for
from zoo.hub.versions import require_new_version, with_card
from zoo.model import Ensemble, Model

if TYPE_CHECKING:
    from torch import Tensor

    from zoo.hub.sources import ModelSource
    from zoo.spec import ModelSpec
    from zoo.training.plan import TrainingPlan

_ALIKE = ("encoder", "heads", "input_length", "n_encoding", "inputs", "outputs", "activation", "conjoined")


def publish(
    runs: str | Path | Sequence[str | Path],
    name: str,
    to: str | None = None,
    private: bool = False,
    *,
    licence: str | None = None,
    citation: str | None = None,
    card: Mapping[str, Any] | None = None,
    evaluated: bool = True,
    whole: bool = False,
) -> str:
    """Publish runs or model folders under a name, and return the source with its revision.

    runs: folders, or whatever else `zoo.load` takes; several (seeds, folds) become one model that answers with
        their mean.
    to: hf://org, file:///folder or a folder's path; the place that ZOO_HUB names where it is left out.
    private: of a new Hugging Face repository.
    licence, citation: of the published weights, where the runs' own are not meant.
    card: version, changes (what it changed), authors [{name, orcid, affiliation}], cite (DOIs), support (an address),
        parent (whatever `zoo.load` takes), as far as they are to be stated; see zoo/hub/versions.py.
    evaluated: an ensemble of runs is calibrated and evaluated on the data of its first member, so that its card has
        metrics of its own.
    whole: write all weights of a model that is a difference to a published one.  That is also done, with a word on
        stderr, where others could not load the base: a folder of this machine.
    An earlier revision stays where it is; the name moves to the new one, last of all.
    Raises HubError where a run holds no finished model, members differ, nothing can be written, or the version is
    published already with other contents.
    """
    place = to or os.environ.get("ZOO_HUB")
    if not place:
        raise HubError("no place to publish to: give --to hf://org or --to file:///folder, or set ZOO_HUB")
    source = parse_place(place, name)
    runs = [runs] if isinstance(runs, str | Path) else list(runs)
    if not runs:
        raise HubError("nothing to publish: give a run's folder")
    pulled = [fetch(run) for run in runs]
    folders = [p.folder for p in pulled]
    model = join([load_bundle(p.folder, origin=p.source) for p in pulled], name)
    run_folders = [folder.parent if folder.name == "model" else folder for folder in folders]
    model.spec = _with_metrics(model.spec, run_folders)
    if len(runs) > 1:
        plan = _plan_of(run_folders[0]) if evaluated else None
        _calibrate_mean(model, plan)
        evaluation = plan.evaluate(model) if plan else None
        model.spec = model.spec.replace(metrics=(*(evaluation.rows if evaluation else ()), *model.spec.metrics))
    if model.spec.base:
        _keep_or_drop_base(model, source, whole)
    stated = {"licence": licence, "citation": citation}
    model.spec = model.spec.replace(**{key: text for key, text in stated.items() if text is not None})
    model.spec = with_card(model.spec, source, card or {})
    try:
        with TemporaryDirectory(prefix="zoo-publish-") as temporary:
            folder = Path(temporary, "model")
            save_bundle(model, folder, golden_inputs(folders[0]))
            require_new_version(model.spec, source, folder)
            return str(source.at(store_for(source).publish(source, folder, private)))
    except OSError as error:
        raise sentence(error, Path(str(source))) from error


def join(models: Sequence[Model], name: str) -> Model:
    """One model, renamed, or an ensemble of several whose parts, inputs and outputs are alike."""
    first = models[0]
    for at, other in enumerate(models[1:], 2):
        for key in _ALIKE:
            if getattr(first.spec, key) != getattr(other.spec, key):
                raise HubError(
                    f"model {at} differs from the first in {key}: only models of one kind become an ensemble"
                )
    if len(models) == 1:
        first.spec = first.spec.replace(name=name, metrics=tuple(_renamed(r, name) for r in first.spec.metrics))
        return first
    members = [member for model in models for member in getattr(model, "members", [model])]
    joined = Ensemble(first.spec.replace(name=name), members)
    base, joined.adapters = _join_bases(models)
    joined.spec = joined.spec.replace(
        base=base,
        **{"version": "", "changelog": (), "parent": {}},
        authors=tuple({str(a): a for m in models for a in m.spec.authors}.values()),
        cite=tuple(dict.fromkeys(doi for m in models for doi in m.spec.cite)),
        metrics=tuple(
            _renamed(row, name, member=i)
            for i, m in enumerate(models)
            for row in m.spec.metrics
            if not row.get("baseline") and row.get("n")
        ),
        **{key: _of_all([getattr(m.spec, key) for m in models]) for key in ("data", "splits", "audit")},
        training=_shared_and_own([{k: v for k, v in m.spec.training.items() if k != "calibration"} for m in models]),
    )
    return joined


def _join_bases(models: Sequence[Model]) -> tuple[dict[str, Any], dict[str, tuple[Tensor, Tensor]]]:
    """The base that all models are differences to, and what each adds to it; none where their bases are not one."""
    bases = [{k: v for k, v in model.spec.base.items() if k != "members"} for model in models]
    if not bases[0] or any(base != bases[0] for base in bases):
        return {}, {}
    pairs, members = {}, []
    for model in models:
        for name, pair in model.adapters.items():
            at, own = len(members), name
            if model.spec.members > 1:
                _, member, own = name.split(".", 2)
                at += int(member)
            pairs[f"members.{at}.{own}"] = pair
        members += model.spec.base["members"]
    return {**bases[0], "members": members}, pairs


def _keep_or_drop_base(model: Model, place: ModelSource, whole: bool) -> None:
    """Leave a model a difference to its base where others can load that, else make it a whole one."""
    base = base_source(model.spec)
    if may_name(base, place) and not whole:
        return
    if not whole:
        print(
            f"all weights are published: the base of {model.spec.name}, {base}, is no place that others load from; "
            "publish it first, and tune from there, for a difference",
            file=sys.stderr,
        )
    model.adapters, model.spec = {}, model.spec.replace(base={})


def _renamed(row: Mapping[str, Any], name: str, member: int | None = None) -> Mapping[str, Any]:
    """A row of metrics that calls the model by the name it is published under; baselines keep theirs."""
    row = {**row, "predictor": name} if row.get("baseline") is False else row
    return row if member is None else {"member": member, **row}


def _of_all(values: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What all members share, else each member's own."""
    return values[0] if all(v == values[0] for v in values) else {"members": [dict(v) for v in values]}


def _shared_and_own(values: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What all members share once, and under `members` what each has for itself."""
    shared = {k: x for k, x in values[0].items() if k != "members" and all(k in v and v[k] == x for v in values)}
    own = [{k: x for k, x in v.items() if k not in shared} for v in values]
    return {**shared, "members": own} if any(own) else shared


def _with_metrics(spec: ModelSpec, runs: Sequence[Path]) -> ModelSpec:
    """The metrics that the runs' evaluations left beside their models, if the spec has none."""
    if spec.metrics:
        return spec
    rows = []
    for at, run in enumerate(runs):
        path = run / "metrics.json"
        if not path.is_file():
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise HubError(f"{path} is no JSON ({error}): evaluate the run again, or remove it") from error
        content = content.get("metrics", []) if isinstance(content, dict) else content
        member = at if len(runs) > 1 else None
        rows += [_renamed(row, spec.name, member) for row in content if isinstance(row, dict)]
    return spec.replace(metrics=tuple(rows))


def _plan_of(run: Path) -> TrainingPlan | None:
    """Of the run's configuration; None where only a model folder is at hand."""
    path = run / "config.json"
    if run_of(run) is None or not (run / "model").is_dir():
        return None
    from zoo.training.plan import TrainingPlan

    return TrainingPlan.of(json.loads(path.read_text(encoding="utf-8")))


def _calibrate_mean(model: Model, plan: TrainingPlan | None) -> None:
    """Members that are calibrated each by itself have a mean that is not: it is too timid."""
    from zoo.training.calibration import calibrate, leave_uncalibrated

    if plan is None:
        leave_uncalibrated(model, "it was joined without its data")
    elif not plan.config.get("calibrate", True):
        leave_uncalibrated(model, "calibrate=false")
    elif any("members" in facts for facts in (model.spec.data, model.spec.splits)):
        leave_uncalibrated(model, "its members were validated on different examples, which others may have trained on")
    else:
        calibrate(model, plan.source)
