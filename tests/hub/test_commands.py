"""list, show, pull and publish, as they are typed."""

from __future__ import annotations

import json

import pytest

from zoo.cli.main import main


def run(capsys, *args):
    """Exit code, stdout, stderr."""
    code = main(list(args))
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_run_is_published_pulled_checked_shown_and_listed(bundle, tmp_path, capsys, monkeypatch):
    code, out, err = run(capsys, "publish", str(bundle), "--name", "tiny", "--to", f"file://{tmp_path}/hub")
    assert code == 0, err
    source = out.split()[-1]
    assert source.startswith(f"file://{tmp_path}/hub/tiny@")
    monkeypatch.setenv("ZOO_HUB", f"file://{tmp_path}/hub")

    code, out, _ = run(capsys, "pull", "tiny", "--check")
    assert code == 0
    assert "golden outputs: equal" in out

    code, out, _ = run(capsys, "show", "tiny")
    assert code == 0
    assert "CTCF binding" in out
    assert source in out
    code, out, _ = run(capsys, "show", "tiny", "--json")
    assert json.loads(out)["spec"]["input_length"] == 20
    code, out, _ = run(capsys, "show", "tiny", "--card")
    assert out.startswith("---\n")

    code, out, _ = run(capsys, "list", "models", "--json")
    listed = {m["name"]: m for m in json.loads(out)}
    assert listed["tiny"]["cached"]
    code, out, _ = run(capsys, "list", "models", "ti*")
    assert [line.split()[0] for line in out.splitlines()] == ["model", "tiny"]


def test_components_are_listed_by_kind_and_pattern(capsys):
    code, out, _ = run(capsys, "list", "encoders", "tiny*", "--json")
    assert code == 0
    assert [c["name"] for c in json.loads(out)] == ["tiny_conv"]
    code, out, _ = run(capsys, "list", "components", "--kind", "head")
    assert code == 0
    assert {line.split()[0] for line in out.splitlines()[1:]} == {"head"}


def test_a_component_is_shown_with_its_arguments(capsys):
    code, out, _ = run(capsys, "show", "encoder/tiny_conv")
    assert code == 0
    assert "width: int = 3" in out
    assert "One convolution." in out
    code, out, _ = run(capsys, "show", "head/tiny_mean", "--json")
    assert [(a["name"], a["injected"]) for a in json.loads(out)["arguments"]] == [
        ("in_channels", True),
        ("tasks", True),
    ]
    code, out, _ = run(capsys, "show", "head/tiny_mean")
    assert "  (filled by the run: out_channels of the encoder)\n" in out
    code, out, _ = run(capsys, "show", "data/peaks")
    assert "  negatives.min_distance: int = 500\n" in out
    assert "min_distance: bp between a negative and any peak" in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["show", "encoder/tiny_con"], "did you mean 'tiny_conv'"),
        (["show", "encodr/tiny_conv"], "did you mean 'encoder'"),
        (["list", "encoderz"], "did you mean 'encoder"),
        (["list", "components", "--kind", "nonesuch"], "no kind 'nonesuch'"),
        (["pull", "nonesuch"], "no model named 'nonesuch'"),
        (["publish", "nonesuch", "--name", "x", "--to", "hf://a"], "no model named 'nonesuch'"),
        (["publish", "runs/nonesuch", "--name", "x", "--to", "hf://a"], "there is no folder runs/nonesuch"),
        (["publish", ".", "--name", "Big", "--to", "hf://a"], "is no model name"),
        (["publish", ".", "--name", "x"], "no place to publish to"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_1(args, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(capsys, *args)
    assert code == 1
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("name", ["list", "show", "pull", "publish"])
def test_every_help_has_an_example(name, capsys):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert f"zoo {name}" in out.partition("Example")[2]
