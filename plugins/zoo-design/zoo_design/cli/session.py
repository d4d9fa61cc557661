"""What `zoo design` does with its options: reads models, starts and constraints; searches, judges, writes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from zoo.errors import ConfigError
from zoo.files.endings import PICTURES, check_output

if TYPE_CHECKING:
    from zoo.model import Model
    from zoo_design.design import Design
    from zoo_design.judgement import Controls, Judge, Verdict
    from zoo_design.objective import Objective

_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.-]*)=(?P<model>.+)")


def run(start: str, outs: Sequence[str], resume: bool, rest: Mapping[str, Any]) -> tuple[list[str], int, int]:
    """Sentences for the terminal, how many designs are ok, and of how many."""
    from zoo_design.checkpoint import Checkpoint
    from zoo_design.constraints.words import read_constraints
    from zoo_design.judgement import judge
    from zoo_design.objective import Objective
    from zoo_design.run import design, identify
    from zoo_design.search.settings import Settings
    from zoo_design.writers import DESIGNS

    for out in outs:
        check_output(out, (*DESIGNS, *PICTURES))
    settings = Settings(
        rest["method"],
        rest["edits"],
        rest["steps"],
        rest["beam_width"],
        rest["temperature"],
        tuple(rest["insertions"]),
        rest["seed"],
    )
    constraints = read_constraints(rest["words"], rest["file"])
    objective = Objective.parse(rest["objective"], load_models(rest["models"], rest["device"]))
    starts = _starts(start, objective, constraints, rest)
    jury = _jury(objective, rest)  # before the search: a file that cannot be read is not found out at its end
    files = [out for out in outs if out != "-"]
    if resume and not files:
        raise ConfigError("--resume goes on with a file: name it with -o")
    checkpoint = Checkpoint(files[0], identify(starts, objective, constraints, settings), resume) if files else None
    began = perf_counter()
    designs = design(
        starts,
        objective,
        constraints,
        settings,
        checkpoint=checkpoint,
        progress=True,
        note=lambda text: click.echo(f"note: {text}", err=True),
    )
    seconds = perf_counter() - began
    verdict = judge(designs, objective, *jury) if jury else None
    _write(outs, designs, objective, verdict, starts, rest)
    if checkpoint is not None:
        checkpoint.close()
    counts = Counter(one.status for one in designs)
    return [*_summary(designs, objective, seconds), *_words(verdict)], counts["ok"], len(designs)


def load_models(texts: Iterable[str], device: str) -> dict[str, Model]:
    """{name: model} of texts NAME=MODEL or MODEL, which is then called by its own name."""
    from zoo.hub.loader import load

    models: dict[str, Model] = {}
    for text in texts:
        match = _NAMED.fullmatch(text)
        model = load(match["model"] if match else text, device=device)
        name = match["name"] if match else model.spec.name
        if name in models:
            raise ConfigError(f"two models are called {name!r}: give them names, as in --model first={text}")
        models[name] = model
    return models


def _starts(text: str, objective: Objective, constraints: list, rest: Mapping[str, Any]) -> list:
    from zoo_design.run import repaired_starts
    from zoo_design.starts import place, read_flank, read_starts

    left, right = (read_flank(rest[key]) for key in ("left_flank", "right_flank"))
    inner = objective.length - len(left) - len(right)
    if inner < 1:
        raise ConfigError(f"flanks of {len(left) + len(right):,} bp leave nothing of {objective.length:,} bp: cut them")
    starts = place(read_starts(text, inner, rest["seed"]), objective.length, rest["region"], left, right)
    return repaired_starts(starts, constraints, rest["seed"]) if text.startswith("random:") else starts


def _jury(objective: Objective, rest: Mapping[str, Any]) -> tuple[list[Judge], Controls] | None:
    """Judges and what they hold the designs against; None without a judge."""
    from zoo_design.judgement import Judge, read_controls

    if not rest["judges"]:
        return None
    text = rest["judge_objective"] or objective.text
    judges = []
    for name, model in load_models(rest["judges"], rest["device"]).items():
        try:
            judges.append(Judge.of(model, text, name))
        except ConfigError as error:
            raise ConfigError(f"{error}; the judge {name} may call it otherwise: see --judge-objective") from error
    return judges, read_controls(rest["natural"], rest["training"], rest["seed"])


def _write(
    outs: Sequence[str],
    designs: list[Design],
    objective: Objective,
    verdict: Verdict | None,
    starts: Sequence,
    rest: Mapping[str, Any],
) -> None:
    from zoo_design.writers import write_designs

    header = _header(objective, verdict, rest)
    extra = {} if verdict is None else verdict.extra()
    parts = [[(p.start, p.end, p.name, p.strand) for p in start.parts] for start in starts]
    for out in outs:
        if out.lower().endswith(PICTURES):
            from zoo.pictures.figure_files import save_figure
            from zoo_design.pictures.designs import draw_designs

            save_figure(out, draw_designs(designs, verdict, objective.text))
        else:
            write_designs(out, designs, header, extra, parts)


def _header(objective: Objective, verdict: Verdict | None, rest: Mapping[str, Any]) -> dict[str, Any]:
    from zoo.prediction.predict import origin

    header: dict[str, Any] = {}
    for name, output in objective.outputs.items():
        prefix = f"{name} " if len(objective.models) > 1 else ""
        header |= {f"{prefix}{key}": value for key, value in origin(objective.models[name], output).items()}
    header |= {"objective": objective.text, "method": rest["method"], "edits": rest["edits"], "seed": rest["seed"]}
    if verdict is not None:
        header |= verdict.comments()
    return header


def _summary(designs: list[Design], objective: Objective, seconds: float) -> list[str]:
    ok = [one for one in designs if one.status == "ok"]
    lines = []
    if ok:
        from statistics import median

        before, after = median(one.start_value for one in ok), median(one.value for one in ok)
        kept = sum(one.obeys for one in ok)
        lines.append(
            f"{len(ok):,} designs, median {objective.text} {before:.4g} -> {after:.4g}, "
            f"constraints kept by {kept:,} of {len(ok):,}, {seconds:.2g} s"
        )
    counts = Counter(one.status for one in designs if one.status != "ok")
    lines += [f"{n:,} {status}" for status, n in sorted(counts.items())]
    return lines


def _words(verdict: Verdict | None) -> list[str]:
    return (
        ["next: judge them with --judge MODEL, a model that had no part in the search"]
        if verdict is None
        else [str(verdict)]
    )
