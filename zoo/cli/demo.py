"""`zoo demo`: the whole road on simulated data, in a few minutes."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "demo",
    short_help="Five minutes from nothing to a published model",
    epilog="Example: zoo demo --to zoo-demo",
)
@click.option("--to", "folder", default="zoo-demo", show_default=True, help="Folder for everything the tour makes.")
@options.seed("the data and of the training")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change the training, as in zoo train.")
def command(folder, seed, overrides):
    """Simulate, train, evaluate, publish, pull and predict, printing the command that does each step alone."""
    import time
    from pathlib import Path

    from zoo.config import compose
    from zoo.training.publication import publish
    from zoo.training.run import train

    since = time.monotonic()
    root = Path(folder).resolve()
    root.mkdir(parents=True, exist_ok=True)
    _say("1. Train a dilated CNN on sequences with planted CTCF motifs, and judge it beside baselines")
    click.echo("   zoo train experiment=demo")
    run = train(compose(["experiment=demo", f"output_dir={root / 'run'}", f"seed={seed}", *overrides]))
    _say("2. Publish it to a folder that stands for a hub")
    click.echo(f"   zoo publish {run.folder} --name demo-ctcf --to file://{root}/hub")
    source = publish([run.folder], name="demo-ctcf", to=f"file://{root}/hub")
    click.echo(f"   {source}")
    out = _predict(root, seed)
    _say(f"Done in {time.monotonic() - since:.0f} s. Everything is in {root}:")
    for path, what in [
        (run.folder, "the run: configuration, logs, metrics, predictions of the test split"),
        (run.model_folder, "the model: weights, golden outputs, manifest, card (README.md)"),
        (root / "hub", f"the folder that serves it as {source}"),
        (out, "predictions of new sequences"),
    ]:
        click.echo(f"  {path}\n      {what}")
    click.echo(
        "\nNext:\n"
        "  zoo list models                     what can be pulled by name\n"
        "  zoo show encoder/dilated_cnn        what can be set\n"
        "  zoo train --help                    train on your own peaks: data=peaks\n"
    )


def _say(text: str) -> None:
    click.secho(f"\n{text}", bold=True)


def _predict(root, seed):
    """Pull the model by name and predict sequences it has not seen, half of them with the motif."""
    import os

    from zoo.cli.predict import write
    from zoo.data.codes import decode
    from zoo.data.sequences import read_sequences
    from zoo.hub.loader import load
    from zoo.prediction.predict import predict_sequences
    from zoo.registry import registry

    _say("3. Pull it by name and predict new sequences")
    click.echo(f"   export ZOO_HUB=file://{root}/hub")
    click.echo(f"   zoo predict demo-ctcf --sequences {root}/new.fa -o {root}/predictions.tsv")
    fresh = registry().build("data", "simulated", {"seed": seed + 1, "n_train": 2, "n_validation": 2, "n_test": 8})
    batch = fresh.examples("test").batch(range(8))
    labels = batch["target/binding"][:, 0]
    with open(root / "new.fa", "w") as file:
        for i, (codes, label) in enumerate(zip(batch["codes"], labels, strict=True)):
            file.write(f">sequence{i}_{'with' if label else 'without'}_motif\n{decode(codes)}\n")
    os.environ["ZOO_HUB"] = f"file://{root}/hub"
    model = load("demo-ctcf")
    out = root / "predictions.tsv"
    write(predict_sequences(model, read_sequences(root / "new.fa")), str(out))
    click.echo("".join(f"   {line}" for line in out.read_text().splitlines(True) if not line.startswith("##")))
    return out
