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
@options.compare_devices
def command(
    model, fasta, bed, sequences, out, output, signals, model_context, max_n, on_error, device, compare_devices
):  # fmt: skip
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
        rows = read_sequences(sequences)

        def predict(network, rows):
            return predict_sequences(network, rows, output=output, max_n=max_n, further=further)
    else:
        from zoo.data.genome import Genome
        from zoo.data.intervals import read_intervals

        rows = read_intervals(bed, on_error=on_error)
        for note in rows.notes:
            click.echo(f"note: {note}", err=True)
        genome = Genome(fasta)
        further = FurtherInputs.open(network, genome, signals, model_context)
        for note in further.notes:
            click.echo(f"note: {note}", err=True)

        def predict(network, rows):
            return predict_intervals(network, rows, genome, output=output, max_n=max_n, further=further)

    if compare_devices:
        compare(network, rows, predict, compare_devices)
    write(predict(network, rows), out)


def compare(network, rows, predict, n):
    """Predict n rows, spread over the input, in float64 on the CPU too; DataError where the device differs."""
    from zoo.prediction.device_check import compare_predictions, spread_rows

    some = rows.select(spread_rows(len(rows), n))
    comparison = compare_predictions(network, lambda model: predict(model, some))
    comparison.require_agreement()
    click.echo(f"compared: {comparison.sentence}", err=True)


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
