"""JSON that somebody else wrote: read strictly, so that it means one thing to every reader.

bytes or text -> parse_json -> plain values, or ValueError in words
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_LEVELS = 64
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def parse_json(text: str | bytes) -> Any:
    """Plain values of a JSON text in UTF-8.

    Raises ValueError for a key that stands twice in one object, NaN and infinity (1e999 too), half of a surrogate pair
    or a NUL in a text, and lists and objects nested deeper than `MOST_LEVELS`.

    >>> parse_json('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_float=_number, parse_constant=_number)
    except RecursionError as error:
        raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels") from error
    _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:80]!r} stands twice")
    return content


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:80]} is not finite")
    return number


def _check(value: Any) -> None:
    """Levels and texts, without recursion."""
    level, at = 0, [value]
    while at:
        if level > MOST_LEVELS:
            raise ValueError(f"it is nested deeper than {MOST_LEVELS} levels")
        below: list[Any] = []
        for each in at:
            if isinstance(each, str) and _NO_TEXT.search(each):
                raise ValueError(f"the text {each[:80]!r} is refused, for it holds a character that is none")
            if isinstance(each, dict):
                below += [*each, *each.values()]
            elif isinstance(each, list):
                below += each
        level, at = level + 1, below
