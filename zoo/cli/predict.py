"""`zoo predict`: a published model's outputs for intervals or sequences."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "predict",
    short_help="Predict intervals or sequences with a model",
    epilog="Example: zoo predict ctcf-motif-cnn --fasta hg38.fa --bed peaks.bed -o predictions.tsv",
)
@options.model_argument
@options.genome("Genome of the intervals")
@click.option("--bed", help="Intervals: BED3 to BED12, narrowPeak or broadPeak, plain or gzipped.")
@click.option("--sequences", help="In place of --fasta and --bed: a FASTA file whose records are predicted themselves.")
@options.out(many=False)
@options.output(many=True)
@options.further_inputs
@options.max_n()
@options.on_error
@options.device
def command(model, fasta, bed, sequences, out, output, signals, model_context, max_n, on_error, device):
    """Predict with MODEL and write a table.

    Every row of the input comes out again, in its order, with a status that says why it has no score.
    A run in which no row could be scored exits with 1.
    """
    from zoo.errors import ConfigError

    if sequences and (fasta or bed):
        raise ConfigError("--sequences stands alone: leave out --fasta and --bed")
    if not sequences and not (fasta and bed):
        raise ConfigError("nothing to predict: give --fasta GENOME and --bed INTERVALS, or --sequences FASTA")

    from zoo.hub.loader import load
    from zoo.prediction.further_inputs import FurtherInputs
    from zoo.prediction.predict import predict_intervals, predict_sequences

    network = load(model, device=device)
    if sequences:
        from zoo.data.sequences import read_sequences

        further = FurtherInputs.open(network, None, signals, model_context)
        records = read_sequences(sequences)
        predictions = predict_sequences(network, records, output=output, max_n=max_n, further=further)
    else:
        from zoo.data.genome import Genome
        from zoo.data.intervals import read_intervals

        intervals = read_intervals(bed, on_error=on_error)
        for note in intervals.notes:
            click.echo(f"note: {note}", err=True)
        genome = Genome(fasta)
        further = FurtherInputs.open(network, genome, signals, model_context)
        for note in further.notes:
            click.echo(f"note: {note}", err=True)
        predictions = predict_intervals(network, intervals, genome, output=output, max_n=max_n, further=further)
    write(predictions, out)


def write(predictions, out):
    """Stream predictions to a table and say how many rows have which status; DataError where none is ok."""
    from collections import Counter

    from zoo.errors import DataError
    from zoo.files.tables import TableWriter
    from zoo.terminal.progress import progress

    column = predictions.columns.index("status")
    counts = Counter()
    with TableWriter(out, predictions.columns, predictions.comments) as table:
        for row in progress(predictions.rows, total=predictions.total, label="predicting", unit="rows"):
            counts[row[column]] += 1
            table.row(row)
    told = ", ".join(f"{n:,} {status}" for status, n in counts.most_common())
    click.echo(f"{out}: {predictions.total:,} rows ({told or 'none'})", err=True)
    if not counts["ok"]:
        raise DataError(f"no row could be scored ({told or 'the input is empty'}): see the column status in {out}")
