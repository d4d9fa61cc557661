"""The flags of a command that takes overrides: -m, --cfg job, --explain, --dry-run, --config-dir DIR."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from zoo.errors import ConfigError, did_you_mean


@dataclass
class Flags:
    """What the words of a command line are: overrides, folders of further options, -m (multirun).

    show: print the configuration.  explain: print what fills every argument.
    dry_run: print what the run would do.
    """

    overrides: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    multirun: bool = False
    show: bool = False
    explain: bool = False
    dry_run: bool = False


def read_flags(args: list[str]) -> Flags:
    """Split words into flags, which may stand anywhere, and overrides.

    >>> flags = read_flags(["experiment=demo", "-m", "seed=1,2"])
    >>> flags.overrides, flags.multirun, flags.explain
    (['experiment=demo', 'seed=1,2'], True, False)
    """
    flags, words = Flags(), iter(args)
    for word in words:
        flag, _, value = word.partition("=")
        if word in ("-m", "--multirun"):
            flags.multirun = True
        elif word == "--explain":
            flags.explain = True
        elif word == "--dry-run":
            flags.dry_run = True
        elif flag in ("-c", "--cfg"):
            value = value or next(words, "")
            if value != "job":
                raise ConfigError(f"{flag} {value}".rstrip() + " is not known: write --cfg job")
            flags.show = True
        elif flag in ("-cd", "--config-dir"):
            value = value or next(words, "")
            if not value or not Path(value).is_dir():
                raise ConfigError(f"{flag} {value!r} is no folder: name one that holds experiment/*.yaml or the like")
            flags.folders.append(Path(value).resolve())
        elif word.startswith("-"):
            known = ["--multirun", "--cfg", "--explain", "--dry-run", "--config-dir", "--help"]
            raise ConfigError(f"zoo train has no option {flag!r}" + did_you_mean(flag, known))
        else:
            flags.overrides.append(word)
    if (flags.explain or flags.dry_run) and flags.multirun:
        flag = "--explain" if flags.explain else "--dry-run"
        raise ConfigError(f"{flag} looks at one run and -m starts several: leave one of them out")
    return flags
