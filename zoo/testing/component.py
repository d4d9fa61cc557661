"""The contract of a component by its name: what is registered, configured and promised must be one thing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from zoo.errors import ZooError
from zoo.fields import Field
from zoo.interfaces import Encoder, Head, Interpreter, Objective
from zoo.registry import INJECTED, registry
from zoo.testing.encoder import check_encoder
from zoo.testing.head import check_head
from zoo.testing.interpreter import check_interpreter
from zoo.testing.model import check_model
from zoo.testing.objective import check_objective
from zoo.testing.report import Check, Refused, Unmeasured, about, measure
from zoo.testing.samples import valid_length
from zoo.testing.source import check_source

_CHANNELS = 8
_INJECT = {
    "in_channels": _CHANNELS,
    "tasks": ["first", "second"],
    "tracks": ["first", "second"],
    "contexts": ["first", "second"],
    "domains": ["first", "second"],
    "signal": {"axes": "AT", "channels": ["first", "second"], "bin_size": 16},
    "head": "output",
    "bin_size": 1,
    "resolution": 1,
}
_CLASSES = ["first", "second", "third"]
_TARGETS = {
    "sigmoid": Field("C", ("first", "second"), values="binary"),
    "softmax": Field("T", values="class", vocabulary=tuple(_CLASSES)),
    "softplus": Field("CT", ("first", "second"), values="count"),
    "exp": Field("CT", ("first", "second"), values="count"),
    "identity": Field("CT", ("first", "second")),
    None: Field("C", ("first", "second")),
}


def _source() -> type:
    from zoo.data.source import Source

    return Source


INTERFACES: dict[str, Callable[[], type]] = {
    "encoder": lambda: Encoder,
    "head": lambda: Head,
    "objective": lambda: Objective,
    "interpreter": lambda: Interpreter,
    "data": _source,
}


def check_component(
    kind: str, name: str, arguments: Mapping[str, Any] | None = None, *, length: int | None = None
) -> list[Check]:
    """Measure one registered component, built from its configuration.

    arguments: constructor arguments that replace those of its YAML option.
    length: bp of the window to measure an encoder in.
    Raises UnknownComponent for a name that nothing provides.
    """
    subject = f"{kind}/{name}"
    registry().component(kind, name)
    importable = measure("importable", lambda: _importable(kind, name))
    if not importable.ok:
        return about(subject, [importable])
    options: dict[str, Any] = {}
    checks = [importable]
    if kind in INTERFACES:
        checks += [
            measure("constructor", lambda: _constructor(kind, name)),
            measure("configuration", lambda: _configuration(kind, name, options)),
        ]
    arguments = {**options, **(arguments or {})}
    if kind in _CONTRACTS:
        checks += _CONTRACTS[kind](name, arguments, length)
    return about(subject, checks)


def _importable(kind: str, name: str) -> str:
    target = registry().get(kind, name)
    if kind in INTERFACES and not (inspect.isclass(target) and issubclass(target, INTERFACES[kind]())):
        raise Refused(f"{registry().component(kind, name).target} is no {INTERFACES[kind]().__name__}")
    return registry().component(kind, name).target


def _constructor(kind: str, name: str) -> str:
    """Keyword-only, typed, with defaults: the signature is the schema."""
    parameters = inspect.signature(registry().get(kind, name)).parameters
    for key, p in parameters.items():
        if p.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise Refused(f"argument {key} is not keyword-only: write (self, *, {key}, ...)")
        if p.annotation is inspect.Parameter.empty:
            raise Refused(f"argument {key} has no type")
        if p.default is inspect.Parameter.empty and key not in INJECTED.get(kind, ()) and kind != "data":
            raise Refused(f"argument {key} has no default, and nothing injects it")
    return ", ".join(parameters) or "no arguments"


def _configuration(kind: str, name: str, options: dict[str, Any]) -> str:
    """One YAML option of the component's name, whose keys the constructor takes."""
    import yaml

    from zoo.composition.option_files import groups
    from zoo.composition.signature_check import fits

    files = groups().options.get(kind, {}).get(name, [])
    if len(files) != 1:
        raise Refused(f"{len(files)} files {kind}/{name}.yaml among the configurations: there must be one")
    plain = yaml.safe_load(files[0].read_text(encoding="utf-8"))
    if not isinstance(plain, dict) or plain.get("name") != name:
        raise Refused(f"{files[0].name} must hold `name: {name}`")
    settings = {k: v for k, v in plain.items() if k not in ("name", "defaults")}
    target = registry().get(kind, name)
    parameters = inspect.signature(target).parameters
    unknown = [key for key in settings if key not in parameters]
    if unknown:
        raise Refused(f"{files[0].name} sets {', '.join(unknown)}, which the constructor does not take")
    hints = inspect.get_annotations(target.__init__, eval_str=True)
    wrong = [
        k for k, v in settings.items() if k in hints and v != "???" and not _interpolates(v) and not fits(v, hints[k])
    ]
    if wrong:
        raise Refused(f"{files[0].name} sets {wrong[0]} to {settings[wrong[0]]!r}, which is not of its type")
    missing = [k for k in parameters if k not in settings and k not in INJECTED.get(kind, ()) and kind != "data"]
    if missing:
        raise Refused(f"{files[0].name} leaves out {', '.join(missing)}: show every argument with its default")
    options.update({k: v for k, v in settings.items() if v != "???" and not _interpolates(v)})
    return f"{len(settings)} keys"


def _interpolates(value: Any) -> bool:
    return isinstance(value, str) and "${" in value


def _encoder(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    checks = check_encoder(lambda: registry().build("encoder", name, arguments, _INJECT), length=length)
    checks.append(measure("config round trip", lambda: _round_trip(name, arguments, length)))
    checks += _models(name, arguments, length)
    if "tied" in inspect.signature(registry().get("encoder", name)).parameters and not arguments.get("tied"):
        tied = {**arguments, "tied": True}
        checks.append(measure("tied", lambda: _claims_strand(name, tied)))
        checks += about("tied", check_encoder(lambda: registry().build("encoder", name, tied, _INJECT), length=length))
        checks += about("tied", _models(name, tied, length))
    return checks


def _models(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    """Whole models of the encoder with the core's heads."""
    from zoo.model import build

    made: list = []
    joined = measure("joins heads", lambda: _join(name, arguments, length, made, build))
    return [joined, *about("model", check_model(made[0]))] if made else [joined]


def _join(name: str, arguments: Mapping[str, Any], length: int | None, made: list, build: Callable) -> str:
    made.append(build(_spec(name, arguments, length)))
    return ", ".join(made[0].heads)


def _spec(name: str, arguments: Mapping[str, Any], length: int | None):
    from zoo.spec import ModelSpec

    known = registry()
    resolved = known.resolve("encoder", name, arguments, _INJECT)
    encoder = known.build("encoder", name, resolved)
    length = length or valid_length(encoder, 240)
    resolution = encoder.grid(length).bin_size
    inject = {**_INJECT, "in_channels": encoder.out_channels, "resolution": resolution, "bin_size": resolution}
    heads = {"scalar": {"name": "scalar", **known.resolve("head", "scalar", {}, inject)}}
    if not encoder.pools:
        heads["profile"] = {"name": "profile", **known.resolve("head", "profile", {}, {**inject, "rc": [1, 0]})}
    return ModelSpec("check", {"name": name, **resolved}, heads, length)


def _round_trip(name: str, arguments: Mapping[str, Any], length: int | None) -> str:
    """Arguments through JSON build the same encoder."""
    from zoo.spec import ModelSpec

    first = _spec(name, arguments, length)
    arguments = {k: v for k, v in ModelSpec.from_json(first.to_json()).encoder.items() if k != "name"}
    again = registry().resolve("encoder", name, arguments)
    if again != {k: v for k, v in first.encoder.items() if k != "name"}:
        raise Refused(f"the arguments come back from JSON as {again}")
    shapes = [
        {k: tuple(x.shape) for k, x in registry().build("encoder", name, a).state_dict().items()}
        for a in (arguments, again)
    ]
    if shapes[0] != shapes[1]:
        raise Refused("the same arguments build weights of other shapes")
    return f"{len(arguments)} arguments"


def _claims_strand(name: str, tied: Mapping[str, Any]) -> str:
    strand = registry().build("encoder", name, tied, _INJECT).strand
    if strand != "equivariant":
        raise Refused(f"tied=true gives strand {strand!r}, not 'equivariant'")
    return "equivariant"


def _head(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    taken = inspect.signature(registry().get("head", name)).parameters
    cases: dict[str, dict[str, Any]] = {"": {}}
    if "classes" in taken:
        cases["classes"] = {"classes": _CLASSES}
    if "rc" in taken:
        cases["stranded"] = {"rc": [1, 0]}
    checks = []
    for case, extra in cases.items():
        inject = {**_INJECT, **extra}
        built = check_head(
            lambda inject=inject: registry().build("head", name, arguments, inject), in_channels=_CHANNELS
        )
        checks += about(case, built)
    return checks


def _objective(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    taken = inspect.signature(registry().get("objective", name)).parameters
    cases: dict[str, dict[str, Any]] = {"": {}}
    if "classes" in taken:
        cases["classes"] = {"classes": _CLASSES}
    checks = []
    for case, extra in cases.items():

        def build(extra: dict = extra) -> Objective:
            return registry().build("objective", name, arguments, {**_INJECT, **extra})

        activation = getattr(build(), "activation", None)
        checks += about(case, check_objective(build, target=_TARGETS[activation], in_channels=_CHANNELS))
    return checks


def _interpreter(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    return check_interpreter(lambda: registry().build("interpreter", name, arguments, _INJECT))


def _data(name: str, arguments: Mapping[str, Any], length: int | None) -> list[Check]:
    made: list = []

    def build() -> str:
        try:
            made.append(registry().build("data", name, arguments, {"seed": 0}))
        except ZooError as error:
            raise Unmeasured(f"needs files: {error}") from error
        return type(made[0]).__name__

    built = measure("builds", build)
    return [built, *check_source(made[0])] if made else [built]


_CONTRACTS: dict[str, Callable[[str, Mapping[str, Any], int | None], list[Check]]] = {
    "encoder": _encoder,
    "head": _head,
    "objective": _objective,
    "interpreter": _interpreter,
    "data": _data,
}
