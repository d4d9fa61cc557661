"""From names to objects: data, then encoder, heads and objectives, each told what it must know of those before."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from zoo.data.source import Source
from zoo.errors import ConfigError, did_you_mean
from zoo.fields import Field
from zoo.interfaces import Encoder, Objective
from zoo.model import Model, build
from zoo.registry import registry
from zoo.spec import ModelSpec
from zoo.training.augment import batch_fields, shift_step
from zoo.training.fine_tuning import take_over
from zoo.training.loader import Loader
from zoo.training.loss import Term, Terms
from zoo.training.micro_batch import micro_batch_rows
from zoo.training.optimizer import OptimizerSettings
from zoo.training.settings import TrainerSettings, settings_of

if TYPE_CHECKING:
    from zoo.training.module import TrainingModule

__all__ = ["STRANDS", "build_model", "build_module", "build_source", "build_terms"]

STRANDS = ("none", "augmented", "conjoined", "tied")

Config = Mapping[str, Any]


def build_source(config: Config) -> Source:
    """The data source; it gets the genome and the run's seed where it takes them and sets none itself."""
    name, arguments = _split(config.get("data") or {}, "data")
    source = registry().build("data", name, arguments, {"genome": config.get("genome"), "seed": config.get("seed", 0)})
    if not source.targets:
        raise ConfigError(f"data {name!r} has no target: there is nothing to train on")
    return source


def build_model(config: Config, source: Source, published: Model | None = None) -> Model:
    """A model with fresh weights, or with those of `published` where they fit.

    strand: tied gives the encoder `tied=true`, conjoined averages the predictions over both strands.
    published: its encoder is taken whole, arguments and weights; a head is taken over where target, arguments
        and field agree, the other heads are new.
    """
    strand = config.get("strand", "none")
    if strand not in STRANDS:
        raise ConfigError(f"strand {strand!r} is not known" + did_you_mean(strand, STRANDS))
    encoder = _encoder_part(config, strand, published)
    built = registry().build("encoder", *_split(encoder, "encoder"))
    length = source.input_length
    heads = {name: _head_part(config, name, field, built, length) for name, field in source.targets.items()}
    unknown = [name for name in config.get("heads") or {} if name not in source.targets]
    if unknown:
        raise ConfigError(
            f"heads.{unknown[0]} predicts no target of the data" + did_you_mean(unknown[0], source.targets)
        )
    spec = ModelSpec(
        name=str(config.get("name", "run")),
        encoder=encoder,
        heads=heads,
        input_length=length,
        n_encoding=config.get("n_encoding", "zero") if published is None else published.spec.n_encoding,
        conjoined=strand == "conjoined",
        versions={name: version(name) for name in ("zoo-core", "torch", "lightning", "numpy")},
    )
    model = build(spec)
    if published is not None:
        take_over(model, published)
    return model


def build_terms(config: Config, source: Source, model: Model) -> tuple[Terms, dict[str, str]]:
    """The objectives, and {head: activation} as they name it.

    `objectives` are further terms, or a head's own where one of them fits that head; every head without one
    gets `objective`.  In an entry, `head` defaults to the entry's name where that is a head.
    """
    terms: dict[str, Term] = {}
    for name, entry in (config.get("objectives") or {}).items():
        entry = dict(entry)
        coefficient = float(entry.pop("coefficient", 1.0))
        head = entry.pop("head", None) or (name if name in model.heads else None)
        if head is not None and head not in model.heads:
            raise ConfigError(f"objectives.{name}.head is {head!r}" + did_you_mean(head, list(model.heads)))
        if head is None and len(model.heads) == 1:
            head = next(iter(model.heads))
        terms[name] = Term(_objective(entry, f"objectives.{name}", head, source, model), coefficient, head)
    fitted = {term.head for term in terms.values() if term.is_main}
    for head in model.heads:
        if head not in fitted:
            if head in terms:
                raise ConfigError(
                    f"objectives.{head} does not fit head {head!r} to its target: give the entry another name, "
                    f"with head={head}"
                )
            terms[head] = Term(_objective(config.get("objective") or {}, "objective", head, source, model), 1.0, head)
    activation: dict[str, str] = {}
    for name, term in terms.items():
        if term.is_main and term.head is not None:
            wanted = activation.setdefault(term.head, term.objective.activation)
            if wanted != term.objective.activation:
                raise ConfigError(
                    f"objective {name!r} makes head {term.head!r} a {term.objective.activation}, another makes it a "
                    f"{wanted}: fit one head by terms of one activation"
                )
    return Terms(terms), activation


def build_module(
    config: Mapping[str, Any], settings: TrainerSettings, source: Source, model: Model, terms: Terms
) -> TrainingModule:
    """The training step, with its loaders."""
    fields = batch_fields(source.inputs, source.targets)
    examples = source.examples("train")
    if not len(examples):
        raise ConfigError("the training split is empty: look at the data's splits")
    if settings.shift > examples.margin:
        raise ConfigError(
            f"trainer.shift is {settings.shift} bp but these examples have {examples.margin} bp of flank: "
            f"set trainer.shift={examples.margin}"
        )
    seed, on_cpu = int(config.get("seed", 0)), settings.accelerator == "cpu"
    shared = {"batch_size": settings.batch_size, "seed": seed, "pin": not on_cpu}
    train = Loader(
        examples,
        shuffle=True,
        reverse=config.get("strand", "none") in ("augmented", "conjoined"),
        shift=settings.shift,
        step=shift_step(fields),
        **shared,
    )
    held_out = source.examples("validation")
    rows = settings.micro_batch
    if rows == "auto" or not terms.additive:
        rows = micro_batch_rows(model, settings.batch_size, int(examples.lengths.max()), on_cpu, terms.additive)
    from zoo.training.module import TrainingModule

    return TrainingModule(
        model,
        terms,
        optimizer=settings_of(OptimizerSettings, "optimizer", config.get("optimizer")),
        fields=fields,
        train=train,
        validation=Loader(held_out, **shared) if len(held_out) else None,
        micro_rows=rows,
        total_steps=settings.max_epochs * len(train),
        seed=seed,
        gradient_clip=settings.gradient_clip,
        freeze_encoder=bool(config.get("freeze_encoder")),
    )


def _encoder_part(config: Config, strand: str, published: Model | None) -> dict[str, Any]:
    """{"name": ..., every resolved argument}."""
    if published is not None:
        part = dict(published.spec.encoder)
        wanted = (config.get("encoder") or {}).get("name", part["name"])
        if wanted != part["name"]:
            print(f"encoder {part['name']} of {config['init']} takes the place of {wanted}", file=sys.stderr)
        if (strand == "tied") != (published.encoder.strand == "equivariant"):
            kind = "shares" if strand != "tied" else "does not share"
            raise ConfigError(
                f"the encoder of {config['init']} {kind} weights between the strands, but strand is {strand}: "
                f"set strand={'tied' if strand != 'tied' else 'augmented'}"
            )
        return part
    name, arguments = _split(config.get("encoder") or {}, "encoder")
    if strand == "tied":
        if "tied" not in inspect.signature(registry().get("encoder", name)).parameters:
            raise ConfigError(
                f"strand=tied needs an encoder that shares weights between the strands, and {name!r} has no argument "
                "'tied': set strand=conjoined, or choose another encoder"
            )
        arguments["tied"] = True
    return {"name": name, **registry().resolve("encoder", name, arguments)}


def _head_part(config: Config, name: str, field: Field, encoder: Encoder, length: int) -> dict[str, Any]:
    entry = (config.get("heads") or {}).get(name) or config.get("head") or {}
    kind, arguments = _split(entry, f"heads.{name}")
    grid = encoder.grid(length)
    inject = {**_of_target(field), "in_channels": encoder.out_channels, "resolution": grid.bin_size}
    return {"name": kind, **registry().resolve("head", kind, arguments, inject)}


def _objective(entry: Config, where: str, head: str | None, source: Source, model: Model) -> Objective:
    name, arguments = _split(entry, where)
    inject = {
        "head": head,
        "in_channels": model.encoder.out_channels,
        "domains": list(source.domains) or None,
        "contexts": list(source.contexts) or None,
        **(_of_target(source.targets[head]) if head is not None else {}),
    }
    return registry().build("objective", name, arguments, inject)


def _of_target(field: Field) -> dict[str, Any]:
    """What a target tells its head and objective, by argument name."""
    return {
        "tasks": list(field.channels) or None,
        "classes": list(field.vocabulary) or None if field.values == "class" else None,
        "bin_size": field.bin_size if field.position_axes else None,
        "values": field.values if field.values != "class" else None,
        "rc": None if field.rc is None else list(field.rc),
    }


def _split(entry: Config, where: str) -> tuple[str, dict[str, Any]]:
    """{"name": n, ...} -> (n, the other keys)."""
    if not isinstance(entry, Mapping) or not entry.get("name"):
        raise ConfigError(f"{where} names no component: set {where}.name")
    return str(entry["name"]), {k: v for k, v in entry.items() if k != "name"}
