"""`zoo calibrate-cnv`: the cost of a change of state, and qualities, fitted to simulated samples."""

from __future__ import annotations

import click


@click.command("calibrate-cnv", epilog="Example: zoo calibrate-cnv runs/copy-number/2026-01-31 --samples 90")
@click.argument("run", metavar="RUN")
@click.option("--samples", default=90, show_default=True, help="Simulated samples, which training never sees.")
@click.option("--size", default=16_000, show_default=True, help="Bins of a sample, about.")
@click.option("--kind", "kinds", multiple=True, help="genome, exome or panel, or several; all by default.")
def command(run, samples, size, kinds):
    """Calibrate the model of a run folder in place: publish it afterwards.

    Its golden outputs stay what they are: calibration changes segments and qualities, not the network's outputs.
    """
    from pathlib import Path

    from safetensors.torch import load_file

    from zoo.errors import ConfigError
    from zoo.hub import load
    from zoo.hub.bundle import save_bundle
    from zoo_copy_number.calibration import CALIBRATION, calibrate, held_out
    from zoo_copy_number.source import KINDS

    folder = Path(run) / "model"
    if not folder.is_dir():
        raise ConfigError(f"{run} has no folder model: give the folder of a finished run")
    model = load(str(folder))
    found = calibrate(model, held_out(samples, size, kinds or KINDS, CALIBRATION), progress=True)
    golden = {k.removeprefix("input/"): v for k, v in load_file(folder / "golden.safetensors").items() if "input/" in k}
    save_bundle(model, folder, golden)
    click.echo(f"penalty {found['penalty']:g} (F1 {found['f1']:.3f}), qualities from {found['segments']:,} segments")
