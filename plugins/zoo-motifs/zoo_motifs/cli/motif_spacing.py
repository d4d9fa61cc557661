"""`zoo motif-spacing`: how the distance and orientation of two motifs matter to a model."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES


@click.command(
    "motif-spacing",
    short_help="How the distance and orientation of two motifs matter",
    epilog="Example: zoo motif-spacing CTCF SPI1 --model ctcf-dilated-cnn --output CTCF:raw --gaps 0..50 "
    "-o spacing.tsv -o spacing.png",
)
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@options.model
@options.output()
@click.option("--gaps", default="0..50", show_default=True, help="bp between the motifs: 0..50, 0..50..5 or 4,10,21.")
@click.option("--backgrounds", default=100, show_default=True, help="Random sequences that the motifs are put into.")
@click.option("--sequences", type=click.Path(), help="FASTA of backgrounds as long as the model's input, instead.")
@click.option("--shuffle", is_flag=True, help="Shuffle --sequences, keeping the dinucleotides of each.")
@click.option("--gc", default=0.41, show_default=True, help="Share of C and G in random backgrounds.")
@click.option(
    "--sites",
    type=click.Choice(["consensus", "sampled"]),
    default="consensus",
    show_default=True,
    help="The consensus of a motif, or for every background a site drawn from its counts.",
)
@options.out((*TABLES, *PICTURES))
@options.seed("backgrounds, shuffles and drawn sites")
@options.device
def command(first, second, model, output, gaps, backgrounds, sequences, shuffle, gc, sites, outs, seed, device):
    """Put the motifs FIRST and SECOND into backgrounds, at every gap and in every orientation.

    A motif is a JASPAR name or identifier, or letters.  Its synergy with another is the effect of both on the output
    less the effects of each alone at the same place and strand.  An arrangement is named by where SECOND lies as seen
    from FIRST along FIRST's strand: downstream or upstream, on the same or the opposite strand.
    """
    from time import perf_counter

    from zoo.errors import ConfigError
    from zoo.hub.loader import load
    from zoo_motifs.spacing.experiment import motif_spacing
    from zoo_motifs.spacing.files import write_spacing

    gaps = _parse_gaps(gaps)
    if shuffle and not sequences:
        raise ConfigError("--shuffle keeps the dinucleotides of given backgrounds: name them with --sequences")
    network = load(model, device=device)
    bare = _read_backgrounds(sequences, shuffle, seed) if sequences else backgrounds
    began = perf_counter()
    design = {"gaps": gaps, "backgrounds": bare, "sites": sites, "gc": gc, "seed": seed}
    spacing = motif_spacing(network, first, second, output=output, **design, progress=True)
    seconds = perf_counter() - began
    if sequences:
        shuffled = f", shuffled with seed {seed}" if shuffle else ""
        spacing.comments["backgrounds"] = f"{spacing.n} sequences of {sequences}{shuffled}"
    for out in outs:
        write_spacing(spacing, out)
        if out != "-":
            click.echo(f"wrote {out}", err=True)
    click.echo(f"{spacing.sentence()}; {seconds:.2g} s", err=True)
    if not any(out.lower().endswith(PICTURES) for out in outs):
        click.echo("next: the same command with -o spacing.png draws it", err=True)


def _parse_gaps(text):
    """'0..50', '0..50..5' or '4,10,21' as numbers; the ends belong to a range."""
    import re

    from zoo.errors import ConfigError

    if match := re.fullmatch(r"(\d{1,6})\.\.(\d{1,6})(?:\.\.(\d{1,6}))?", text):
        start, end, step = (int(x) for x in match.groups(default="1"))
        if start <= end and step:
            return range(start, end + 1, step)
    elif re.fullmatch(r"\d{1,6}(,\d{1,6})*", text):
        return [int(x) for x in text.split(",")]
    raise ConfigError(f"gaps {text!r} must read first..last, first..last..step or a list, as in 0..50 or 4,10,21")


def _read_backgrounds(path, shuffle, seed):
    """The sequences of a file as codes (B, L); shuffled, each once."""
    import numpy as np

    from zoo.data.dinucleotide_shuffle import dinucleotide_shuffle
    from zoo.data.sequences import read_sequences

    records = read_sequences(path)
    codes = records.batch(np.arange(len(records)))
    return np.stack([dinucleotide_shuffle(x, 1, seed + i)[0] for i, x in enumerate(codes)]) if shuffle else codes
