"""In-silico spacing experiments: what two motifs do together, by their distance and orientation.

    background  f(0)     ....................
    first       f(A)     ....[A>.............          synergy = f(AB) - f(A) - f(B) + f(0)
    second      f(B)     .............<B]....          at the same places, on the same strands
    pair        f(AB)    ....[A>......<B]....          gap: bp between the two

The eight ways to write a pair, and what they are called, are in zoo_motifs.arrangement.

The motifs are put in as edits of the backgrounds: an engine that carries differences through the layers recomputes
only what a motif's receptive field touches, and a single serves all pairs that hold it at that place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.codes import decode, encode, reverse_complement
from zoo.data.edits import Edits
from zoo.errors import ConfigError, DataError
from zoo.files.tables import atomic_path, write_table
from zoo.hub.loader import as_model
from zoo_motifs.arrangement import ARRANGEMENTS, Arrangement

if TYPE_CHECKING:
    from zoo.data.motifs import Motif
    from zoo.model import Ensemble, Model

__all__ = ["COLUMNS", "Spacing", "check_path", "motif_of", "motif_spacing"]

COLUMNS = (
    "first", "second", "arrangement", "order", "orientation", "gap",
    "effect_pair", "effect_first", "effect_second", "synergy", "low", "high", "n",
)  # fmt: skip
SITES = ("consensus", "sampled")
GC = 0.41


@dataclass(frozen=True)
class Spacing:
    """What a pair of motifs does in B backgrounds, G gaps and the eight ARRANGEMENTS.

    first, second: names of the motifs.
    gaps: (G,) bp between the two.
    pair, singles: effects against the bare background: (8, G, B) of both motifs, (2, 8, G, B) of the first and of
        the second alone, each where it stands in the pair.
    output: name of the output.
    background: its mean over the bare backgrounds.
    comments: what a file of these numbers must say of their origin.
    """

    first: str
    second: str
    gaps: np.ndarray
    pair: np.ndarray
    singles: np.ndarray
    output: str
    background: float
    comments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Number of backgrounds."""
        return self.pair.shape[2]

    def synergy(self) -> np.ndarray:
        """(8, G, B): effect of the pair less the effects of the two."""
        return self.pair - self.singles.sum(0)

    def intervals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean synergy over the backgrounds and the ends of its 95 % interval (Student's t), each (8, G).

        The ends are NaN for one background.
        """
        from scipy.stats import t

        values = self.synergy()
        mean = values.mean(2)
        if self.n == 1:
            return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
        half = t.ppf(0.975, self.n - 1) * values.std(2, ddof=1) / np.sqrt(self.n)
        return mean, mean - half, mean + half

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """A row of COLUMNS for each arrangement and gap; effects and synergy are means over the n backgrounds."""
        effects = [x.mean(2) for x in (self.pair, *self.singles)]
        intervals = self.intervals()
        for i, a in enumerate(ARRANGEMENTS):
            for j, gap in enumerate(self.gaps.tolist()):
                numbers = [float(x[i, j]) for x in (*effects, *intervals)]
                yield self.first, self.second, a.name, a.order, a.orientation, gap, *numbers, self.n

    def peak(self) -> tuple[Arrangement, int]:
        """Arrangement and gap of the largest absolute mean synergy."""
        mean = np.abs(self.intervals()[0])
        i, j = np.unravel_index(mean.argmax(), mean.shape)
        return ARRANGEMENTS[i], int(self.gaps[j])

    def sentence(self) -> str:
        """Names the peak, and what is usual elsewhere.

        The interval is that of one arrangement and gap; the largest of many is large by chance too.
        """
        mean, low, high = self.intervals()
        arrangement, gap = self.peak()
        at = ARRANGEMENTS.index(arrangement), int(np.flatnonzero(self.gaps == gap)[0])
        side, strand = arrangement.name.split(", ")
        interval = f"95 % {low[at]:.3g} to {high[at]:.3g}, " if self.n > 1 else ""
        return (
            f"{self.first} and {self.second}: largest synergy {mean[at]:+.3g} ({interval}n = {self.n}) with "
            f"{self.second} {gap} bp {side} of {self.first} on the {strand} strand ({arrangement.order}, "
            f"{arrangement.orientation}); median absolute synergy of all {mean.size} arrangements and gaps "
            f"{np.median(np.abs(mean)):.2g}"
        )

    def header(self) -> dict[str, str]:
        """The comments, and what the columns mean."""
        return {
            **{key: str(value) for key, value in self.comments.items()},
            "arrangement": "the second motif as seen from the first, along the first's strand",
            "order": "left to right as written",
            "orientation": "strand of the first, then of the second, as written",
            "gap": "bp between the two motifs",
            "effect": f"{self.output} with the motif - {self.output} of the bare background, mean of n backgrounds",
            "synergy": "effect_pair - effect_first - effect_second",
            "interval": "95 %, Student's t over backgrounds, of one row; not corrected for the number of rows",
            "background_output": f"{self.background:.7g}",
        }

    def write(self, path: str | Path) -> None:
        """Write .tsv or .tsv.gz (- is standard output), or the picture as .png, .svg or .pdf.

        Raises ConfigError for another name, DataError where the file cannot be written.
        """
        check_path(path)(self, str(path))


def motif_spacing(
    model: Model | Ensemble | str,
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
    first, second: JASPAR names or identifiers, letters, or motifs; see `motif_of`.
    output: one number, as zoo.outputs says; it may be left out where the model has only one.
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
    from zoo.effects import incremental
    from zoo.outputs import Output
    from zoo.prediction.predict import origin, predict_codes
    from zoo.terminal.progress import counting

    model = as_model(model)
    selected = Output.one(output, model.spec)
    motifs = [motif_of(m) for m in (first, second)]
    gaps = _checked_gaps(gaps, [len(m) for m in motifs], model.spec.input_length)
    random = np.random.default_rng(seed)
    codes, told = _backgrounds(backgrounds, model.spec.input_length, gc, random)
    bare = predict_codes(model, codes, selected)[:, 0]
    letters = _Letters(motifs, sites, len(codes), random)
    edits, pair, singles = _edits(letters, gaps, codes)
    engine = incremental(model, selected)
    with counting(len(edits), label="placing", unit="sequences", wanted=progress) as advance:
        effects = engine.effects(codes, edits, progress=advance)[:, 0].double().cpu().numpy().reshape(len(codes), -1)
    return Spacing(
        motifs[0].name,
        motifs[1].name,
        gaps,
        np.moveaxis(effects[:, pair], 0, -1),
        np.moveaxis(effects[:, singles], 0, -1),
        selected.names[0],
        float(bare.mean()),
        {
            **origin(model, selected),
            **{f"motif_{i}": f"{m.name} {m.id} {m.consensus}" for i, m in enumerate(motifs, 1)},
            "sites": sites,
            "backgrounds": f"{told}, seed {seed}",
            "inference": engine.report,
        },
    )


def motif_of(motif: str | Motif) -> Motif:
    """A motif by JASPAR name or identifier, or from letters: four or more of A, C, G, T are a site of their own.

    Raises DataError for an unknown name.

    >>> motif_of("GATAAG").consensus, motif_of("CTCF").id
    ('GATAAG', 'MA0139.2')
    """
    from zoo.data.motifs import Motif, get_motif

    if isinstance(motif, Motif):
        return motif
    letters = motif.strip().upper()
    if len(letters) < 4 or set(letters) - set("ACGT"):
        return get_motif(motif)
    return Motif(letters, "letters", (encode(letters) == np.arange(4)[:, None]).astype(float))


def check_path(path: str | Path) -> Callable[[Spacing, str], None]:
    """The writer for a name; raises ConfigError for one that says no kind of file."""
    name = str(path)
    if name == "-" or name.endswith((".tsv", ".tsv.gz")):
        return _write_table
    if Path(name).suffix in (".png", ".svg", ".pdf"):
        return partial(_write_picture, kind=Path(name).suffix[1:])
    raise ConfigError(
        f"{name!r} does not say which file to write: end it in .tsv, .tsv.gz, .png, .svg or .pdf, or use - for the "
        "terminal"
    )


class _Letters:
    """The letters of each motif in each background, on either strand."""

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


def _checked_gaps(gaps: Sequence[int] | np.ndarray, widths: Sequence[int], length: int) -> np.ndarray:
    found = np.unique(np.asarray(list(gaps)))
    if not len(found) or found.dtype.kind not in "iu" or found[0] < 0:
        raise ConfigError(f"gaps {list(gaps)[:8]} must be whole numbers of 0 bp or more: give at least one")
    longest = length - sum(widths)
    if found[-1] > longest:
        room = f"gaps up to {longest} bp fit" if longest >= 0 else "take shorter motifs"
        raise ConfigError(
            f"motifs of {widths[0]} and {widths[1]} bp with {found[-1]} bp between them do not fit into the model's "
            f"{length:,} bp: {room}"
        )
    return found.astype(np.int64)


def _backgrounds(
    asked: int | np.ndarray, length: int, gc: float, random: np.random.Generator
) -> tuple[np.ndarray, str]:
    if isinstance(asked, (int, np.integer)):
        if asked < 1:
            raise ConfigError(f"backgrounds {asked} must be at least 1")
        from zoo.data.planted_motifs import background

        return background(int(asked), length, gc=gc, rng=random), f"{asked} random sequences, GC {gc:.0%}"
    codes = np.ascontiguousarray(asked, np.uint8)
    if codes.ndim != 2 or not len(codes) or codes.shape[1] != length or codes.max() > 4:
        raise DataError(f"backgrounds {codes.shape} must be (B, {length}) codes from 0 to 4: the model's input length")
    return codes, f"{len(codes)} given sequences"


def _edits(letters: _Letters, gaps: np.ndarray, codes: np.ndarray) -> tuple[Edits, np.ndarray, np.ndarray]:
    """All mutants, background after background; their numbers in one background: pair (8, G), singles (2, 8, G)."""
    length = codes.shape[1]
    known: dict[tuple, int] = {}
    pair = np.empty((len(ARRANGEMENTS), len(gaps)), np.int64)
    singles = np.empty((2, *pair.shape), np.int64)
    for i, a in enumerate(ARRANGEMENTS):
        for j, gap in enumerate(gaps.tolist()):
            left = (length - sum(letters.widths) - gap) // 2
            right = left + letters.widths[0 if a.first_left else 1] + gap
            places = (left, right) if a.first_left else (right, left)
            stand = [(m, at, strand) for m, at, strand in zip((0, 1), places, (a.first, a.second), strict=True)]
            for numbers, mutant in ((pair, stand), (singles[0], stand[:1]), (singles[1], stand[1:])):
                numbers[i, j] = known.setdefault(tuple(mutant), len(known))
    mutants = [
        [(at, letters.widths[m], letters.at(background, m, strand)) for m, at, strand in mutant]
        for background in range(len(codes))
        for mutant in known
    ]
    return Edits.sets(mutants, np.repeat(np.arange(len(codes)), len(known))), pair, singles


def _write_table(spacing: Spacing, path: str) -> None:
    write_table(path, COLUMNS, spacing.rows(), spacing.header())


def _write_picture(spacing: Spacing, path: str, kind: str) -> None:
    from zoo_motifs.spacing_picture import draw_spacing

    with atomic_path(path) as temporary:
        draw_spacing(spacing).savefig(temporary, format=kind)
