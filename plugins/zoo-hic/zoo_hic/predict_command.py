"""What `zoo predict-contacts` does once its arguments are read: predict, print figures, write files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from zoo.data.genome import Genome
from zoo.errors import ConfigError
from zoo.files.tables import TableWriter
from zoo_hic.output import kind_of, write_pairs, write_square
from zoo_hic.predictor import Predictor
from zoo_hic.preprocess import Preprocess
from zoo_hic.window_edits import WindowEdit

__all__ = ["PredictRequest", "predict_and_write", "score_edits_and_write", "score_variants_and_write"]

Place = tuple[str, int, int]


@dataclass(frozen=True)
class PredictRequest:
    """What all three have in common.  outs: files to write.  draws, seed: of what is shuffled."""

    predictor: Predictor
    genome: Genome
    outs: Sequence[str]
    draws: int = 8
    seed: int = 0

    def about(self) -> dict[str, Any]:
        """What every file says of its numbers."""
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


def predict_and_write(
    asked: PredictRequest, place: Place, channel: str, observed: str | None, allow_other_assembly: bool, values: str
) -> None:
    """The map of a region, beside an observed one."""
    from zoo_hic.region_prediction import predict_region

    found = predict_region(asked.predictor, asked.genome, *place, progress=True)
    square, seen, notes = found.squares[channel], None, list(found.notes)
    figures: dict[str, Any] = {"region": found.region, "map": channel, "bins": f"{found.bins:,}"}
    figures["known pairs"] = f"{int(np.triu(np.isfinite(square)).sum()):,}"
    if observed:
        seen, more = _observed(asked, found, observed, allow_other_assembly)
        notes += more
        from zoo_hic.observed_map import agreement

        score = agreement(square, seen)
        figures["pearson of log(O/E)"] = f"{score.pearson:.4f}"
        figures["pearson of distance alone"] = "0 (its log(O/E) is 0 everywhere)"
        figures["pairs known in both"] = f"{score.pairs:,}"
        figures["observed"] = observed
    _say(figures, notes)
    about = {**asked.about(), "region": found.region}
    for out in asked.outs:
        kind = kind_of(out)
        if kind == "map":
            written = np.exp(square) if values == "oe" else square
            where = (found.contig, found.contig_size, found.first, found.bin_size)
            metadata = {**about, "channel": channel}
            write_square(out, written, *where, values=values, assembly=asked.genome.name, metadata=metadata)
        elif kind == "table":
            squares = {f"{c}:log_oe": s for c, s in found.squares.items()}
            squares |= {"observed:log_oe": seen} if seen is not None else {}
            write_pairs(out, squares, found.contig, found.contig_size, found.start, found.bin_size, about)
        else:
            from zoo.pictures.figure_files import save_picture
            from zoo_hic.picture import draw_region

            title = f"{channel} of {asked.predictor.model.spec.name}: {found.region}"
            said = "" if seen is None else f"Pearson of log(O/E) {score.pearson:.3f}, of distance alone 0"
            figure = draw_region(
                square, found.contig, found.start, found.bin_size, observed=seen, title=title, subtitle=said
            )
            save_picture(out, figure, title, f"Contact map: {title}", figures)
        click.echo(f"wrote {out}", err=True)


def score_edits_and_write(
    asked: PredictRequest, edits: Sequence[WindowEdit], place: Place, channel: str, places: int, values: str | None
) -> None:
    """Scores of edits, and their maps."""
    from zoo_hic.disruption import compare
    from zoo_hic.null_model import null_scores

    outside = [e for e in edits if e.contig != place[0] or e.start < place[1] or e.end > place[2]]
    if outside:
        raise ConfigError(f"{outside[0]} lies outside the region: name a region around all edits")
    common = {"region": place[1:], "draws": asked.draws, "seed": asked.seed}
    found = compare(asked.predictor, asked.genome, edits, **common, progress=True)
    score, notes = found.scores[channel], list(found.notes)
    figures: dict[str, Any] = {"edits": "; ".join(map(str, edits)), "window": found.region, "map": channel}
    figures |= {
        "rms difference": f"{score.rms:.5g}",
        "sum of squared differences": f"{score.squared:.5g}",
        "pairs compared": f"{score.pairs:,}",
        "insulation change": f"{score.insulation:+.5g}",
        "largest change": f"{score.largest:+.5g} at {found.place(score)}",
        "bins apart by": f"{found.shift:,} bp at most",
    }
    if found.draws > 1:
        figures["shuffles averaged"] = found.draws
    if places:
        null = null_scores(asked.predictor, asked.genome, edits, places, channel=channel, **common, progress=True)
        notes += null.notes
        figures["null places"] = len(null.scores)
        figures["null median rms"] = f"{np.median(null.scores):.5g}"
        figures["percentile of the null"] = f"{null.percentile(score.rms):.1f}"
        figures["p"] = f"{null.p(score.rms):.3g}"
    _say(figures, notes)
    about = {**asked.about(), "edits": figures["edits"], "region": found.region}
    size = found.contig_size
    bins = min(len(found.match), -(-size // found.bin_size) - found.start // found.bin_size)
    for out in asked.outs:
        kind = kind_of(out)
        if kind == "map":
            name = values or "difference"
            square = found.difference[channel] if name == "difference" else found.moved[channel]
            square = (np.exp(square) if name == "oe" else square)[:bins, :bins]
            where = (found.contig, size, found.start // found.bin_size, found.bin_size)
            metadata = {**about, "channel": channel, "coordinates": "of the reference"}
            write_square(out, square, *where, values=name, assembly=asked.genome.name, metadata=metadata)
        elif kind == "table":
            maps = {"reference": found.reference, "edited": found.moved, "difference": found.difference}
            squares = {name: m[channel][:bins, :bins] for name, m in maps.items()}
            write_pairs(out, squares, found.contig, size, found.start, found.bin_size, {**about, "channel": channel})
        else:
            from zoo.pictures.figure_files import save_picture
            from zoo_hic.picture import draw_edits

            title = f"{channel} of {asked.predictor.model.spec.name}: {figures['edits']}"
            said = f"rms difference {score.rms:.3g}, insulation change {score.insulation:+.3g}"
            said += f", p {figures['p']} of {figures['null places']} places" if places else ""
            figure = draw_edits(found, channel, title=title, subtitle=said)
            save_picture(out, figure, title, f"Contact map: {title}", figures)
        click.echo(f"wrote {out}", err=True)


def score_variants_and_write(asked: PredictRequest, path: str, place: Place | None, channel: str | None) -> None:
    """One row for every allele of a VCF."""
    from zoo.terminal.progress import progress
    from zoo_hic.structural_variants import COLUMNS, read_alleles, score_alleles, score_cells, score_columns

    predictor = asked.predictor
    channels = predictor.channels if channel is None else (predictor.channel(channel),)
    columns = [*COLUMNS, *score_columns(channels)]
    alleles = read_alleles(path, asked.genome, predictor.length, place)
    statuses: Counter[str] = Counter()
    tables = [TableWriter(out, columns, {**asked.about(), "variants": path}) for out in asked.outs]
    with ExitStack() as stack:
        opened = [stack.enter_context(table) for table in tables]
        scored = score_alleles(predictor, asked.genome, alleles)
        for allele, compared in progress(scored, total=None, label="scoring", unit="alleles"):
            statuses[allele.status] += 1
            for table in opened:
                table.row([*allele.cells(), *score_cells(compared, channels)])
    for status, n in statuses.most_common():
        click.echo(f"{status}\t{n:,}")
    for note in predictor.notes:
        click.echo(f"note: {note}", err=True)
    for out in asked.outs:
        click.echo(f"wrote {out}", err=True)


def _observed(asked: PredictRequest, found, path: str, allow_other_assembly: bool):
    """(T, T) log(O/E) of a measured map, and notes."""
    from zoo_hic.observed_map import observed_square
    from zoo_hic.readers import read_map

    steps, notes = asked.predictor.preprocess, []
    if steps is None:
        steps = Preprocess()
        notes.append("the model does not say its preprocessing: the observed map has the defaults of zoo-hic")
    contacts = read_map(
        path,
        resolution=found.bin_size,
        balance=steps.balance,
        fasta=asked.genome,
        allow_other_assembly=allow_other_assembly,
    )
    return observed_square(contacts, found, steps), [*notes, *contacts.notes]


def _say(figures: dict[str, Any], notes: Sequence[str]) -> None:
    for name, value in figures.items():
        click.echo(f"{name}\t{value}")
    for note in notes:
        click.echo(f"note: {note}", err=True)
