"""How a difference passes through a layer: one small function a kind of call, and one a kind of module.

    @operation("relu", "sigmoid")            a rule for torch calls of these names
    def pointwise(call, x): ...              -> an Operation, or None where it does not apply

    @layer(MyLayer)                          what a module does, said in calls that have rules
    def my_layer(module, x): ...             -> a tensor

A plugin registers either as `registry.add("rule", "mine", "zoo_mine.rules:my_layer")`.
"""

from zoo.effects.engine.rules.operation import Operation, RecordedCall, Value, at_reference, layer, operation, rules

__all__ = ["Operation", "RecordedCall", "Value", "at_reference", "layer", "operation", "rules"]
