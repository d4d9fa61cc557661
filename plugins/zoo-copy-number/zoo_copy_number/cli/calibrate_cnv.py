"""`zoo calibrate-cnv`: the cost of a change of state, and qualities, fitted to simulated samples."""

from __future__ import annotations

import click


@click.command("calibrate-cnv", epilog="Example: zoo calibrate-cnv runs/copy-number/2026-01-31 --samples 90")
@click.argument("run", metavar="RUN")
@click.option("--samples", default=90, show_default=True, help="Simulated samples, which training never sees.")
@click.option("--size", default=16_000, show_default=True, help="Bins of a sample, about.")
@click.option(
    "--test", default=40, show_default=True, help="Further samples of each group, to evaluate it on; 0 for none."
)
@click.option(
    "--baseline", "baselines", multiple=True, help="To evaluate beside it, tuned on other samples; again for more."
)
@click.option("--kind", "kinds", multiple=True, help="genome, exome or panel, or several; all by default.")
def command(run, samples, size, test, baselines, kinds):
    """Calibrate the model of a run folder in place, and write the accuracy of its calls into its card.

    Publish it afterwards.
    Its golden outputs stay what they are: calibration changes segments and qualities, not the network's outputs.
    """
    from pathlib import Path

    from zoo.errors import ConfigError, did_you_mean
    from zoo.evaluation.result import metrics_text
    from zoo.hub.golden import golden_inputs
    from zoo.hub.loader import load
    from zoo.hub.model_folder import save_bundle
    from zoo_copy_number.baselines import BASELINES
    from zoo_copy_number.calibration import CALIBRATION, TEST, calibrate, simulate_held_out
    from zoo_copy_number.evaluation import GROUPS, evaluate_group
    from zoo_copy_number.source import KINDS

    for name in baselines:
        if name not in BASELINES:
            raise ConfigError(f"there is no baseline {name!r}" + did_you_mean(name, list(BASELINES)))

    folder = Path(run) / "model"
    if not folder.is_dir():
        raise ConfigError(f"{run} has no folder model: give the folder of a finished run")
    model = load(str(folder))
    fitted = calibrate(model, simulate_held_out(samples, size, kinds or KINDS, CALIBRATION), progress=True)
    rows = [r for group in GROUPS if test for r in evaluate_group(model, group, test, size, TEST, baselines)]
    kept = [r for r in model.spec.metrics if r["metric"] not in {row["metric"] for row in rows}]
    model.spec = model.spec.replace(metrics=(*kept, *rows))
    save_bundle(model, folder, golden_inputs(folder))
    if rows:
        click.echo(metrics_text(rows))
    click.echo(f"penalty {fitted['penalty']:g} (F1 {fitted['f1']:.3f}), qualities from {fitted['segments']:,} segments")
