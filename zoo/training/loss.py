"""The objectives of a run, added up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from zoo.errors import ConfigError
from zoo.interfaces import Objective

__all__ = ["Term", "Terms"]

Parts = dict[str, tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Term:
    """One objective, its factor and the head that it looks at, if it is one."""

    objective: Objective
    coefficient: float = 1.0
    head: str | None = None

    @property
    def is_main(self) -> bool:
        """Whether it fits a head to its target; only such terms choose the best epoch."""
        return self.objective.activation is not None


class Terms(nn.Module):
    """{name: Term} as one module.  Parts are called `<term>` or `<term>/<part>` where a term has several."""

    def __init__(self, terms: Mapping[str, Term]):
        super().__init__()
        self.terms = dict(terms)
        self.objectives = nn.ModuleDict({_key(name): term.objective for name, term in terms.items()})

    @property
    def additive(self) -> bool:
        """Whether every term is a sum over examples."""
        return all(term.objective.additive for term in self.terms.values())

    @property
    def activation(self) -> dict[str, str]:
        """{head: activation} as the terms that fit a head name it; ConfigError where two of them disagree."""
        activation: dict[str, str] = {}
        for name, term in self.terms.items():
            if term.is_main and term.head is not None:
                first = activation.setdefault(term.head, term.objective.activation)
                if first != term.objective.activation:
                    raise ConfigError(
                        f"objective {name!r} makes head {term.head!r} a {term.objective.activation}, another makes it "
                        f"a {first}: fit one head by terms of one activation"
                    )
        return activation

    def weights(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{part: ()} of every additive term, from the batch alone."""
        return {
            part: weight
            for name, term in self.terms.items()
            if term.objective.additive
            for part, weight in _named(name, term.objective.weights(batch)).items()
        }

    def forward(
        self,
        prediction: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        embedding: Tensor,
        gather: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] | None = None,
    ) -> Parts:
        """prediction {head: (N, ...)}, batch, embedding (N, D, T) -> {part: (sum (), weight ())}.

        gather: joins the rows of all processes, for terms that are not additive.
        """
        everyone = None
        parts: Parts = {}
        for name, term in self.terms.items():
            if term.objective.additive or gather is None:
                made = term.objective(prediction, batch, embedding)
            else:
                if everyone is None:
                    everyone = (gather(prediction), gather(batch), gather({"embedding": embedding})["embedding"])
                made = term.objective(*everyone)
            parts.update(_named(name, made))
        return parts

    def coefficient(self, part: str) -> float:
        """The factor of a part."""
        return self._term(part).coefficient

    def is_additive(self, part: str) -> bool:
        """Whether a part's sum and weight may be added over micro-batches and processes."""
        return self._term(part).objective.additive

    def is_main(self, part: str) -> bool:
        """Whether a part fits a head to its target."""
        return self._term(part).is_main

    def _term(self, part: str) -> Term:
        return self.terms[part if part in self.terms else part.rpartition("/")[0]]


def _named(name: str, parts: Mapping) -> dict:
    if len(parts) == 1:
        return {name: next(iter(parts.values()))}
    return {f"{name}/{part}": value for part, value in parts.items()}


def _key(name: str) -> str:
    """A module name may hold no dot."""
    return name.replace(".", "_")
