"""`zoo modisco`: motifs in attributions, by TF-MoDISco."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "modisco",
    short_help="Motifs in attributions, by TF-MoDISco",
    epilog="Example: zoo modisco attributions.h5 -o patterns.h5 --meme patterns.meme",
)
@click.argument("attributions", metavar="ATTRIBUTIONS.h5")
@options.out(
    (".h5", ".hdf5"), "patterns and seqlets, as `modisco report` reads them", many=False, terminal=False, required=True
)
@click.option("--meme", help="Motifs of the patterns, trimmed, for `zoo match-motifs`.")
@click.option("--max-seqlets", default=20_000, show_default=True, help="Of each sign, at most.")
@click.option(
    "--window", default=400, show_default=True, help="bp in the middle of each sequence; all of a shorter one."
)
def command(attributions, out, meme, max_seqlets, window):
    """Cluster the stretches of high attribution in many sequences into patterns.

    ATTRIBUTIONS.h5 is written by `zoo attribute ... -o attributions.h5` with an interpreter that gives what all four
    letters would contribute, or by chrombpnet or bpnet-lite: raw/seq, shap/seq and projected_shap/seq, (N, 4, L).
    Positive patterns raise the output, negative ones lower it.
    """
    from time import perf_counter

    from zoo.errors import ConfigError
    from zoo_motifs.modisco import modisco, need_modisco

    need_modisco()
    if meme and meme == out:
        raise ConfigError(f"-o and --meme are both {out!r}: give each file a name of its own")
    began = perf_counter()
    patterns = modisco(attributions, out, max_seqlets=max_seqlets, window=window)
    seconds = perf_counter() - began
    click.echo(f"wrote {out}", err=True)
    motifs = patterns.motifs()
    if meme:
        from zoo_motifs.meme import write_meme

        write_meme(meme, motifs)
        click.echo(f"wrote {meme}", err=True)
    for pattern, motif in zip([*patterns.positive, *patterns.negative], motifs, strict=True):
        click.echo(f"  {pattern.name:<26} {pattern.n_seqlets:>6,} seqlets  {motif.consensus}", err=True)
    click.echo(
        f"{len(patterns.positive)} positive and {len(patterns.negative)} negative patterns in {patterns.n:,} sequences "
        f"of {patterns.window} bp, {seconds:.2g} s",
        err=True,
    )
    again = "" if meme else "the same command with --meme patterns.meme, then "
    click.echo(f"next: {again}zoo match-motifs {meme or 'patterns.meme'}", err=True)
