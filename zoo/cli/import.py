"""`zoo import`: weights that somebody else trained, as a model of ours."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(
    "import",
    short_help="Make a model of weights that somebody else trained",
    epilog="Example: zoo import chrombpnet.h5 --as chrombpnet -o my-chrombpnet --golden inputs.npy outputs.npz",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--as", "architecture", metavar="ARCHITECTURE", help="`zoo list components --kind importer` names them.")
@click.option("--module", metavar="PACKAGE.MODULE:CLASS", help="A network of your own plugin, in place of --as.")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@click.option("--name", help="Of the model: lower-case letters, digits and . _ -; by default the folder's.")
@click.option("-s", "--set", "settings", multiple=True, metavar="KEY=VALUE", help="An argument of the importer.")
@click.option(
    "--golden",
    nargs=2,
    metavar="INPUTS OUTPUTS",
    help="A reference run of the original: sequences in .npy (text or one-hot), and what it made of them in .npy, or "
    "in .npz with an array an output.",
)
def command(files, architecture, module, out, name, settings, golden):
    """Read the weights of each FILE (.h5, .pt, .pth, .torch, .safetensors, .npz; or of a folder) and write a model.

    Every tensor is mapped by its name, its shape compared, and none may be left over.  Nothing in a FILE is run.  With
    --golden the model is held against the original, and its outputs are checked again whenever it is loaded; without,
    its card says "not verified against the original".

    \b
    Examples:
      zoo import deepstarr.h5 --as deepstarr -o deepstarr
      zoo import weights.pt --module zoo_mine.encoder:Mine -o mine --golden inputs.npy outputs.npy
    """
    from zoo.composition.key_value import key_values
    from zoo.errors import ConfigError
    from zoo.hub.import_record import UNVERIFIED
    from zoo.importing.import_model import import_model
    from zoo.importing.network import importer_of

    if (architecture is None) == (module is None):
        raise ConfigError("one of --as ARCHITECTURE and --module PACKAGE.MODULE:CLASS is needed to read a file")
    importer = None
    if module is not None:
        architecture, importer = importer_of(module)
    values = key_values(settings, "--set length=2114")
    report = import_model(files, architecture, out, settings=values, golden=golden, name=name, importer=importer)
    click.echo(f"{out}: {report.used} tensors, every name and shape as {architecture} has them")
    for reason in dict.fromkeys(report.left_out.values()):
        n = sum(r == reason for r in report.left_out.values())
        click.echo(f"{n} tensors are left out: {reason}")
    if report.difference is None:
        click.echo(f"{UNVERIFIED}: give a reference run with --golden")
    else:
        click.echo(
            f"equal to the reference run in {report.windows} windows, largest difference {report.difference:.2g}"
        )
    if report.trusted_letters:
        click.echo(
            f"its inputs are one-hot: that their channels are {' '.join(report.trusted_letters)} is taken on trust; "
            "sequences as text check that too"
        )
    click.echo(f"next: zoo show {out}", err=True)
