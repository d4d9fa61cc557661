"""`zoo export`: a model as a file for onnxruntime, or for PyTorch without zoo."""

from __future__ import annotations

import click

from zoo.cli import options


@click.command(
    "export",
    short_help="Export a model to ONNX or to PyTorch's own format",
    epilog="Examples: zoo export ctcf-dilated-cnn -o ctcf.onnx; zoo export runs/ctcf/RUN --input one_hot -o ctcf.pt2",
)
@options.model_argument
@click.option(
    "--format", type=click.Choice(["onnx", "torch-export"]), help="Default is what the end of the file's name says."
)
@options.out((".onnx", ".pt2"), "ONNX, or PyTorch's exported program", many=False, terminal=False, required=True)
@click.option(
    "--input",
    "sequence",
    type=click.Choice(["codes", "one_hot"]),
    default="codes",
    show_default=True,
    help="How the sequence goes in: codes (N, L) uint8, A C G T N = 0 1 2 3 4, or one-hot (N, 4, L) float32.",
)
@click.option("--raw", is_flag=True, help="Outputs before the activation.")
def command(model, format, out, sequence, raw):
    """Write MODEL as a file that runs without zoo, for any number of examples, and compare it with the model.

    The file's metadata say names, shapes and units of inputs and outputs, the licence and the model's revision.  One
    that differs from the model by more than 1e-5 on the golden inputs is not written.
    """
    from zoo.exporting.export import export

    exported = export(model, out, format, sequence=sequence, raw=raw)
    for what, shapes in (("in", exported.inputs), ("out", exported.outputs)):
        for name, shape in shapes.items():
            click.echo(f"{what:<4} {name}  {shape}")
    click.echo(f"{out}: largest difference to the model {exported.worst:.1e} on {exported.examples} examples", err=True)
