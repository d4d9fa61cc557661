"""What `zoo predict-contacts` does once its arguments are read: predict, print figures, write files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import click
import numpy as np

from zoo.data.genome import Genome
from zoo.errors import ConfigError
from zoo.files.tables import TableWriter
from zoo_hic.effects.edits import WindowEdit
from zoo_hic.output import output_kind, write_pairs, write_square
from zoo_hic.predictor import Predictor
from zoo_hic.preprocess import Preprocess

Place = tuple[str, int, int]


@dataclass(frozen=True)
class PredictRequest:
    """What all three functions need.  outs: files to write.  draws, seed: of the shuffles."""

    predictor: Predictor
    genome: Genome
    outs: Sequence[str]
    draws: int = 8
    seed: int = 0

    def comments(self) -> dict[str, Any]:
        """Provenance that every file states."""
        p, model = self.predictor, self.predictor.model
        return {
            "model": model.spec.name,
            "source": str(getattr(model, "source", "")),
            "genome": self.genome.name,
            "strands": "both, averaged" if p.strands or model.spec.conjoined else "forward",
            "bin_size": p.bin_size,
            "window": p.length,
            "logarithm": "natural",
        }


@dataclass(frozen=True)
class ObservedMap:
    """A measured map.  balance: name of its weights, none, or auto: the model's, else what the map has."""

    path: str
    balance: str = "auto"
    allow_other_assembly: bool = False


def predict_and_write(
    request: PredictRequest, place: Place, channel: str, observed: ObservedMap | None, values: str
) -> None:
    """The map of a region, beside an observed one."""
    from zoo_hic.picture import draw_region
    from zoo_hic.region_prediction import predict_region

    region = predict_region(request.predictor, request.genome, *place, progress=True)
    square, measured, notes, subtitle = region.squares[channel], None, list(region.notes), ""
    figures: dict[str, Any] = {"region": region.region, "map": channel, "bins": f"{region.bins:,}"}
    figures["known pairs"] = f"{int(np.triu(np.isfinite(square)).sum()):,}"
    if observed:
        from zoo_hic.observed_map import correlate_maps

        measured, more = _read_observed(request, region, observed)
        notes += more
        score = correlate_maps(square, measured)
        figures["pearson of log(O/E)"] = f"{score.pearson:.4f}"
        figures["pearson of distance alone"] = "0 (its log(O/E) is 0 everywhere)"
        figures["pairs known in both"] = f"{score.pairs:,}"
        figures["observed"] = observed.path
        subtitle = f"Pearson of log(O/E) {score.pearson:.3f}, of distance alone 0"
    _print(figures, notes)
    squares = {f"{c}:log_oe": s for c, s in region.squares.items()}
    squares |= {"observed:log_oe": measured} if measured is not None else {}
    title = f"{channel} of {request.predictor.model.spec.name}: {region.region}"
    window = (region.contig, region.contig_size, region.start, region.bin_size)
    comments, where = {**request.comments(), "region": region.region}, (region.contig, region.start, region.bin_size)
    draw = lambda: draw_region(square, *where, observed=measured, title=title, subtitle=subtitle)  # noqa: E731
    _write(request, window, square, values, squares, (comments, {"channel": channel}), title, draw, figures)


def score_edits_and_write(
    request: PredictRequest, edits: Sequence[WindowEdit], place: Place, channel: str, places: int, values: str | None
) -> None:
    """Scores of edits, and their maps."""
    from zoo_hic.effects.disruption import predict_effect
    from zoo_hic.effects.null_model import score_null
    from zoo_hic.picture import draw_edits

    outside = [e for e in edits if e.contig != place[0] or e.start < place[1] or e.end > place[2]]
    if outside:
        raise ConfigError(f"{outside[0]} lies outside the region: name a region around all edits")
    common = {"region": place[1:], "draws": request.draws, "seed": request.seed}
    change = predict_effect(request.predictor, request.genome, edits, **common, progress=True)
    score, notes = change.scores[channel], list(change.notes)
    figures: dict[str, Any] = {
        "edits": "; ".join(map(str, edits)),
        "window": change.region,
        "map": channel,
        "rms difference": f"{score.rms:.5g}",
        "sum of squared differences": f"{score.squared:.5g}",
        "pairs compared": f"{score.pairs:,}",
        "insulation change": f"{score.insulation:+.5g}",
        "largest change": f"{score.largest:+.5g} at {change.place(score)}",
        "bins apart by": f"{change.shift:,} bp at most",
    }
    subtitle = f"rms difference {score.rms:.3g}, insulation change {score.insulation:+.3g}"
    if change.draws > 1:
        figures["shuffles averaged"] = change.draws
    if places:
        null = score_null(request.predictor, request.genome, edits, places, channel=channel, **common, progress=True)
        notes += null.notes
        figures["null places"] = len(null.scores)
        figures["null median rms"] = f"{np.median(null.scores):.5g}"
        figures["percentile of the null"] = f"{null.percentile(score.rms):.1f}"
        figures["p"] = f"{null.p(score.rms):.3g}"
        subtitle += f", p {figures['p']} of {figures['null places']} places"
    _print(figures, notes)
    size, width = change.contig_size, change.bin_size
    bins = min(len(change.match), -(-size // width) - change.start // width)
    maps = {"reference": change.reference, "edited": change.moved, "difference": change.difference}
    squares = {name: m[channel][:bins, :bins] for name, m in maps.items()}
    values = values or "difference"
    title = f"{channel} of {request.predictor.model.spec.name}: {figures['edits']}"
    comments = {**request.comments(), "edits": figures["edits"], "region": change.region, "channel": channel}
    square = squares["difference" if values == "difference" else "edited"]
    draw = lambda: draw_edits(change, channel, title=title, subtitle=subtitle)  # noqa: E731
    window, metadata = (change.contig, size, change.start, width), {"coordinates": "of the reference"}
    _write(request, window, square, values, squares, (comments, metadata), title, draw, figures)


def score_variants_and_write(request: PredictRequest, path: str, place: Place | None, channel: str | None) -> None:
    """One row for every allele of a VCF."""
    from zoo.terminal.progress import progress
    from zoo_hic.effects.structural_variants import COLUMNS, read_alleles, score_alleles, score_cells, score_columns

    predictor = request.predictor
    channels = predictor.channels if channel is None else (predictor.channel(channel),)
    columns = [*COLUMNS, *score_columns(channels)]
    alleles = read_alleles(path, request.genome, predictor.length, place)
    statuses: Counter[str] = Counter()
    comments = {**request.comments(), "variants": path}
    with ExitStack() as stack:
        opened = [stack.enter_context(TableWriter(out, columns, comments)) for out in request.outs]
        scored = score_alleles(predictor, request.genome, alleles)
        for allele, compared in progress(scored, total=None, label="scoring", unit="alleles"):
            statuses[allele.status] += 1
            for table in opened:
                table.row([*allele.cells(), *score_cells(compared, channels)])
    _print({status: f"{n:,}" for status, n in statuses.most_common()}, predictor.notes)
    for out in request.outs:
        click.echo(f"wrote {out}", err=True)


def _write(request, window, square, values, squares, comments, title, draw, figures) -> None:
    """Every file of the request, by the end of its name.

    window: contig, its size, start and bin size.  square: (T, T) of a .cool, whose values are `values`.
    squares: {column: (T, T)} of a table.  comments: of every file; more of a .cool.  draw: makes the picture.
    """
    contig, size, start, bin_size = window
    for out in request.outs:
        kind = output_kind(out)
        if kind == "map":
            stored, metadata = np.exp(square) if values == "oe" else square, {**comments[0], **comments[1]}
            where, assembly = (contig, size, start // bin_size, bin_size), request.genome.name
            write_square(out, stored, *where, values=values, assembly=assembly, metadata=metadata)
        elif kind == "table":
            write_pairs(out, squares, *window, comments[0])
        else:
            from zoo.pictures.figure_files import save_picture

            save_picture(out, draw(), title, f"Contact map: {title}", figures)
        click.echo(f"wrote {out}", err=True)


def _read_observed(request: PredictRequest, region, observed: ObservedMap):
    """(T, T) log(O/E) of a measured map, and notes."""
    from zoo_hic.observed_map import observed_square
    from zoo_hic.readers import read_map

    steps, notes = request.predictor.preprocess, []
    if steps is None:
        steps = Preprocess()
        notes.append("the model does not say its preprocessing: the observed map has the defaults of zoo-hic")
    auto = observed.balance == "auto"
    balance = {"balance": steps.balance if auto else observed.balance, "any_balance": auto}
    options = {"resolution": region.bin_size, "allow_other_assembly": observed.allow_other_assembly}
    contacts = read_map(observed.path, fasta=request.genome, **balance, **options)
    steps = replace(steps, balance=contacts.origin["balance"])
    return observed_square(contacts, region, steps), [*notes, *contacts.notes]


def _print(figures: dict[str, Any], notes: Sequence[str]) -> None:
    for name, value in figures.items():
        click.echo(f"{name}\t{value}")
    for note in notes:
        click.echo(f"note: {note}", err=True)
