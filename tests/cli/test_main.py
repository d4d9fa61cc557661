"""The command `zoo`: commands, exit codes, start-up."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import pytest

import zoo.cli.main
from zoo.cli.main import STORY, cli, main
from zoo.errors import ZooError

HERE = Path(zoo.cli.main.__file__).parent
COMMANDS = [name for name in STORY if (HERE / f"{name.replace('-', '_')}.py").exists()]
WITH_COMMAND = """
    import zoo

    @zoo.hookimpl
    def zoo_register(registry):
        registry.command("{command}", "{package}.cli:{function}", help="Call loops of a contact map")
"""
PLUGIN_CLI = """
    import click

    @click.command()
    def call():
        \"\"\"Call copy number.\"\"\"
        click.echo("called")
"""


def with_command(package, command="call-loops", function="call"):
    return {
        "__init__.py": WITH_COMMAND.format(package=package, command=command, function=function),
        "cli.py": PLUGIN_CLI,
    }


@pytest.fixture
def broken(monkeypatch):
    """A command that raises what it is given."""

    def make(error):
        @click.command()
        def command():
            raise error

        monkeypatch.setattr(cli, "get_command", lambda context, name: command)

    return make


def test_no_command_file_is_left_out_of_the_story():
    files = {file.stem.replace("_", "-") for file in HERE.glob("*.py")} - {"--init--", "main", "options"}
    assert files == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example(zoo, name):
    code, out, _ = zoo(name, "--help")
    assert code == 0
    assert f"zoo {name}" in out.partition("xample")[2]


def test_help_lists_the_commands_in_the_story_s_order(zoo):
    code, out, _ = zoo("--help")
    places = [out.index(f"\n  {name} ") for name in COMMANDS]
    assert code == 0
    assert places == sorted(places)


def test_zoo_alone_shows_its_help(zoo):
    code, out, _ = zoo()
    assert code == 0
    assert "zoo list models" in out


def test_version(zoo):
    from importlib.metadata import version

    assert zoo("--version")[:2] == (0, f"zoo, version {version('zoo-core')}\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["trian"], "no command 'trian': did you mean 'train'?"),
        (["list", "modles"], "did you mean 'models'?"),
        (["list", "--jsn"], "--json"),
        (["train", "encodr=x"], "did you mean 'encoder'?"),
        (["train", "--mutirun"], "did you mean '--multirun'?"),
        (["train", "--cfg", "all"], "--cfg job"),
        (["train", "--config-dir", "/nowhere"], "no folder"),
        (["show"], "Missing argument"),
    ],
)
def test_a_mistake_of_the_user_is_one_line_and_exit_code_1(zoo, args, said):
    code, out, err = zoo(*args)
    assert code == 1
    assert out == ""
    assert err.startswith("zoo: error: ")
    assert err.count("\n") == 1
    assert said in err


def test_a_mistake_of_ours_is_a_traceback_and_exit_code_2(zoo, broken):
    broken(ValueError("ours"))
    code, _, err = zoo("train")
    assert code == 2
    assert err.startswith("Traceback")
    assert "test_main.py" in err
    assert "site-packages/click" not in err
    assert "ValueError: ours\n" in err


def test_all_frames_show_on_request(zoo, broken, monkeypatch):
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    broken(ValueError("ours"))
    assert "site-packages/click" in zoo("train")[2].replace(os.sep, "/")


@pytest.mark.parametrize(
    ("error", "code"), [(ZooError("x"), 1), (KeyboardInterrupt(), 130), (click.ClickException("x"), 1)]
)
def test_exit_codes(zoo, broken, error, code):
    broken(error)
    assert zoo("train")[0] == code


def test_a_plugin_s_command_appears_and_runs(zoo, install):
    install("zoo-cnv", with_command("zoo_cnv"))
    assert "Call loops of a contact map (zoo-cnv)" in " ".join(zoo("--help")[1].split())
    assert zoo("call-loops")[:2] == (0, "called\n")


def test_a_plugin_s_command_of_the_story_is_listed_once(zoo, install):
    install("zoo-cnv", with_command("zoo_cnv", command="match-loops"))
    names = [line.split()[0] for line in zoo("--help")[1].splitlines() if line.startswith("  ") and line.strip()]
    assert names.count("match-loops") == 1
    assert len([n for n in names if n == "match-motifs"]) <= 1


def test_help_does_not_import_a_plugin_s_command(zoo, install):
    install("zoo-cnv", with_command("zoo_cnv"))
    zoo("--help")
    assert "zoo_cnv.cli" not in sys.modules


def test_a_plugin_s_command_that_cannot_be_imported_names_its_plugin(zoo, install):
    install("zoo-cnv", with_command("zoo_cnv", function="missing"))
    code, _, err = zoo("call-loops")
    assert code == 1
    assert "zoo-cnv" in err
    assert "zoo_cnv.cli:missing" in err


def test_a_broken_plugin_is_named_and_the_others_work(zoo, install):
    install("zoo-cnv", with_command("zoo_cnv"))
    install("zoo-bad", {"__init__.py": "raise ImportError('no such library')"})
    assert zoo("call-loops")[:2] == (0, "called\n")
    code, out, _ = zoo("--help")
    assert code == 0
    assert "zoo-bad" in out.partition("did not load")[2]
    assert "zoo-bad, which might provide it, did not load: ImportError: no such library" in zoo("call-hic")[2]
    assert "zoo-bad" in zoo("train", "encoder=other")[2]
    plugins = json.loads(zoo("plugins", "--json")[1])["plugins"]
    found = {plugin["distribution"]: plugin for plugin in plugins}
    assert (found["zoo-bad"]["status"], found["zoo-bad"]["error"]) == ("broken", "ImportError: no such library")
    assert found["zoo-cnv"]["commands"] == ["call-loops"]
    assert "no such library" in zoo("plugins")[1]


def test_a_command_of_two_plugins_is_an_error_that_names_both(zoo, install):
    install("zoo-one", with_command("zoo_one"))
    install("zoo-two", with_command("zoo_two"))
    code, _, err = zoo("call-loops")
    assert code == 1
    assert "zoo-one" in err
    assert "zoo-two" in err
    assert "uninstall one of them" in err
    assert "command/call-loops" in json.loads(zoo("plugins", "--json")[1])["contested"]


def test_a_plugin_cannot_take_a_command_of_the_core(zoo, install):
    install("zoo-one", with_command("zoo_one", command="list"))
    code, out, _ = zoo("list", "encoders")
    assert code == 0
    assert "motif_cnn" in out
    err = zoo("plugins")[2]
    assert "zoo-core" in err
    assert "zoo-one" in err


def test_a_plugin_for_another_core_is_broken(zoo, install):
    install("zoo-old", with_command("zoo_old"), requires=["zoo-core<0.0.1"])
    assert "zoo-old needs zoo-core<0.0.1" in zoo("call-loops")[2]


def doctor(zoo, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_OFFLINE", "1")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    code, out, _ = zoo("doctor", "--json")
    return code, {finding["what"]: finding for finding in json.loads(out)}


def test_doctor_finds_a_sound_installation_sound(zoo, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, found = doctor(zoo, monkeypatch, tmp_path)
    assert [f for f in found.values() if f["status"] == "broken"] == []
    assert code == 0
    assert found["hub"]["status"] == "skipped"
    assert str(tmp_path / "cache") in found["cache"]["detail"]
    assert not (tmp_path / "cache").exists()


def test_doctor_names_a_broken_plugin_and_a_contested_name(zoo, install, monkeypatch, tmp_path):
    install("zoo-bad", {"__init__.py": "raise ImportError('no such library')"})
    install("zoo-one", with_command("zoo_one"))
    install("zoo-two", with_command("zoo_two"))
    code, found = doctor(zoo, monkeypatch, tmp_path)
    assert code == 1
    assert found["plugin zoo-bad"]["status"] == "broken"
    assert found["name command/call-loops"]["status"] == "broken"


def test_doctor_says_that_a_server_does_not_answer(zoo, monkeypatch, tmp_path):
    for variable in ("ZOO_OFFLINE", "HF_HUB_OFFLINE", "ZOO_HUB"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    hub = {f["what"]: f for f in json.loads(zoo("doctor", "--json")[1])}["hub"]
    assert hub["status"] == "absent"
    assert "http://127.0.0.1:9 does not answer" in hub["detail"]


def run_zoo(*args, **more):
    return subprocess.run([sys.executable, "-m", "zoo.cli.main", *args], capture_output=True, text=True, **more)


@pytest.mark.parametrize("args", [["--help"], ["list"], ["plugins"]])
def test_start_up_is_quick_and_leaves_torch_out(args):
    """Bar: 0.5 s of CPU."""
    heavy = "{'torch', 'lightning', 'pandas', 'numba', 'hydra', 'omegaconf'}"
    code = (
        "import sys; from zoo.cli.main import main; code = main(sys.argv[1:]); "
        f"print(sorted({heavy} & set(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stderr.endswith("[]\n")
    assert min(seconds) < 0.5


def test_a_reader_that_leaves_early_is_no_error():
    """What `zoo train --help | head -1` does."""
    command = [sys.executable, "-c", "from zoo.cli.main import main; import sys; sys.exit(main())", "train", "--help"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 1


def test_the_installed_command_hands_its_exit_code_on(tmp_path):
    done = run_zoo("train", "encodr=x", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("zoo: error: encodr=x")


def test_main_takes_the_arguments_of_the_process_by_default(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["zoo", "--version"])
    assert main() == 0
    assert "version" in capsys.readouterr().out
