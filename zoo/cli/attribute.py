"""`zoo attribute`: what each base contributes to an output, by any interpreter."""

from __future__ import annotations

import click

from zoo.cli import options
from zoo.files.endings import PICTURES, TABLES


@click.command(
    "attribute",
    short_help="What each base contributes to an output",
    epilog="Example: zoo attribute peaks.narrowPeak --model ctcf-motif-cnn --output CTCF:raw --fasta hg19.fa "
    "--interpreter ism -o contributions.bw -o contributions.h5 -o logos.png -o table.tsv",
)
@click.argument("regions", metavar="[REGIONS]", required=False)
@options.model
@options.genome("Genome of the regions")
@click.option(
    "--sequences", help="In place of REGIONS and --fasta: a FASTA file whose records are explained themselves."
)
@options.output()
@options.interpreter("How to explain; zoo list lists them.", default="ism", show_default=True)
@options.out((*TABLES, ".bw", ".h5", *PICTURES), ".bw with {base} in its name: one file a letter")
@options.further_inputs
@options.max_n("are not explained")
@options.on_error
@options.device
def command(
    regions, model, fasta, sequences, output, interpreter, settings, outs, signals, model_context, max_n, on_error,
    device,
):  # fmt: skip
    """Explain one output of a model at REGIONS: chr20:1,001-1,200, or a file of intervals.

    Positions that you type count from 1 and both ends belong to the region, which lies in the middle of the model's
    input.  Files are BED3 to BED12, narrowPeak or broadPeak; each row is explained in a window around its summit or
    middle.  Where windows overlap, bigWig holds the mean.

    Every row of the input comes out again in a table, with a status that says why it is not explained.  A run in
    which no row could be explained exits with 1.
    """
    from time import perf_counter

    from zoo.errors import ConfigError

    if sequences and (regions or fasta):
        raise ConfigError("--sequences stands alone: leave out REGIONS and --fasta")
    if not sequences and not (regions and fasta):
        raise ConfigError("nothing to explain: give REGIONS and --fasta GENOME, or --sequences FASTA")
    for out in outs:
        if sequences and out.lower().endswith(".bw"):
            raise ConfigError(f"{out}: sequences have no place in a genome, which bigWig needs: write .tsv or .h5")

    from zoo.attribution.arguments import named_interpreter
    from zoo.attribution.regions import attribute_windows
    from zoo.attribution.sequences import build_interpreter
    from zoo.data.genome import Genome
    from zoo.hub.loader import load
    from zoo.outputs import Output
    from zoo.prediction.further_inputs import FurtherInputs

    chosen = named_interpreter(interpreter, settings)
    built, _ = build_interpreter(chosen)
    network = load(model, device=device)
    selected = Output.one(output, network.spec)
    genome = Genome(fasta) if fasta else None
    further = FurtherInputs.open(network, genome, signals, model_context)
    for note in further.notes:
        click.echo(f"note: {note}", err=True)
    windows = _windows(regions, genome, sequences, network.spec.input_length, max_n, on_error)
    began = perf_counter()
    _refuse_early(outs, network, windows, built, selected, further)
    attributed = attribute_windows(
        network, windows, interpreter=chosen, output=selected, progress=True, further=further
    )
    _write(attributed, outs, perf_counter() - began)


def _windows(regions, genome, sequences, length, max_n, on_error):
    from zoo.attribution.windows import interval_windows, names_region, one_window, sequence_windows

    if sequences:
        return sequence_windows(sequences, length, max_n=max_n)

    if names_region(regions):
        windows = one_window(regions, genome, length, max_n=max_n)
    else:
        windows = interval_windows(regions, genome, length, max_n=max_n, on_error=on_error)
    for key, text in windows.comments.items():
        if key == "rim" or key.startswith("note_"):
            click.echo(f"note: {text}", err=True)
    return windows


def _refuse_early(outs, network, windows, interpreter, output, further):
    """Explain one window for its kind, where a file may not go with it: the rest may take hours."""
    from zoo.attribution.files import check_kind
    from zoo.attribution.sequences import attribute_codes
    from zoo.prediction.further_inputs import take

    if len(windows) > 1 and any(out.lower().endswith(".h5") or "{base}" in out for out in outs):
        inputs = take(windows.inputs(further), [0])
        kind = attribute_codes(network, windows.codes[:1], interpreter=interpreter, output=output, inputs=inputs).kind
        for out in outs:
            check_kind(out, kind)


def _write(attributed, outs, seconds):
    """Files, then a line of numbers; DataError where nothing was explained."""
    from zoo.errors import DataError
    from zoo.files.endings import is_table

    for name in [name for out in outs if len(attributed) or is_table(out) for name in attributed.write(out)]:
        if name != "-":
            click.echo(f"wrote {name}", err=True)
    if not len(attributed):
        table = next((out for out in outs if is_table(out)), None)
        hint = "add -o table.tsv to see them" if table is None else f"see the column status in {table}"
        raise DataError(f"no row could be explained ({attributed.rows.counts()}): {hint}")
    if any(out.lower().endswith(".bw") for out in outs) and not attributed.comments["overlap"].startswith("0 "):
        click.echo(f"note: {attributed.comments['overlap']}", err=True)
    rows = f"{len(attributed.rows):,} row{'s' * (len(attributed.rows) != 1)}"
    click.echo(
        f"{rows} ({attributed.rows.counts()}): {attributed.output} of {attributed.comments['model']} "
        f"explained by {attributed.comments['interpreter']}, {_error(attributed)}"
        f"{seconds:,.1f} s, {len(attributed) / seconds:,.1f} windows/s",
        err=True,
    )
    if not any(out.lower().endswith(PICTURES) for out in outs):
        click.echo("next: the same command with -o logos.png draws them", err=True)


def _error(attributed):
    """The largest convergence error beside the largest contribution, where the interpreter says it."""
    if attributed.delta is None:
        return ""
    import numpy as np

    return f"largest convergence error {np.abs(attributed.delta).max():.2g}, "
