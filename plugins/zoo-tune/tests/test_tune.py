"""Searches from their first trial to the published model, on a few hundred simulated sequences."""

import json
import subprocess
import sys

import pytest
import yaml

from zoo.config import compose
from zoo.errors import ConfigError, ZooError
from zoo.files.tables import read_table
from zoo.hub.loader import load
from zoo.training.plan import TrainingPlan
from zoo.training.publication import publish
from zoo.training.run import train
from zoo_tune import run_of_trial
from zoo_tune.choice import Choice, choose, finalists
from zoo_tune.leaderboard import table
from zoo_tune.search import Budget, search
from zoo_tune.trial import Trial, read_trials
from zoo_tune.tune import open_study, tune

SMALL = [
    *("data.n_train=120", "data.n_validation=60", "data.n_test=60", "data.length=40", "encoder=motif_cnn"),
    *(
        "encoder.filters=4",
        "encoder.hidden=0",
        "strand=augmented",
        "trainer.max_epochs=2",
        "trainer.batch_size=32",
        "trainer.logger=none",
    ),
    *("evaluation.bootstrap=10", "name=mine"),
]
SPACE = "optimizer.lr: {low: 1e-3, high: 3e-2, log: true}\nencoder.width: {choices: [9, 15]}\n"


@pytest.fixture
def space_file(tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text(SPACE)
    return file


@pytest.fixture
def study_of(tmp_path, space_file):
    """A study of small runs, opened and alone in its folder."""

    def build(*overrides, space=None):
        if space is not None:
            space_file.write_text(space)
        return open_study([*SMALL, *overrides], storage=tmp_path / "search", search_file=space_file)[0]

    return build


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A whole search: the default, three proposals, and the finalists with another seed."""
    folder = tmp_path_factory.mktemp("tune")
    (folder / "space.yaml").write_text(SPACE)
    study, _ = open_study(SMALL, storage=folder / "search", search_file=folder / "space.yaml")
    assert tune(study, None, trials=4, confirm=1) == 0
    return study


def opened(study):
    """The study as the next command finds it."""
    source = TrainingPlan.of(study.config).source
    with study.alone():
        study.refuse_another(source)
    return study, source


def kept_loss(run):
    return json.loads((run / "model" / "config.json").read_text())["training"]["validation_loss"]


def test_every_trial_is_a_run_and_a_row_and_the_first_is_the_default(finished):
    comments, rows = read_table(finished.folder / "leaderboard.tsv")
    assert sorted(int(row["trial"]) for row in rows) == [0, 1, 2, 3]
    assert comments["judged_on"] == "validation"
    assert [row["status"] for row in rows] == ["ok"] * 4
    losses = [float(row["validation_loss"]) for row in rows]
    assert losses == sorted(losses)
    first = next(row for row in rows if row["trial"] == "0")
    assert (first["optimizer.lr"], first["encoder.width"]) == ("0.006", "21")
    assert finished.trials[0].parameters == {}
    for trial in finished.trials:
        config = json.loads((trial.folder / "config.json").read_text())
        assert config["evaluation"]["split"] == "test"
        assert {key: config[key.split(".")[0]][key.split(".")[1]] for key in trial.parameters} == trial.parameters
        assert trial.validation_loss == kept_loss(trial.folder) == min(trial.losses.values())
    assert all(str(trial.number) in table(finished) for trial in finished.trials)


def test_the_command_that_is_printed_gives_the_validation_loss_to_the_digit(finished, tmp_path):
    best = yaml.safe_load((finished.folder / "best.yaml").read_text())
    words = best["command"].split()
    assert words[:2] == ["zoo", "train"]
    result = train(compose([*words[2:], f"output_dir={tmp_path / 'again'}"]))
    assert kept_loss(result.folder) == best["validation_loss"]
    assert result.metrics


def test_the_best_is_judged_once_beside_the_default_and_can_be_published(finished, tmp_path):
    choice = choose(finished, [1])
    run, looks = choice.trial.folder, json.loads((finished.folder / "test_looks.json").read_text())
    assert looks == [choice.trial.number]
    rows = json.loads((run / "metrics.json").read_text())
    assert {row["split"] for row in rows} == {"test"}
    assert {row["n"] for row in rows if row["metric"] == "auroc"} == {60}
    assert "default settings" not in {row["predictor"] for row in rows}
    if choice.trial.number:
        beside = json.loads((finished.folder / "default_metrics.json").read_text())
        assert {(row["predictor"], row["n"]) for row in beside if row["metric"] == "auroc"} == {
            ("default settings", 60)
        }
    others = [trial for trial in finished.trials if trial.number != choice.trial.number]
    assert all(json.loads((trial.folder / "metrics.json").read_text()) == [] for trial in others)
    source = publish(run, "tuned", to=str(tmp_path / "hub"))
    spec = load(source).spec
    assert spec.training["tuning"]["trials"] == 4
    assert spec.training["tuning"]["chosen_by"].endswith("on the validation split")
    assert spec.training["validation_loss"] == choice.trial.validation_loss


def test_the_mean_of_seeds_that_nobody_chose_decides(finished):
    seeds = {(one.number, one.seed) for one in finished.confirmations}
    assert seeds == {(trial.number, 1) for trial in finalists(finished)}
    choice = choose(finished, [1])
    assert choice.means[choice.trial.number] == min(choice.means.values())
    assert choose(finished, [1, 2]).seeds == (1,)
    assert choose(finished, []).trial == min(finished.trials, key=lambda trial: trial.validation_loss)
    assert isinstance(choice, Choice)


def test_a_search_goes_on_without_training_anything_twice(finished, monkeypatch):
    trained = []
    monkeypatch.setattr(run_of_trial, "train", lambda config, **more: trained.append(config))
    study, _ = open_study(SMALL, storage=finished.folder, search_file=finished.folder.parent / "space.yaml")
    before = {path: path.stat().st_mtime_ns for path in finished.folder.glob("trials/*.json")}
    assert tune(study, None, trials=4, confirm=1) == 0
    assert trained == []
    assert {path: path.stat().st_mtime_ns for path in finished.folder.glob("trials/*.json")} == before
    assert len(json.loads((finished.folder / "test_looks.json").read_text())) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optimizer.weight_decay=0.1", r"optimizer/weight_decay was 0\.05 and is 0\.1"),
        ("data.n_train=130", "n_train was 120"),
    ],
)
def test_another_configuration_in_the_folder_is_refused(finished, change, message):
    study, _ = open_study([*SMALL, change], storage=finished.folder, search_file=finished.folder.parent / "space.yaml")
    with pytest.raises(ConfigError, match=message):
        tune(study, None, trials=4)


def test_another_space_a_foreign_folder_and_a_second_search_are_refused(finished, study_of, tmp_path):
    other, _ = open_study(SMALL, storage=finished.folder)
    with pytest.raises(ConfigError, match="a search of another space"):
        tune(other, None, trials=4)
    study = study_of()
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "thesis.txt").write_text("")
    with pytest.raises(ConfigError, match=r"'thesis\.txt' and is no search"):
        tune(study, None, trials=1)
    with study.alone(), pytest.raises(ConfigError, match="another zoo tune is at work"):
        tune(study_of(), None, trials=1)


def test_the_test_split_is_not_touched_before_the_search_has_ended(study_of):
    study, source = opened(study_of())
    examples = source.examples

    def guarded(split):
        assert split != "test"
        return examples(split)

    source.examples = guarded
    search(study, source, Budget(None, 2, 1))
    assert [trial.status for trial in study.trials] == ["ok", "ok"]
    assert len(study.confirmations) == 2
    with pytest.raises(AssertionError):
        source.examples("test")


def test_a_spent_budget_starts_nothing_after_the_default_trial(study_of):
    study, source = opened(study_of())
    search(study, source, Budget(1e-9, None, 2))
    assert [trial.status for trial in study.trials] == ["ok"]
    assert len(study.trials[0].losses) == 2


class _EndsInATrial(Budget):
    """Time for the default and for the first epoch of a proposal."""

    @property
    def seconds_left(self):
        return 1e9 if sum(len(trial.losses) for trial in self.study.trials) < 3 else 0.0


def test_a_trial_in_which_the_budget_ends_is_stopped_and_goes_on_later_to_the_same_loss(study_of, tmp_path):
    study, source = opened(study_of())
    budget = _EndsInATrial(1.0, None, 0)
    budget.study = study
    search(study, source, budget)
    assert [(trial.status, len(trial.losses)) for trial in study.trials] == [("ok", 2), ("stopped", 1)]
    assert choose(study, []).trial.number == 0
    again, source = opened(study_of())
    search(again, source, Budget(None, 2, 0))
    went_on = again.trials[1]
    assert (went_on.status, sorted(went_on.losses)) == ("ok", [1, 2])
    whole = train({**again.config_of(went_on), "output_dir": str(tmp_path / "whole")}, source=source)
    assert kept_loss(whole.folder) == went_on.validation_loss


def test_trials_that_diverge_or_cannot_be_built_are_recorded_and_the_search_goes_on(space_file, tmp_path):
    space = "encoder.kernel: {choices: [3, 4]}\noptimizer.lr: {choices: [0.006, 3e38]}\n"
    words = [word for word in SMALL if not word.startswith("encoder")]
    words += ["encoder=dilated_cnn", "encoder.layers=1", "encoder.channels=4", "optimizer.warmup=0"]
    space_file.write_text(space)
    study, _ = open_study(words, storage=tmp_path / "search", search_file=space_file)
    study, source = opened(study)
    search(study, source, Budget(None, 9, 0))
    every = [({**study.defaults, **trial.parameters}, trial) for trial in study.trials]
    outcome = {(values["encoder.kernel"], values["optimizer.lr"]): trial for values, trial in every}
    assert len(outcome) == len(study.trials) == 4
    assert outcome[3, 0.006].status == "ok"
    assert "diverged" in outcome[3, 3e38].reason or "number" in outcome[3, 3e38].reason
    assert {t.status for t in study.trials[1:]} == {"failed"}
    assert all("kernel 4 of dilated_cnn must be odd" in outcome[4, lr].reason for lr in (0.006, 3e38))
    _, rows = read_table(study.folder / "leaderboard.tsv")
    assert [row["status"] for row in rows] == ["ok", "failed", "failed", "failed"]


def test_a_default_that_cannot_be_trained_ends_the_search_in_its_own_words(study_of):
    study, source = opened(study_of("heads.nothing.name=scalar"))
    with pytest.raises(ZooError, match=r"cannot be trained: heads\.nothing predicts no target"):
        search(study, source, Budget(None, 3, 0))


def test_a_signal_keeps_what_is_done(study_of, monkeypatch, capsys):
    original = run_of_trial.train

    def interrupted(config, **more):
        if config["output_dir"].endswith("0001"):
            raise KeyboardInterrupt
        return original(config, **more)

    monkeypatch.setattr(run_of_trial, "train", interrupted)
    study = study_of()
    assert tune(study, None, trials=3, confirm=0) == 130
    assert [trial.status for trial in read_trials(study.folder / "trials")] == ["ok", "stopped"]
    assert "the same command goes on" in capsys.readouterr().err
    assert len(read_table(study.folder / "leaderboard.tsv")[1]) == 2


def test_a_record_of_a_killed_trial_goes_on_first(study_of, monkeypatch):
    study, source = opened(study_of())
    search(study, source, Budget(None, 1, 0))
    killed = study.new_trial({"optimizer.lr": 0.002, "encoder.width": 9})
    assert read_trials(study.folder / "trials")[1].status == "running"
    again, source = opened(study_of())
    search(again, source, Budget(None, 2, 0))
    assert [(t.number, t.status) for t in again.trials] == [(0, "ok"), (1, "ok")]
    assert again.trials[1].parameters == killed.parameters


def test_what_cannot_be_tuned_is_refused_before_anything_is_written(study_of, tmp_path):
    for word, message in (("output_dir=here", "--storage"), ("resume=here", "--storage")):
        with pytest.raises(ConfigError, match=message):
            open_study([*SMALL, word])
    with pytest.raises(ConfigError, match="validation split is empty"):
        tune(study_of("data.n_validation=0"), None, trials=1)
    with pytest.raises(ConfigError, match=r"trainer\.devices=1"):
        tune(study_of("trainer.devices=2"), None, trials=1)
    with pytest.raises(ConfigError, match="one network, not members=2"):
        tune(study_of("members=2"), None, trials=1)
    assert not (tmp_path / "search" / "search.json").exists()


def test_the_help_and_the_command_import_neither_torch_nor_optuna():
    code = (
        "import sys; from click.testing import CliRunner; from zoo_tune.cli.tune import command; "
        "assert 'zoo tune experiment=demo' in CliRunner().invoke(command, ['--help']).output; "
        "assert not {'torch', 'optuna', 'hydra'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_trials_are_ranked_by_loss_and_the_earlier_first(study_of, tmp_path):
    study = study_of()
    study.trials = [
        Trial(i, {}, tmp_path / str(i), status="ok", validation_loss=loss) for i, loss in enumerate([2, 1, 1])
    ]
    assert [trial.number for trial in finalists(study)] == [0, 1, 2]


def test_a_third_of_the_minutes_at_most_is_kept_for_other_seeds_and_none_where_one_does_not_fit(study_of, tmp_path):
    from zoo_tune.search import _Search

    study = study_of()
    study.trials = [Trial(i, {}, tmp_path / str(i), status="ok", validation_loss=1.0, seconds=60.0) for i in range(3)]

    class Clock(Budget):
        seconds_left = 0.0

    def reserved(minutes, confirm):
        budget = Clock(minutes, None, confirm)
        for seconds in range(int(minutes * 60), -1, -30):
            budget.seconds_left = seconds
            if _Search(study, None, budget)._is_over():
                return seconds
        return None

    assert reserved(30, 2) == 360
    assert reserved(15, 2) == 180
    assert reserved(6, 2) == 0
    assert reserved(30, 0) == 0
