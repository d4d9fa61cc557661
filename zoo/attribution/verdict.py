"""A verdict in words on thresholds that were fixed before anything was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Verdict:
    """question, in words; answer; and the numbers behind it, in words."""

    question: str
    answer: Literal["yes", "no", "unsure"]
    words: str

    def __str__(self) -> str:
        return f"{self.question} {self.answer}: {self.words}"
