"""KEY=VALUE: one reading of it for every option that takes one."""

import pytest

from zoo.composition.key_value import key_values
from zoo.errors import ConfigError


def test_values_are_read_as_yaml():
    texts = ["n=10", "share=0.5", "on=true", "names=[a, b]", "none=null", "path=a=b", "empty="]
    expected = {"n": 10, "share": 0.5, "on": True, "names": ["a", "b"], "none": None, "path": "a=b", "empty": None}
    assert key_values(texts, "--set n=10") == expected
    assert key_values([], "--set n=10") == {}


@pytest.mark.parametrize(
    ("text", "message"), [("n", "as in --set n=10"), ("=3", "does not read key=value"), ("n=[", "quote it")]
)
def test_anything_else_is_one_sentence(text, message):
    with pytest.raises(ConfigError, match=message) as caught:
        key_values([text], "--set n=10")
    assert "\n" not in str(caught.value)
