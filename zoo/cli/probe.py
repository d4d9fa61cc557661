"""`zoo probe`: what a model's features tell of batch or laboratory, and whether its prediction follows a confounder."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "probe",
    short_help="What features tell of the batch, what predictions follow",
    epilog="Example: zoo probe runs/labs/2025-01-31 --domain batch --covariate gc --split test",
)
@options.model_argument
@click.option("--domain", help="Column that names the domain of an example; by default the data's own domains.")
@click.option("--covariate", "covariates", multiple=True, help="Covariate to look at; all of the data's by default.")
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="validation",
    show_default=True,
    help="Which rows.",
)
@click.option(
    "--pool",
    type=click.Choice(["max_mean", "mean", "max"]),
    default="max_mean",
    show_default=True,
    help="How positions of the embedding become features of the example.",
)
@click.option("--rows", default=20_000, show_default=True, help="Rows that are drawn where there are more.")
@options.data
@options.genome("Genome of the data")
@options.seed("the folds and the draw")
@options.device
@options.json("the figures")
def command(model, domain, covariates, split, pool, rows, config, data, fasta, seed, device, as_json):
    """Fit fresh probes to the features of MODEL, a run folder or a published model, at fixed weights.

    Their accuracy in naming the domain (batch, laboratory, species) stands beside chance: the share of the most
    frequent domain, and that of the most frequent one given the label.  What the predictions alone tell is a floor:
    features that predict as well cannot hide it.  Where the data have covariates, the correlation of the prediction
    with each is given over all rows and within each class.
    """
    import json

    from zoo.errors import ConfigError
    from zoo.evaluation.confounding import covariate_table, follow_covariates
    from zoo.evaluation.domain_probe import freeze, probe_domain, probe_table
    from zoo.training.model_and_data import open_evaluated

    opened = open_evaluated(model, config=config, data=data, fasta=fasta, device=device)
    has_domain = domain is not None or bool(opened.source.domains)
    if not has_domain and not opened.source.covariates:
        raise ConfigError(
            "the data name neither domains nor covariates: set data.cohort.domain or data.cohort.covariates=[gc], "
            "or name a column with --domain"
        )
    report: dict = {"model": opened.name, "split": split, "domains": [], "probes": [], "covariates": []}
    if has_domain and not (covariates and domain is None):
        frozen = freeze(opened.model, opened.source, split, column=domain, pool=pool, most=rows, seed=seed)
        report |= {"domains": list(frozen.domains), "probes": probe_domain(frozen, seed)}
    if opened.source.covariates or covariates:
        report["covariates"] = follow_covariates(opened.model, opened.source, split, covariates, rows, seed)
    if as_json:
        click.echo(json.dumps(report, indent=2, allow_nan=False))
        return
    tables = [probe_table(report["probes"], report["domains"])] if report["probes"] else []
    tables += [covariate_table(report["covariates"])] if report["covariates"] else []
    click.echo("\n\n".join(tables))
