"""Libraries that only some tasks need: which extra of zoo-core brings each, and the sentence where one is missing."""

from __future__ import annotations

from importlib.util import find_spec

from zoo.errors import ZooError

__all__ = ["EXTRAS", "explain", "installed", "need"]

EXTRAS = {
    "train": ("zoo train, zoo demo", ("lightning", "hydra", "omegaconf", "scipy", "sklearn", "pyjaspar")),
    "evaluate": ("zoo evaluate, zoo publish", ("scipy", "sklearn")),
    "report": ("zoo report", ("matplotlib", "scipy", "sklearn")),
    "pictures": ("files in .png, .svg and .pdf", ("matplotlib",)),
    "motifs": ("motifs of JASPAR", ("pyjaspar",)),
    "hub": ("models from hf://, and uploads", ("huggingface_hub",)),
    "pandas": ("zoo.predict, zoo.score_variants and others that return a DataFrame", ("pandas",)),
    "formats": ("files in .parquet, .bw and .h5", ("pyarrow", "pandas", "pybigtools", "h5py")),
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
