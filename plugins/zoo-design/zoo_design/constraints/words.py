"""Short words to constraints: of the command line, and of a YAML file.

gc=40-60%           GC content of the whole sequence; gc=30-70%/50 of every window of 50 bp
avoid=BsaI,GGRCC    restriction enzymes by name, or IUPAC letters, on both strands
homopolymer=5       no run of one base is longer
repeats=12          every 12-mer occurs once, on both strands
protect=10-30,ori   positions from 1, the last one included, or features by their label: no base changes
codons=31-90,gene   codons change to others of the same amino acid alone; 31-90:- of the other strand
distance=15         at most 15 letters differ from the start
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from zoo.errors import ConfigError, DataError, did_you_mean
from zoo.files.strict_yaml import parse_yaml
from zoo_design.constraints.composition import GC
from zoo_design.constraints.constraint import Constraint
from zoo_design.constraints.sites import IUPAC, Avoid, Homopolymer, Repeats
from zoo_design.constraints.start_bases import Codons, Distance, Protect

_GC = re.compile(r"(?P<low>\d+(?:\.\d+)?)-(?P<high>\d+(?:\.\d+)?)%(?:/(?P<window>\d+)(?:bp)?)?")
_LARGEST = 1 << 20


def read_constraints(words: Iterable[str], file: str | Path | None = None) -> list[Constraint]:
    """All constraints, each once: those of the file first.

    Raises ConfigError for a word that is none, and for bounds of GC content that contradict each other.
    """
    pairs = [*(_of_file(file) if file is not None else []), *map(_pair, words)]
    constraints = [constraint for key, value in pairs for constraint in _parse(key, value)]
    constraints = list({constraint.word: constraint for constraint in constraints}.values())
    bounds = [one for one in constraints if isinstance(one, GC)]
    for i, one in enumerate(bounds):
        for other in bounds[i + 1 :]:
            if one.window == other.window and (one.high < other.low or other.high < one.low):
                raise ConfigError(f"constraints {one.word} and {other.word} contradict each other: keep one")
    return constraints


def _pair(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not value.strip():
        raise ConfigError(f"constraint {word!r} does not read key=value, as in gc=40-60% or avoid=BsaI")
    return key.strip(), value.strip()


def _of_file(path: str | Path) -> list[tuple[str, str]]:
    """{key: value or list of values}."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path} is no file: give the constraints as YAML, such as gc: 40-60%")
    if path.stat().st_size > _LARGEST:
        raise DataError(f"{path} is larger than {_LARGEST:,} bytes: is it a list of constraints?")
    try:
        content = parse_yaml(path.read_bytes())
    except ValueError as error:
        raise DataError(f"{path} cannot be read as YAML ({error}): correct it") from error
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no mapping such as gc: 40-60%: write one key a line")
    pairs = []
    for key, value in content.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) and one.strip() for one in values):
            raise DataError(f"{path}: {key} needs a value or a list of values, as in avoid: [BsaI, BsmBI]")
        pairs += [(key, one.strip()) for one in values]
    return pairs


def _parse(key: str, value: str) -> list[Constraint]:
    if key not in _KINDS:
        raise ConfigError(f"no constraint {key!r}" + did_you_mean(key, _KINDS))
    if key in ("avoid", "protect", "codons"):
        return [_KINDS[key](one.strip()) for one in value.split(",") if one.strip()]
    return [_KINDS[key](value)]


def _gc(value: str) -> Constraint:
    match = _GC.fullmatch(value.replace(" ", ""))
    if not match:
        raise ConfigError(f"constraint gc={value} does not read low-high%, as in gc=40-60% or gc=30-70%/50")
    low, high = float(match["low"]), float(match["high"])
    if not 0 <= low <= high <= 100:
        raise ConfigError(f"constraint gc={value}: bounds go from 0 to 100, the lower one first")
    window = match["window"]
    word = f"gc={match['low']}-{match['high']}%" + (f"/{window}" if window else "")
    return GC(word, low / 100, high / 100, int(window) if window else None)


def _avoid(value: str) -> Constraint:
    from Bio.Restriction.Restriction_Dictionary import rest_dict

    names = {name.upper(): name for name in rest_dict}
    name = value if value in rest_dict else names.get(value.upper(), "")
    if name:
        return Avoid(f"avoid={name}", str(rest_dict[name]["site"]).upper(), name)
    site = value.upper().replace("U", "T")
    if not set(site) <= set(IUPAC):
        raise ConfigError(f"no restriction enzyme or IUPAC site {value!r}" + did_you_mean(value, sorted(rest_dict)))
    if set(site) == {"N"}:
        raise ConfigError(f"constraint avoid={value} forbids every sequence: name the letters of a site")
    return Avoid(f"avoid={site}", site)


def _number(key: str, make: Callable[[str, int], Constraint]) -> Callable[[str], Constraint]:
    def parse(value: str) -> Constraint:
        if not re.fullmatch(r"\d{1,6}", value) or not int(value):
            raise ConfigError(f"constraint {key}={value} needs a whole number from 1 on, as in {key}=12")
        return make(f"{key}={int(value)}", int(value))

    return parse


def _codons(value: str) -> Constraint:
    place, _, sign = value.partition(":") if value.endswith((":+", ":-")) else (value, "", "")
    return Codons(f"codons={value}", place, {"": 0, "+": 1, "-": -1}[sign])


_KINDS: dict[str, Callable[[str], Constraint]] = {
    "protect": lambda value: Protect(f"protect={value}", value),
    "gc": _gc,
    "avoid": _avoid,
    "homopolymer": _number("homopolymer", Homopolymer),
    "repeats": _number("repeats", Repeats),
    "distance": _number("distance", Distance),
    "codons": _codons,
}
