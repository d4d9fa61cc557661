"""A model folder: config.json, model.safetensors, golden.safetensors, README.md, manifest.json.

    save_bundle(model, "runs/ctcf/model", batch)
    model = load_bundle("runs/ctcf/model")

Loading treats the folder as a stranger's data: names instead of class paths, no pickle, and the shapes of the
weights are compared with what the configuration would build before any of it is built.  Weights that cannot be right
are refused: numbers that are not finite, and golden inputs of another length than config.json declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import HubError, ZooError
from zoo.files.atomic import replace_folder
from zoo.hub import manifest
from zoo.hub.adapters import add_to_base, check_origin, difference, open_base, whole_shapes
from zoo.hub.config_file import check_requires, read_spec
from zoo.hub.golden import check_golden, make_golden, read_golden
from zoo.hub.import_record import has_reference
from zoo.hub.manifest import CONFIG, GOLDEN, WEIGHTS
from zoo.hub.tensors import check_finite, storable
from zoo.hub.verify import verify_files

if TYPE_CHECKING:
    from zoo.hub.sources import ModelSource
    from zoo.model import Model
    from zoo.spec import ModelSpec


def save_bundle(
    model: Model,
    folder: str | Path,
    golden_batch: Mapping[str, Any],
    card: str | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-5,
    golden: bytes | None = None,
) -> str:
    """Write a model folder whole or not at all, and return its revision.

    golden_batch: a batch as the model takes it (tensors or arrays), of which zoo/hub/golden.py keeps 8 examples.
    golden: of `pack_golden`, in place of what the model predicts for golden_batch: outputs that somebody else computed.
    card: text of README.md; written from the spec where it is left out.
    A model whose spec names a base is written as its difference to that one.
    An earlier model folder of this name is replaced; any other folder that is not empty is left alone (HubError).
    """
    from safetensors.torch import save

    from zoo.hub.card import write_card

    state = {k: storable(t) for k, t in model.state_dict().items()}
    check_finite(state, f"model {model.spec.name!r}")
    # The model as a stranger would load it: built from its spec alone.
    try:
        copy = _build(model.spec)
        copy.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise HubError(
            f"model {model.spec.name!r} cannot be rebuilt from its spec: {_first_line(error)}; "
            "record every constructor argument in it"
        ) from error
    copy.eval()
    stored = difference(model.spec, state, model.adapters) if model.spec.base else state
    golden = make_golden(copy, golden_batch, rtol, atol) if golden is None else golden
    card = write_card(copy.spec) if card is None else card
    with replace_folder(Path(folder), is_ours=lambda old: (old / manifest.MANIFEST).is_file()) as new:
        (new / CONFIG).write_text(copy.spec.to_json(), encoding="utf-8")
        (new / WEIGHTS).write_bytes(save(stored))
        (new / GOLDEN).write_bytes(golden)
        (new / "README.md").write_text(card, encoding="utf-8")
        return manifest.write(new)


def load_bundle(folder: str | Path, verify: bool = True, origin: ModelSource | None = None) -> Model:
    """Build the model of a folder and load its weights, on the CPU and in eval mode.

    verify: compare every file with the manifest first.
    origin: where the folder came from, on whose word not every base is opened; None for a folder of your own.
    Raises HubError for a folder that is damaged, needs a plugin that is not installed, does not hold what it says, or
    holds weights that cannot be right: not finite, of another input length than it declares, or a difference to a base
    that is not here.
    """
    from zoo.hub.tensors import read_header, read_tensors

    folder = Path(folder)
    if verify:
        verify_files(folder)
    spec = read_spec(folder)
    check_requires(spec)
    shapes, where = read_header(folder / WEIGHTS), str(folder / WEIGHTS)
    base = None
    if spec.base:
        if origin is not None:
            check_origin(spec, folder, origin)
        base = open_base(spec)
        shapes = whole_shapes(shapes, base, where)
    model = _build_like(spec, shapes, folder)
    weights = read_tensors(folder / WEIGHTS)
    check_finite(weights, where)
    if base is not None:
        weights, model.adapters = add_to_base(weights, base, where)
    try:
        model.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise HubError(f"{where} does not fit its config.json: {_first_line(error)}") from error
    model.eval()
    if base is not None or has_reference(spec):
        check_golden(model, folder)
    else:
        read_golden(model.spec, folder)
    return model


def _build_like(spec: ModelSpec, shapes: Mapping[str, tuple[int, ...]], folder: Path) -> Model:
    """Build, but only if that makes exactly the tensors that the weights have."""
    from zoo.hub.build_limits import limited

    try:
        _compare_shapes(_sketch(spec, shapes, folder), shapes, folder)
        with limited(shapes, folder):
            model = _build(spec)
        _compare_shapes(_shapes(model), shapes, folder)
    except ZooError as error:
        raise error if isinstance(error, HubError) else HubError(f"{folder / CONFIG}: {error}") from error
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, AttributeError, MemoryError) as error:
        raise HubError(
            f"{folder / CONFIG} describes a model that cannot be built ({type(error).__name__}: {_first_line(error)}): "
            "publish the model again, or install the plugin version that made it"
        ) from error
    built = (dict(model.spec.inputs), dict(model.spec.outputs))
    if built != (dict(spec.inputs), dict(spec.outputs)):
        raise HubError(
            f"{folder / CONFIG} declares other inputs or outputs than its parts have: publish the model again"
        )
    return model


def _sketch(spec: ModelSpec, shapes: Mapping[str, tuple[int, ...]], folder: Path) -> Mapping[str, tuple[int, ...]]:
    """Shapes of what the spec builds, drawn on torch's meta device, which takes no memory.

    A constructor that reads its own values cannot be drawn so; `shapes` come back and the real build is compared.
    """
    import torch

    from zoo.hub.build_limits import limited

    try:
        with limited(shapes, folder), torch.device("meta"):
            return _shapes(_build(spec))
    except (NotImplementedError, RuntimeError):
        return shapes


def _shapes(model: Model) -> dict[str, tuple[int, ...]]:
    return {k: tuple(t.shape) for k, t in model.state_dict().items()}


def _compare_shapes(built: Mapping, stored: Mapping, folder: Path) -> None:
    for name in sorted(set(built) | set(stored)):
        if built.get(name) != stored.get(name):
            raise HubError(
                f"{folder}: config.json makes tensor {name!r} of shape {built.get(name, 'none')}, but the weights "
                f"hold {stored.get(name, 'none')}: the two do not belong together, publish the model again"
            )


def _build(spec: ModelSpec) -> Model:
    """`zoo.model.build` for weights that follow; the random state stays as it was."""
    import torch

    from zoo.layers.initialization import stored_weights_follow
    from zoo.model import build

    with torch.random.fork_rng(devices=[]), stored_weights_follow():
        return build(spec)


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2]) if lines else type(error).__name__
