"""What a user can mend: a value that is wrong, or a library that is not installed.

Every message gives value, expectation and remedy in one sentence.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib.util import find_spec


class ZooError(Exception):
    """A mistake in what was asked for or given: one line on stderr, exit code 1, no traceback."""


class UnknownComponent(ZooError):
    """No installed plugin provides a component of this kind and name."""


class NameClash(ZooError):
    """Two owners registered the same kind and name."""


class ConfigError(ZooError):
    """A group, option, key or value of a configuration that cannot be used."""


class DataError(ZooError):
    """A file that breaks its format, or data that cannot be what was asked for."""


class GenomeMismatch(DataError):
    """Coordinates or contig names that do not belong to the genome at hand."""


class HubError(ZooError):
    """A model that could not be found, fetched, verified or published."""


class ContractError(ZooError):
    """A component that does not keep the promise of its interface."""


def did_you_mean(word: str, choices: Iterable[str], command: str | None = None) -> str:
    """': did you mean ...?', else the choices, else the command that lists them.

    >>> did_you_mean("dilated_cn", ["dilated_cnn", "motif_cnn"])
    ": did you mean 'dilated_cnn'?"
    """
    choices = [str(c) for c in choices]
    near = difflib.get_close_matches(str(word), choices, n=1, cutoff=0.6)
    if near:
        return f": did you mean {near[0]!r}?"
    if 0 < len(choices) <= 8 or (choices and command is None):
        return f": choose from {', '.join(choices)}"
    return f": `{command}` lists them" if command else ": there are none"


EXTRAS = {
    "train": ("zoo train, zoo demo", ("lightning", "hydra", "omegaconf", "scipy", "sklearn", "pyjaspar")),
    "evaluate": ("zoo evaluate, zoo probe, zoo publish", ("scipy", "sklearn")),
    "gkm": ("zoo evaluate --rival gkm-svm", ("gkmsvm",)),
    "report": ("zoo report", ("matplotlib", "scipy", "sklearn")),
    "pictures": ("files in .png, .svg and .pdf", ("matplotlib",)),
    "motifs": ("motifs of JASPAR", ("pyjaspar",)),
    "hub": ("models from hf://, and uploads", ("huggingface_hub",)),
    "pandas": ("zoo.predict, zoo.score_variants and others that return a DataFrame", ("pandas",)),
    "formats": ("files in .parquet, .xlsx, .bw and .h5", ("pyarrow", "pandas", "pybigtools", "h5py", "openpyxl")),
    "onnx": ("zoo export to .onnx", ("onnx", "onnxruntime", "onnxscript")),
    "tensorboard": ("trainer.logger=tensorboard", ("tensorboard",)),
    "submitit": ("sweeps under SLURM", ("hydra_plugins.hydra_submitit_launcher", "submitit")),
}
"""Extra of zoo-core: what it is for, and the modules that it brings."""


def installed(module: str) -> bool:
    """Whether a module is there; it is not imported."""
    try:
        return find_spec(module) is not None
    except ImportError:
        return False


def need(task: str, *modules: str, install: str | None = None) -> None:
    """Raise ZooError, with the command that helps, where a task lacks one of the modules it needs.

    install: what pip is to be given; by default the smallest extra of zoo-core that brings all of them.

    >>> need("reading", "json")
    """
    missing = [module for module in modules if not installed(module)]
    if missing:
        extra = install or f"zoo-core[{_extra(modules) or _extra(missing)}]"
        raise ZooError(f"{task} needs {missing[0]}, which is not installed: pip install '{extra}'")


def explain(error: ImportError) -> ZooError | None:
    """The sentence for a failed import of a module that an extra brings; None for any other module."""
    module = (error.name or "").partition(".")[0]
    if not _extra([module]) or installed(module):
        return None
    return ZooError(f"{module} is not installed: pip install 'zoo-core[{_extra([module])}]'")


def _extra(modules) -> str | None:
    bringing = [extra for extra, (_, brought) in EXTRAS.items() if set(modules) <= set(brought)]
    return min(bringing, key=lambda extra: len(EXTRAS[extra][1]), default=None)
