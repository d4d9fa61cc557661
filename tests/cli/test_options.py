"""Shared options: the same flag has the same name, type and default in every command that has it."""

import click
import pytest

from zoo.cli import options
from zoo.cli.main import cli


def every_option():
    """(command, option) of all commands, the plugins' too."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        for parameter in cli.get_command(context, name).params:
            if isinstance(parameter, click.Option):
                yield name, parameter


@pytest.mark.parametrize(
    ("flag", "name", "fewest"),
    [
        ("--fasta", "fasta", 11),
        ("--device", "device", 12),
        ("--max-n", "max_n", 3),
        ("--signal", "signals", 7),
        ("--on-error", "on_error", 2),
        ("--config", "config", 4),
        ("--data", "data", 4),
        ("--json", "as_json", 7),
        ("--set", "settings", 3),
    ],
)
def test_a_flag_means_the_same_in_every_command(flag, name, fewest):
    found = {command: option for command, option in every_option() if flag in option.opts and command not in ("demo",)}
    assert len(found) >= fewest
    assert {option.name for option in found.values()} == {name}
    assert len({(str(option.type), option.multiple, str(option.default)) for option in found.values()}) == 1


def test_model_is_one_name_or_several():
    found = {command: option for command, option in every_option() if "--model" in option.opts}
    assert len(found) >= 7
    assert all(option.name == ("models" if option.multiple else "model") for option in found.values())
    assert {command for command, option in found.items() if option.multiple} == {"score", "design"}
    assert len({str(option.type) for option in found.values()}) == 1


def test_out_is_one_file_or_several():
    found = [option for command, option in every_option() if "--out" in option.opts]
    assert len(found) >= 12
    for option in found:
        assert (option.name, "-o" in option.opts) == ("outs" if option.multiple else "out", True)


seen = {}


@click.command()
@options.model
@options.genome("Genome of the regions", required=True)
@options.output(many=True)
@options.out(".tsv")
@options.interpreter("How.", default="ism")
@options.data
@options.max_n()
@options.seed("the shuffles")
@options.json("the numbers")
@options.device
def everything(**given):
    seen.update(given)


def test_a_command_gets_what_is_given():
    words = "--model runs/a --fasta a.fa --fasta b.fa -o x.tsv -s steps=3 --data n_test=4 --json --seed 7"
    everything.main(words.split(), standalone_mode=False)
    assert seen == {
        "model": "runs/a",
        "fasta": ("a.fa", "b.fa"),
        "output": None,
        "outs": ("x.tsv",),
        "interpreter": "ism",
        "settings": ("steps=3",),
        "config": None,
        "data": ("n_test=4",),
        "max_n": 0.5,
        "seed": 7,
        "as_json": True,
        "device": "auto",
    }


def test_the_terminal_is_where_a_table_goes_by_default():
    everything.main(["--model", "a", "--fasta", "a.fa"], standalone_mode=False)
    assert seen["outs"] == ("-",)
