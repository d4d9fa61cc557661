"""`CompiledLoop`: a loop over bases that numba compiles once there is enough to do.

function -> a little work as plain Python, without importing numba -> more work compiled, from the cache on disk
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

WORTH = 1 << 17
"""Steps of plain Python, all calls of a process together, that take as long as numba takes to start."""


class CompiledLoop:
    """A function of arrays and numbers that gives the same with and without numba.

    >>> @CompiledLoop
    ... def double(x):
    ...     for i in range(len(x)):
    ...         x[i] *= 2
    >>> x = [1, 2]
    >>> double.of(2)(x)
    >>> x
    [2, 4]
    """

    def __init__(self, function: Callable[..., Any]):
        self.python = function
        self._steps = 0

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """The same, compiled; it releases the GIL."""
        import numba

        return numba.njit(nogil=True, cache=True)(self.python)

    def of(self, steps: int) -> Callable[..., Any]:
        """The function for one call of about so many steps."""
        self._steps += steps
        return self.compiled if self._steps > WORTH else self.python
