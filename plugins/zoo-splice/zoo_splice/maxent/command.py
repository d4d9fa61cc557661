"""`zoo maxentscan`: the strength of splice sites that are typed or stand in a FASTA file."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "maxentscan",
    short_help="Score 5' and 3' splice sites with MaxEntScan",
    epilog="Example: zoo maxentscan cagGTAAGT ttccaaacgaacttttgtAGgga",
)
@click.argument("sites", nargs=-1, metavar="[SEQUENCE]...")
@click.option("--sequences", help="A FASTA file whose records are sites.")
@options.out(many=False)
def command(sites, sequences, out):
    """Score each SEQUENCE: 9 bp as a donor (3 of the exon, 6 of the intron), 23 bp as an acceptor (20 and 3).

    Every sequence comes out again, in its order, with a status.  The authors' tables are read from an installed
    multimolecule.
    """
    import numpy as np

    from zoo.data.sequences import Sequences, read_sequences
    from zoo.errors import ConfigError, DataError
    from zoo.files.tables import write_table
    from zoo_splice.maxent.maxentscan import INSTALL, TERMS, installed_maxentscan

    if bool(sites) == bool(sequences):
        raise ConfigError("give the sequences of splice sites, as in cagGTAAGT, or --sequences FASTA")
    model = installed_maxentscan()
    records = read_sequences(sequences) if sequences else Sequences.from_letters(sites)
    kinds = {9: ("donor", model.donors), 23: ("acceptor", model.acceptors)}
    rows = []
    for i, name in enumerate(records.headers if sequences else sites):
        codes = records[i]
        kind, score = kinds.get(len(codes), ("", None))
        odds = float(score(codes)) if score else np.nan
        status = "wrong_length" if score is None else "non_acgt" if np.isnan(odds) else "ok"
        rows.append([name, len(codes), status, kind or None, odds])
    columns = ["name", "length", "status", "site", "maxent"]
    write_table(out, columns, rows, {"score": "log2 odds of MaxEntScan", "tables": f"{INSTALL} ({TERMS})"})
    if not any(row[2] == "ok" for row in rows):
        raise DataError(f"no sequence could be scored: donors have 9 bp, acceptors 23 bp of A, C, G and T (see {out})")
