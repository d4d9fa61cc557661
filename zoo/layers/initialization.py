"""Whether a module that is being built should spend effort on its first weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FOLLOW: ContextVar[bool] = ContextVar("stored_weights_follow", default=False)


@contextmanager
def stored_weights_follow() -> Iterator[None]:
    """Modules built inside will have all their weights replaced, so costly first values are left out."""
    token = _FOLLOW.set(True)
    try:
        yield
    finally:
        _FOLLOW.reset(token)


def fresh() -> bool:
    """True unless stored weights are about to be loaded.

    >>> with stored_weights_follow():
    ...     fresh()
    False
    >>> fresh()
    True
    """
    return not _FOLLOW.get()
