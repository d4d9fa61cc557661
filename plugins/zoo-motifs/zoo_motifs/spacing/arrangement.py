"""How two motifs stand to one another: side and strand of the second as seen from the first.

Arrangements are named relative to the first motif, read along its own strand: the second lies downstream of it or
upstream, on the same strand or on the opposite one.  Each can be written into a sequence in two ways, which are
reverse complements of one another:

    arrangement            first on +                  first on -
    downstream, same       first-second ++             second-first --
    downstream, opposite   first-second +-             second-first -+
    upstream, same         second-first ++             first-second --
    upstream, opposite     second-first +-             first-second -+

`order` is the one from left to right, `orientation` the strand of the first and then that of the second motif.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Arrangement:
    """One of the eight ways to write two motifs; see the table above.

    first_left: the first motif is the left one.
    first, second: strands, + or -.
    """

    first_left: bool
    first: str
    second: str

    @property
    def order(self) -> str:
        """first-second or second-first, from left to right."""
        return "first-second" if self.first_left else "second-first"

    @property
    def orientation(self) -> str:
        """The strand of the first motif, then that of the second."""
        return self.first + self.second

    @property
    def name(self) -> str:
        """Where the second motif is as seen from the first, such as "downstream, opposite"."""
        side = "downstream" if self.first_left == (self.first == "+") else "upstream"
        return f"{side}, {'same' if self.first == self.second else 'opposite'}"


ARRANGEMENTS = tuple(Arrangement(left, a, b) for left in (True, False) for a in "+-" for b in "+-")
