"""What a user can mend.  Every message gives value, expectation and remedy in one sentence."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
