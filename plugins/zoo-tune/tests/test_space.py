"""Search spaces: what a file may say, what a command fixes, and what of it a run takes."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.config import compose
from zoo.errors import ConfigError, NameClash
from zoo.registry import registry
from zoo_tune.space import REFUSED, Choices, Range, override, parse_space, read_space, to_plain
from zoo_tune.space_of_encoder import checks, default_of, fit_space, shipped_space, space_files

WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,8}", fullmatch=True)
SCALARS = st.one_of(
    st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6), st.booleans(), st.none(), WORDS, st.text(max_size=8)
)


@given(st.floats(1e-9, 1e6), st.floats(1e-9, 1e6), st.booleans())
def test_a_range_is_read_as_it_is_written(low, high, log):
    text = {"low": repr(low), "high": repr(high), "log": str(log).lower()}
    if low < high:
        assert parse_space({"optimizer.lr": text}, "x") == {"optimizer.lr": Range(low, high, log)}
    else:
        with pytest.raises(ConfigError, match="low must be below high"):
            parse_space({"optimizer.lr": text}, "x")


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.floats(0, 1))
def test_a_drawn_number_is_short_and_inside(low, high, share):
    if not low < high:
        return
    value = Range(low, high).clean(low + share * (high - low))
    assert low <= value <= high
    assert value in (low, high) or value == float(f"{value:.3g}")


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)))
def test_whatever_a_file_holds_is_a_space_or_a_sentence(content):
    for candidate in (content, {"optimizer.lr": content}, {"optimizer.lr": {"choices": content}}):
        try:
            space = parse_space(candidate, "x")
        except ConfigError:
            continue
        assert all(isinstance(parameter, Range | Choices) for parameter in space.values())


@settings(deadline=None, max_examples=25)
@given(value=SCALARS.filter(lambda x: not (isinstance(x, float) and math.isnan(x))))
@example("A²")  # a digit to Python, none to Hydra
@example("Ångström")
def test_an_override_reads_back_as_the_value(value):
    if isinstance(value, str) and not value.isprintable():
        return
    config = compose([override("description", value)]) if isinstance(value, str | None) else None
    if config is not None:
        assert config["description"] == value
    elif isinstance(value, float) and value > 0:
        assert compose([override("optimizer.lr", value)])["optimizer"]["lr"] == value


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"low": "0", "high": "1", "log": "true"}, "give a low above 0"),
        ({"low": "0"}, "has the keys low"),
        ({"low": "nan", "high": "1"}, "finite"),
        ({"low": "a", "high": "1"}, "give a number"),
        ({"choices": ["1"]}, "2 to 50 values"),
        ({"choices": ["1", "1.0"]}, "twice"),
        ({"choices": ["1", "2"], "log": "true"}, "has the keys"),
        ("3", "write {low:"),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_remedy(entry, message):
    with pytest.raises(ConfigError, match=message):
        parse_space({"optimizer.lr": entry}, "mine.yaml")


@pytest.mark.parametrize("section", sorted(REFUSED))
def test_what_would_make_losses_incomparable_is_refused(section):
    with pytest.raises(ConfigError, match="cannot be searched"):
        parse_space({f"{section}.key": {"choices": ["1", "2"]}}, "mine.yaml")


def test_a_key_that_stands_twice_and_a_tag_are_refused(tmp_path):
    file = tmp_path / "space.yaml"
    file.write_text("optimizer.lr: {choices: [1, 2]}\noptimizer.lr: {choices: [3, 4]}\n")
    with pytest.raises(ConfigError, match="stands twice"):
        read_space(file)
    file.write_text("optimizer.lr: {choices: [!!python/name:os.system , 2]}\n")
    assert read_space(file)["optimizer.lr"].values == (None, 2)


def test_an_override_fixes_its_key_and_a_default_outside_widens_the_range():
    space = parse_space(
        {"optimizer.lr": {"low": 3e-4, "high": 1e-2, "log": True}, "encoder.filters": {"choices": [8, 16]}}, "x"
    )
    overrides = ["optimizer=sgd", "encoder.filters=8"]
    fitted, defaults, notes = fit_space(space, compose(overrides), overrides, strict=True)
    assert fitted == {"optimizer.lr": Range(3e-4, 0.05, True)}
    assert defaults == {"optimizer.lr": 0.05}
    assert any("encoder.filters is fixed" in note for note in notes)
    assert any("optimizer.lr is widened" in note for note in notes)
    with pytest.raises(ConfigError, match="nothing is left"):
        fit_space({"encoder.filters": Choices((8, 16))}, compose(overrides), overrides, strict=True)


def test_a_key_that_nothing_reads_is_refused_in_a_users_file_and_left_out_of_a_shipped_one():
    space = {"encoder.layers": Range(1, 4), "optimizer.lr": Range(1e-4, 1e-2)}
    config = compose(["encoder=motif_cnn"])
    with pytest.raises(ConfigError, match="'motif_cnn' has no 'layers'"):
        fit_space(space, config, [], strict=True)
    fitted, _, notes = fit_space(space, config, [], strict=False)
    assert list(fitted) == ["optimizer.lr"]
    assert any("encoder.layers leaves" in note for note in notes)


def test_a_default_comes_from_the_signature_where_the_configuration_leaves_it_out():
    config = compose(["encoder=motif_cnn", "optimizer=adam"])
    del config["encoder"]["dropout"], config["optimizer"]["warmup"]
    assert default_of(config, "encoder.dropout") == 0.1
    assert default_of(config, "optimizer.warmup") == 0
    assert default_of(config, "optimizer") == "adam"


@pytest.mark.parametrize(
    "encoder",
    [
        "residual_cnn",
        "motif_cnn",
        "dilated_cnn",
        "cnn_rnn_attention",
        "construct_cnn_rnn",
        "contact_cnn",
        "depth_cnn",
        "multi_modal",
    ],
)
def test_every_encoder_of_zoo_has_a_space_all_of_whose_values_compose(encoder):
    overrides = {"contact_cnn": ["experiment=hic_simulated"], "depth_cnn": ["experiment=copy_number"]}.get(
        encoder, [f"encoder={encoder}"]
    )
    space, files = shipped_space(encoder)
    assert [file.stem for file in files] == ["training", encoder]
    config = compose(overrides)
    assert config["encoder"]["name"] == encoder
    fitted, defaults, _ = fit_space(space, config, overrides, strict=False)
    assert any(key.startswith("encoder.") for key in fitted)
    for parameters in checks(fitted):
        registry().resolve("encoder", encoder, {k[8:]: v for k, v in parameters.items() if k.startswith("encoder.")})
    assert all(key in to_plain(fitted) for key in defaults)


def test_a_plugin_or_a_folder_brings_a_space_and_two_of_one_name_are_refused(tmp_path):
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / "mine.yaml").write_text("encoder.width: {choices: [3, 5]}\n")
    assert [file.stem for file in space_files("mine", [tmp_path])] == ["training", "mine"]
    (tmp_path / "search" / "training.yaml").write_text("optimizer.lr: {choices: [0.1, 0.2]}\n")
    with pytest.raises(NameClash, match="'training' is given by both"):
        space_files("mine", [tmp_path])
