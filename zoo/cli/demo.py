"""`zoo demo`: the whole road on simulated data, in a few minutes."""

from __future__ import annotations

import re

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
    """Simulate, train, evaluate, publish, pull and predict, printing the command that does each step alone.

    A second tour in one folder starts afresh, with a run of its own beside the first.
    """
    import time
    from pathlib import Path

    from zoo.config import compose
    from zoo.errors import EXTRAS, need
    from zoo.files.locations import new_folder

    need("zoo demo", *EXTRAS["train"][1])
    from zoo.training.publication import publish
    from zoo.training.run import train

    since = time.monotonic()
    root = Path(folder).resolve()
    _refuse_foreign(root)
    config = compose(["experiment=demo", f"seed={seed}", *overrides])
    config["output_dir"] = str(new_folder(root / "run"))
    _say("1. Train a dilated CNN on sequences with planted CTCF motifs, and judge it beside baselines")
    click.echo("   zoo train experiment=demo")
    run = train(config)
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


def _refuse_foreign(root) -> None:
    """ZooError where the folder holds what no demo wrote."""
    from zoo.errors import ZooError

    if root.exists() and not root.is_dir():
        raise ZooError(f"{root} is a file: name a folder with zoo demo --to FOLDER")
    for path in sorted(root.iterdir()) if root.is_dir() else ():
        if path.name not in ("hub", "new.fa", "predictions.tsv") and not re.fullmatch(r"run(-\d+)?|\..*", path.name):
            raise ZooError(f"{root} holds {path.name!r}, which no demo wrote: choose another folder with --to FOLDER")


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
