"""The contract as functions: each measures what a component promises and says which promises it breaks.

    from zoo.testing import check_encoder, failures

    def test_the_encoder_keeps_its_promises():
        assert not failures(check_encoder(MyEncoder))

`zoo check TARGET` runs the same functions.
"""

from zoo.testing.component import check_component
from zoo.testing.encoder import check_encoder
from zoo.testing.head import check_head
from zoo.testing.interpreter import check_interpreter
from zoo.testing.model import check_model
from zoo.testing.objective import check_objective
from zoo.testing.plugin import as_if_installed, check_plugin
from zoo.testing.report import Check, failures
from zoo.testing.source import check_source

__all__ = [
    "Check",
    "as_if_installed",
    "check_component",
    "check_encoder",
    "check_head",
    "check_interpreter",
    "check_model",
    "check_objective",
    "check_plugin",
    "check_source",
    "failures",
]
