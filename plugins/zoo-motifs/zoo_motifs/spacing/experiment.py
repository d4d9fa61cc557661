"""In-silico spacing experiments: what two motifs do together, by their distance and orientation.

    background  f(0)     ....................
    first       f(A)     ....[A>.............          synergy = f(AB) - f(A) - f(B) + f(0)
    second      f(B)     .............<B]....          at the same places, on the same strands
    pair        f(AB)    ....[A>......<B]....          gap: bp between the two

The eight ways to write a pair, and what they are called, are in zoo_motifs.spacing.result.

The motifs are put in as edits of the backgrounds: an engine that carries differences through the layers recomputes
only what a motif's receptive field touches, and a single serves all pairs that hold it at that place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.edits import Edits
from zoo.errors import ConfigError, DataError
from zoo.hub.loader import as_model
from zoo_motifs.spacing.result import ARRANGEMENTS, Spacing

if TYPE_CHECKING:
    from zoo.data.motifs import Motif
    from zoo.model import Model

SITES = ("consensus", "sampled")
GC = 0.41


def motif_spacing(
    model: Model | str,
    first: str | Motif,
    second: str | Motif,
    *,
    output: str | None = None,
    gaps: Sequence[int] | np.ndarray = range(51),
    backgrounds: int | np.ndarray = 100,
    sites: str = "consensus",
    gc: float = GC,
    seed: int = 0,
    progress: bool = False,
) -> Spacing:
    """Put two motifs into backgrounds in the eight ARRANGEMENTS and at every gap.

    model: a model, or the name of a published one.
    first, second: JASPAR names or identifiers, letters, or motifs; see `parse_motif`.
    output: one number, see zoo.outputs; it may be left out where the model has only one.
    gaps: bp between the motifs.  The pair, gap included, stands in the middle of the window.
    backgrounds: a number of random sequences, or codes (B, L) uint8 as long as the model's input.
    sites: "consensus" puts the most frequent base of every column, "sampled" draws a site from the counts for every
        background, the same one in the pair and alone.
    gc: share of C and G in random backgrounds.
    seed: of backgrounds and sites.
    progress: show a bar on stderr, if that is a terminal.

    Raises ConfigError where several outputs are meant, where a pair does not fit, and for a model that reads more
    than a sequence.
    """
    from zoo.effects.engine.incremental import incremental
    from zoo.outputs import Output
    from zoo.prediction.predict import origin, predict_codes
    from zoo.terminal.progress import counting

    model = as_model(model)
    selected = Output.one(output, model.spec)
    motifs = [parse_motif(m) for m in (first, second)]
    gaps = _check_gaps(gaps, [len(m) for m in motifs], model.spec.input_length)
    random = np.random.default_rng(seed)
    codes, source = _make_backgrounds(backgrounds, model.spec.input_length, gc, random)
    edits, pair, singles = _place(_Sites(motifs, sites, len(codes), random), gaps, codes)
    engine = incremental(model, selected)
    with counting(len(edits), label="placing", unit="sequences", enabled=progress) as advance:
        effects = engine.effects(codes, edits, progress=advance)[:, 0].double().cpu().numpy().reshape(len(codes), -1)
    comments = {
        **origin(model, selected),
        **{f"motif_{i}": f"{m.name} {m.id} {m.consensus}" for i, m in enumerate(motifs, 1)},
        "sites": sites,
        "backgrounds": f"{source}, seed {seed}",
        "inference": engine.report,
    }
    by_arrangement = (np.moveaxis(effects[:, mutants], 0, -1) for mutants in (pair, singles))
    bare = float(predict_codes(model, codes, selected)[:, 0].mean())
    return Spacing(motifs[0].name, motifs[1].name, gaps, *by_arrangement, selected.names[0], bare, comments)


def parse_motif(motif: str | Motif) -> Motif:
    """A motif by JASPAR name or identifier, or from letters: four or more of A, C, G, T are a site of their own.

    Raises DataError for an unknown name.

    >>> parse_motif("GATAAG").consensus, parse_motif("CTCF").id
    ('GATAAG', 'MA0139.2')
    """
    from zoo.data.motifs import Motif, get_motif

    if isinstance(motif, Motif):
        return motif
    letters = motif.strip().upper()
    if len(letters) < 4 or set(letters) - set("ACGT"):
        return get_motif(motif)
    return Motif(letters, "letters", (encode(letters) == np.arange(4)[:, None]).astype(float))


class _Sites:
    """The letters of each motif's site in each background, on either strand."""

    def __init__(self, motifs: Sequence[Motif], sites: str, n: int, random: np.random.Generator):
        if sites not in SITES:
            raise ConfigError(f"sites {sites!r} must be one of {', '.join(SITES)}")
        drawn = [m.sample(random, n) if sites == "sampled" else encode(m.consensus)[None].repeat(n, 0) for m in motifs]
        self.widths = [len(m) for m in motifs]
        self._text = [
            {"+": [decode(x) for x in codes], "-": [decode(reverse_complement(x)) for x in codes]} for codes in drawn
        ]

    def at(self, background: int, motif: int, strand: str) -> str:
        return self._text[motif][strand][background]


def _check_gaps(gaps: Sequence[int] | np.ndarray, widths: Sequence[int], length: int) -> np.ndarray:
    unique = np.unique(np.asarray(list(gaps)))
    if not len(unique) or unique.dtype.kind not in "iu" or unique[0] < 0:
        raise ConfigError(f"gaps {list(gaps)[:8]} must be whole numbers of 0 bp or more: give at least one")
    longest = length - sum(widths)
    if unique[-1] > longest:
        room = f"gaps up to {longest} bp fit" if longest >= 0 else "take shorter motifs"
        raise ConfigError(
            f"motifs of {widths[0]} and {widths[1]} bp with {unique[-1]} bp between them do not fit into the model's "
            f"{length:,} bp: {room}"
        )
    return unique.astype(np.int64)


def _make_backgrounds(
    backgrounds: int | np.ndarray, length: int, gc: float, random: np.random.Generator
) -> tuple[np.ndarray, str]:
    """Codes (B, L) uint8, and where they are from in words."""
    if isinstance(backgrounds, (int, np.integer)):
        if backgrounds < 1:
            raise ConfigError(f"backgrounds {backgrounds} must be at least 1")
        from zoo.data.planted_motifs import background

        return background(int(backgrounds), length, gc=gc, rng=random), f"{backgrounds} random sequences, GC {gc:.0%}"
    codes = np.ascontiguousarray(backgrounds, np.uint8)
    if codes.ndim != 2 or not len(codes) or codes.shape[1] != length or codes.max() > 4:
        raise DataError(f"backgrounds {codes.shape} must be (B, {length}) codes from 0 to 4: the model's input length")
    return codes, f"{len(codes)} given sequences"


def _place(sites: _Sites, gaps: np.ndarray, codes: np.ndarray) -> tuple[Edits, np.ndarray, np.ndarray]:
    """All mutants, background after background; their numbers in one background: pair (8, G), singles (2, 8, G)."""
    length = codes.shape[1]
    known: dict[tuple, int] = {}
    pair = np.empty((len(ARRANGEMENTS), len(gaps)), np.int64)
    singles = np.empty((2, *pair.shape), np.int64)
    for i, a in enumerate(ARRANGEMENTS):
        for j, gap in enumerate(gaps.tolist()):
            left = (length - sum(sites.widths) - gap) // 2
            right = left + sites.widths[0 if a.first_left else 1] + gap
            places = (left, right) if a.first_left else (right, left)
            stand = [(m, at, strand) for m, at, strand in zip((0, 1), places, (a.first, a.second), strict=True)]
            for numbers, mutant in ((pair, stand), (singles[0], stand[:1]), (singles[1], stand[1:])):
                numbers[i, j] = known.setdefault(tuple(mutant), len(known))
    mutants = [
        [(at, sites.widths[m], sites.at(background, m, strand)) for m, at, strand in mutant]
        for background in range(len(codes))
        for mutant in known
    ]
    return Edits.sets(mutants, np.repeat(np.arange(len(codes)), len(known))), pair, singles
