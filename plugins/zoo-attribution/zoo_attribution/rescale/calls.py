"""Which rule a recorded call gets."""

from __future__ import annotations

from enum import Enum

from zoo.tracing.graph import Node, refs


class Rule(Enum):
    """How multipliers pass a call; see the package's docstring."""

    LINEAR = "linear"
    ELEMENTWISE = "elementwise"
    MAXIMUM = "maximum"
    PRODUCT = "product"
    PATH = "path"


LINEAR = frozenset(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d linear batch_norm dropout dropout1d feature_dropout "
    "alpha_dropout add sub subtract radd rsub neg negative sum mean cumsum avg_pool1d avg_pool2d adaptive_avg_pool1d "
    "adaptive_avg_pool2d interpolate upsample pad clone contiguous to type type_as float double half reshape view "
    "flatten unflatten permute transpose t swapaxes swapdims movedim moveaxis squeeze unsqueeze expand expand_as "
    "broadcast_to repeat repeat_interleave tile flip fliplr roll chunk split tensor_split unbind narrow select getitem "
    "index_select cat concat concatenate stack hstack vstack item T mT real unfold identity".split()
)
"""Linear in everything that depends on the sequence."""

LINEAR_IN_FIRST = frozenset("div divide true_divide truediv".split())
"""Linear where only the first argument depends on the sequence."""

PRODUCTS = frozenset("mul multiply rmul matmul rmatmul bmm mm mv einsum baddbmm addmm outer dot".split())
"""Linear in each argument alone."""

ELEMENTWISE = frozenset(
    "relu sigmoid tanh exp exp2 expm1 log log1p log2 log10 softplus gelu silu elu selu celu leaky_relu relu6 mish "
    "hardtanh hardsigmoid hardswish hardshrink softshrink softsign tanhshrink logsigmoid sqrt rsqrt square abs erf "
    "sin cos reciprocal clamp clip clamp_min clamp_max pow threshold prelu rtruediv rdiv logit maximum minimum".split()
)
"""One number to one number, at every element alike, where one argument depends on the sequence."""

MAXIMA = frozenset("max_pool1d adaptive_max_pool1d amax max".split())
"""The largest over an axis, or over windows of it; `max` of two values is no such thing."""


def choose_rule(node: Node, dependent: frozenset[int] | set[int]) -> Rule:
    """The rule of a call, some of whose arguments are nodes that depend on the sequence."""
    name = call_name(node)
    single = len(refs((node.arguments, node.keywords)) & dependent) == 1
    if name in LINEAR:
        return Rule.LINEAR
    if name in LINEAR_IN_FIRST:
        return Rule.PATH if refs((node.arguments[1:], node.keywords)) & dependent else Rule.LINEAR
    if name in PRODUCTS:
        return Rule.LINEAR if single and not _is_squared(node) else Rule.PRODUCT
    if name in ELEMENTWISE and single and not _is_squared(node):
        return Rule.ELEMENTWISE
    if name in MAXIMA and single:
        return Rule.MAXIMUM
    return Rule.PATH


def call_name(node: Node) -> str:
    """What the call is, without dunders."""
    return node.name.strip("_").removeprefix("get_")


def _is_squared(node: Node) -> bool:
    """Whether one value is several of the arguments, as in x * x."""
    values = [i for argument in (*node.arguments, *node.keywords.values()) for i in refs(argument)]
    return len(values) != len(set(values))
