"""Configuration: what a user types, and what comes of it."""

import inspect
import json
import re
from pathlib import Path

import pytest

from zoo.composition.option_files import groups
from zoo.composition.signature_check import fits
from zoo.composition.sweep_results import flat_metrics
from zoo.config import compose, run
from zoo.errors import ConfigError, DataError, NameClash, ZooError
from zoo.files.tables import read_table

PLUGIN = """
    import zoo

    @zoo.hookimpl
    def zoo_register(registry):
        registry.add("encoder", "{name}", "{package}.encoder:Toy")
        registry.configs("pkg://{package}.conf")
"""
ENCODER = """
    class Toy:
        def __init__(self, *, channels: int = 4, tied: bool = False):
            pass
"""


def plugin(package, name="toy", **conf):
    return {
        "__init__.py": PLUGIN.format(package=package, name=name),
        "encoder.py": ENCODER,
        **{f"conf/{path.replace('__', '/')}.yaml": text for path, text in conf.items()},
    }


def task(config):
    """Fails for seeds 2 and 4, as a user would and as we would."""
    if config["seed"] == 2:
        raise DataError("peaks.bed line 3: start 500 is after end 120: swap them")
    if config["seed"] == 4:
        raise ValueError("a mistake of ours")
    row = {"split": "test", "head": "binding", "task": "CTCF", "metric": "auroc", "value": 0.5 + config["seed"] / 100}
    (Path(config["output_dir"]) / "metrics.json").write_text(json.dumps([row, {**row, "baseline": True, "value": 0.1}]))


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_compose_gives_a_plain_dictionary_from_any_folder():
    config = compose(["seed=3", "encoder.filters=8"])
    assert json.loads(json.dumps(config)) == config
    assert (config["seed"], config["encoder"]["name"], config["encoder"]["filters"]) == (3, "residual_cnn", 8)
    assert re.fullmatch(r"runs/run/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", config["output_dir"])
    assert not list(Path().iterdir())


def test_an_argument_of_the_constructor_may_be_set_though_no_yaml_lists_it(install):
    install("zoo-toy", plugin("zoo_toy", encoder__toy="name: toy\n"))
    assert compose(["encoder=toy", "encoder.channels=7"])["encoder"] == {"name": "toy", "channels": 7}


def test_compose_leaves_another_program_s_hydra_alone():
    from hydra import compose as theirs
    from hydra import initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    Path("conf").mkdir()
    Path("conf/app.yaml").write_text("value: 5\n")
    compose()
    assert not GlobalHydra.instance().is_initialized()
    with initialize_config_dir(str(Path("conf").resolve()), version_base="1.2"):
        hydra = GlobalHydra.instance()
        compose(["seed=2"])
        assert GlobalHydra.instance() is hydra
        assert theirs("app").value == 5


def test_a_run_may_compose_further_configurations():
    seen = []
    assert run(lambda config: seen.append((config["seed"], compose(["seed=8"])["seed"])), ["seed=7"]) == 0
    assert seen == [(7, 8)]


@pytest.mark.parametrize(
    ("override", "named", "meant"),
    [
        ("encodr=motif_cnn", "encodr", "did you mean 'encoder'"),
        ("sedd=4", "sedd", "did you mean 'seed'"),
        ("+sedd=4", "sedd", "did you mean 'seed'"),
        ("encoder=motif_cn", "encoder=motif_cn", "did you mean 'motif_cnn'"),
        ("encoder/motif=x", "encoder/motif", "did you mean 'encoder'"),
        ("encoder.filtrs=3", "encoder.filtrs=3", "did you mean 'filters'"),
        ("+encoder.filtrs=3", "encoder.filtrs=3", "did you mean 'filters'"),
        ("++encoder.filtrs=3", "encoder.filtrs=3", "did you mean 'filters'"),
        ("trainer.max_epoch=3", "trainer.max_epoch=3", "did you mean 'max_epochs'"),
        ("+trainer.max_epoch=3", "trainer.max_epoch=3", "did you mean 'max_epochs'"),
        ("optimizer.learning=3", "optimizer.learning=3", "choose from"),
        ("genome.fast=hg38.fa", "genome.fast=hg38.fa", "did you mean 'fasta'"),
        ("encoder.filters=many", "encoder.filters=many", "a whole number"),
        ("encoder.filters=2.5", "encoder.filters=2.5", "a whole number"),
        ("head.pool=sum", "head.pool=sum", "one of mean, max, max_mean, attention, center"),
        ("trainer.max_epochs=soon", "trainer.max_epochs=soon", "a whole number"),
        ("seed=first", "seed=first", "a whole number"),
        ("strand=both", "strand=both", "one of auto, none, augmented, conjoined, tied"),
        ("name=a/b", "name=a/b", "letters, digits"),
        ("data.rows.gc=null", "data.rows.gc=null", "a number"),
        ("data.rows.gx=0.4", "data.rows.gx=0.4", "data.rows has no 'gx'"),
        ("data.rows=0.4", "data.rows=0.4", "a mapping"),
        ("data.pair.spacin=3", "data.pair.spacin=3", "did you mean 'spacing'"),
        ("encoder.name=motif_cn", "motif_cn", "did you mean 'motif_cnn'"),
        ("encoder._target_=os.system", "class path", "a name instead"),
        ("~encoder", "encoder", "choose one of"),
        ("x=[1,2", "x=[1,2", "a bracket is open"),
        ("name=a b=c", "name=a b=c", "quote"),
        ("seed=1,2,3", "seed=1,2,3", "add -m"),
        ("demo", "demo", "experiment=demo"),
        ("hydra.run.dirr=x", "hydra.run.dirr", "did you mean 'dir'"),
        ("seed=${sedd}", "seed", "sedd"),
        ("+heads.binding.name=scalr", "scalr", "did you mean 'scalar'"),
        ("+heads.binding.pool=max", "heads.binding", "choose heads.binding.name"),
        ("head@heads.x=scalar", "heads.x", "+head@heads.x=scalar"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_it_and_what_was_meant(override, named, meant):
    with pytest.raises(ZooError) as caught:
        compose([override])
    assert named in str(caught.value)
    assert meant in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_experiment_gives_way_to_the_command_line():
    config = compose(["experiment=simulated", "encoder.filters=5"])
    assert (config["name"], config["encoder"]["filters"], config["trainer"]["max_epochs"]) == ("simulated", 5, 8)


def test_an_experiment_s_arguments_do_not_follow_to_another_component(capsys):
    config = compose(["experiment=simulated", "encoder=dilated_cnn"])
    assert config["encoder"]["name"] == "dilated_cnn"
    assert "filters" not in config["encoder"]
    assert "encoder.filters of experiment simulated is left out" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="filters"):
        compose(["experiment=simulated", "encoder=dilated_cnn", "encoder.filters=5"])


def test_several_heads_are_composed_by_target():
    config = compose(["experiment=simulated_profile"])
    assert config["heads"]["profile"]["name"] == "profile"
    assert config["objectives"]["profile"]["coefficient"] == 0.1
    assert config["head"]["name"] == "scalar"


def test_a_run_gets_its_folder_with_hydra_s_records():
    seen = []
    assert run(seen.append, ["seed=7", "name=mine"]) == 0
    folder = Path(seen[0]["output_dir"])
    assert folder.parent == Path("runs/mine").resolve()
    assert "- seed=7" in (folder / ".hydra/overrides.yaml").read_text()


def test_runs_of_the_same_second_get_folders_of_their_own():
    seen = []
    for _ in range(3):
        run(seen.append, ["name=mine"])
    assert len({config["output_dir"] for config in seen}) == 3


def test_a_run_that_goes_on_keeps_the_records_of_its_start():
    seen = []
    run(seen.append, ["output_dir=here", "seed=1"])
    run(seen.append, ["output_dir=here", "seed=2"])
    assert {config["output_dir"] for config in seen} == {str(Path("here").resolve())}
    assert "seed=1" in Path("here/.hydra/overrides.yaml").read_text()


def test_a_single_run_raises_what_its_task_raises():
    with pytest.raises(DataError, match=r"peaks.bed line 3"):
        run(task, ["seed=2"])
    with pytest.raises(ValueError, match="a mistake of ours"):
        run(task, ["seed=4"])


def test_only_the_first_process_writes_records(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "1")
    seen = []
    run(seen.append, ["output_dir=here"])
    assert len(seen) == 1
    assert not Path("here").exists()


def test_several_processes_are_told_to_share_a_folder(monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "0")
    with pytest.raises(ConfigError, match="output_dir="):
        run(print, ["trainer.devices=2"])


def test_cfg_job_prints_the_configuration_and_runs_nothing(capsys):
    assert run(lambda config: pytest.fail("it ran"), ["--cfg", "job", "seed=12"]) == 0
    assert "seed: 12\n" in capsys.readouterr().out
    assert not list(Path().iterdir())


def test_a_flag_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="did you mean '--multirun'"):
        run(print, ["--multrun", "seed=1"])


@pytest.mark.parametrize("args", [["-m", "seed=1,2,3", "strand=none"], ["strand=none", "-m", "seed=1,2,3"]])
def test_a_sweep_makes_a_table_and_names_the_job_that_failed(args, capsys):
    assert run(task, args) == 1
    out, err = capsys.readouterr()
    (table,) = Path("multirun").rglob("sweep.tsv")
    _, rows = read_table(table)
    assert [row["seed"] for row in rows] == ["1", "2", "3"]
    assert [row["status"].partition(":")[0] for row in rows] == ["ok", "failed", "ok"]
    assert [row["test.binding.CTCF.auroc"] for row in rows] == ["0.51", "NA", "0.53"]
    assert "strand" not in rows[0]
    assert str(table.relative_to(Path.cwd()) if table.is_absolute() else table) in out
    assert "job 1 (seed=2) failed: peaks.bed line 3: start 500 is after end 120: swap them" in err


def test_a_sweep_without_failures_ends_well(capsys):
    assert run(task, ["-m", "seed=1,3", "output_dir=sweep"]) == 0
    assert {path.name for path in Path("sweep").iterdir()} >= {"0", "1", "sweep.tsv"}


def test_a_mistake_in_one_job_stops_a_sweep_before_the_first():
    with pytest.raises(ConfigError, match=r"encoder.filters=many"):
        run(lambda config: pytest.fail("it ran"), ["-m", "encoder.filters=4,many"])
    with pytest.raises(ConfigError, match="did you mean 'motif_cnn'"):
        run(lambda config: pytest.fail("it ran"), ["-m", "encoder=motif_cnn,motif_cn"])
    assert not Path("multirun").exists()


def test_a_job_that_died_is_named(capsys):
    assert run(lambda config: None, ["-m", "seed=1,3"]) == 1
    assert "job 0 (seed=1) failed: it ended without metrics.json" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_sweep_by_submitit_s_local_executor(monkeypatch, capsys):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher", reason="needs the extra submitit")
    imports = "import json\nfrom pathlib import Path\nfrom zoo.errors import DataError\n\n"
    Path("sweep_task.py").write_text(imports + inspect.getsource(task))  # the jobs import it in another process
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    import sweep_task

    code = run(sweep_task.task, ["-m", "seed=1,2,4", "hydra/launcher=submitit_local", "hydra.launcher.timeout_min=5"])
    assert code == 1
    (table,) = Path("multirun").rglob("sweep.tsv")
    rows = read_table(table)[1]
    assert [row["status"] for row in rows] == [
        "ok",
        "failed: peaks.bed line 3: start 500 is after end 120: swap them",
        "failed: ValueError: a mistake of ours",
    ]


def test_a_plugin_s_options_are_there_when_it_is_installed(install):
    install("zoo-toy", plugin("zoo_toy", encoder__toy="name: toy\nchannels: 4\n", experiment__toy="name: x\n"))
    assert compose(["encoder=toy"])["encoder"] == {"name": "toy", "channels": 4}
    assert "toy" in groups().options["experiment"]


def test_one_plugin_s_broken_configuration_leaves_the_others_alone(install):
    install("zoo-toy", plugin("zoo_toy", encoder__toy="name: toy\n"))
    install(
        "zoo-bad",
        {"__init__.py": PLUGIN.format(package="zoo_bad", name="bad").replace("zoo_bad.conf", "zoo_bad.gone")},
    )
    assert compose(["encoder=toy"])["encoder"]["name"] == "toy"
    with pytest.raises(ConfigError, match=r"pkg://zoo_bad.gone, which might provide it, did not load"):
        compose(["encoder=bad"])


def test_a_file_that_is_no_yaml_is_named_when_it_is_chosen(install):
    install("zoo-bad", plugin("zoo_bad", "bad", encoder__bad="name: bad\nchannels: [1,\n"))
    assert compose()["encoder"]["name"] == "residual_cnn"
    with pytest.raises(ConfigError, match=r"bad.yaml line \d"):
        compose(["encoder=bad"])


def test_an_option_of_two_plugins_is_an_error_that_names_both(install):
    install("zoo-one", plugin("zoo_one", "one", experiment__same="# @package _global_\nname: one\n"))
    install("zoo-two", plugin("zoo_two", "two", experiment__same="# @package _global_\nname: two\n"))
    assert compose()["name"] == "run"
    with pytest.raises(NameClash, match=r"zoo_one.*zoo_two"):
        compose(["experiment=same"])
    assert list(groups().contested()) == ["experiment/same"]


def test_an_option_of_two_plugins_is_found_behind_an_experiment_too(install):
    install("zoo-one", plugin("zoo_one", "one", encoder__same="name: one\n"))
    hidden = "# @package _global_\ndefaults:\n  - override /encoder: same\n"
    install("zoo-two", plugin("zoo_two", "two", encoder__same="name: two\n", experiment__hidden=hidden))
    with pytest.raises(NameClash, match=r"zoo_one.*zoo_two"):
        compose(["experiment=hidden"])


def test_a_folder_of_one_s_own_adds_options():
    folder = Path("mine/experiment")
    folder.mkdir(parents=True)
    (folder / "own.yaml").write_text("# @package _global_\nseed: 41\n")
    seen = []
    run(seen.append, ["--config-dir", "mine", "experiment=own"])
    assert seen[0]["seed"] == 41


@pytest.mark.parametrize(
    ("value", "annotation", "answer"),
    [
        (True, int, False),
        (1, bool, False),
        (None, int | None, True),
        ("auto", int | str, True),
        ([1, "a"], list[int], False),
        ({"a": 1}, dict[str, float], True),
        ([1, 2], tuple[int, int], True),
        ([1], tuple[int, int], False),
    ],
)
def test_values_are_compared_with_annotations(value, annotation, answer):
    assert fits(value, annotation) is answer


def test_metrics_that_are_no_numbers_make_no_column():
    assert flat_metrics({"a": "x", "b": None, "c": True, "d": {"e": 1}}) == {"d.e": 1}


def test_what_an_experiment_leaves_to_the_user_is_asked_for(install):
    left = "# @package _global_\ndefaults:\n  - override /data: peaks\ndata:\n  root: ???\n  peaks: x.bed\n"
    install("zoo-toy", plugin("zoo_toy", experiment__left=left))
    with pytest.raises(ConfigError, match=r"data.root is missing: experiment left needs it: set data.root="):
        compose(["experiment=left"])
    assert compose(["experiment=left", "data.root=/data"])["data"]["root"] == "/data"


def test_what_an_experiment_loses_is_said_once(capsys):
    run(lambda config: None, ["experiment=simulated", "encoder=dilated_cnn"])
    assert capsys.readouterr().err.count("encoder.filters of experiment simulated is left out") == 1
