"""What each of torch's operators costs, by two ways of counting.

* Multiply-accumulates: convolutions and products of matrices, bias left out; all else costs nothing. This is the
  convention of the literature, and of torch's own counter (which doubles it).
* The paper's operations (Canziani, Paszke, Culurciello 2016, by torch-opCounter): a multiply-accumulate is two, a bias
  one an output, an activation or an addition one an element, a pooling its kernel's size an output. Normalisation,
  concatenation, padding and moving of data cost nothing.

Operators have the names that torch dispatches, without the underscore of those that work in place.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What one call of an operator costs."""

    macs: int = 0
    """Multiply-accumulates."""
    ops_paper: int = 0
    """Operations as the paper counts them."""

    def __add__(self, other: "Work") -> "Work":
        return Work(macs=self.macs + other.macs, ops_paper=self.ops_paper + other.ops_paper)


NOTHING = Work()

Rule = Callable[[tuple[Any, ...], Tensor], Work]
"""Takes an operator's arguments and its first output."""


def _convolution(arguments: tuple[Any, ...], output: Tensor) -> Work:
    values, weight, bias, transposed = arguments[0], arguments[1], arguments[2], arguments[6]
    # The weights of an output channel make one output; transposed, those of an input channel take one input.
    places = values.numel() if transposed else output.numel()
    return _products(places * weight[0].numel(), biases=0 if bias is None else output.numel())


def _product(left: int) -> Rule:
    """Return the rule of a product of matrices, the argument of this index being the left one."""

    def rule(arguments: tuple[Any, ...], output: Tensor) -> Work:
        # The first argument of those that have one before is what is added: a bias.
        return _products(output.numel() * arguments[left].shape[-1], biases=left * output.numel())

    return rule


def _products(macs: int, *, biases: int) -> Work:
    return Work(macs=macs, ops_paper=2 * macs + biases)


def _each_output(_arguments: tuple[Any, ...], output: Tensor) -> Work:
    return Work(ops_paper=output.numel())


def _each_input(arguments: tuple[Any, ...], _output: Tensor) -> Work:
    return Work(ops_paper=arguments[0].numel())


def _pooling(arguments: tuple[Any, ...], output: Tensor) -> Work:
    """A kernel of one number is that long in each of the dimensions that the operator pools over."""
    kernel = arguments[1]
    return Work(ops_paper=output.numel() * math.prod(kernel))


def _nothing(_arguments: tuple[Any, ...], _output: Tensor) -> Work:
    return NOTHING


_ACTIVATIONS = """
relu _prelu_kernel prelu leaky_relu rrelu elu celu selu gelu silu mish sigmoid log_sigmoid_forward tanh hardtanh
hardswish hardsigmoid softplus threshold clamp clamp_min clamp_max _softmax _safe_softmax _log_softmax
"""
_ARITHMETIC = """
add sub rsub mul div neg abs sign exp log sqrt rsqrt pow reciprocal square sin cos erf maximum minimum where eq ne lt
le gt ge
"""
_REDUCTIONS = """
mean sum amax amin _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d
"""
_NORMALISATIONS = """
native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm native_layer_norm
native_group_norm
"""
_MOVES = """
cat stack clone copy _to_copy _unsafe_view unsafe_split unsafe_chunk lift_fresh constant_pad_nd reflection_pad1d
reflection_pad2d replication_pad2d embedding index index_select gather roll flip channel_shuffle native_channel_shuffle
pixel_shuffle upsample_nearest2d
"""
_CREATIONS = """
empty empty_like new_empty zeros zeros_like new_zeros ones ones_like full full_like fill arange scalar_tensor
"""
_RULES: tuple[tuple[Rule, str], ...] = (
    (_convolution, "convolution"),
    (_product(0), "mm bmm mv dot"),
    (_product(1), "addmm baddbmm addmv"),
    (_each_output, _ACTIVATIONS),
    (_each_output, _ARITHMETIC),
    (_each_input, _REDUCTIONS),
    (_pooling, "avg_pool2d avg_pool3d max_pool2d_with_indices max_pool3d_with_indices"),
    (_nothing, _NORMALISATIONS),
    (_nothing, _MOVES),
    (_nothing, _CREATIONS),
)
_BY_OPERATOR = {name: rule for rule, names in _RULES for name in names.split()}


def operator_work(name: str, arguments: tuple[Any, ...], output: Tensor) -> Work | None:
    """Return what a call of an operator costs; None where there is no rule for it.

    Views of a tensor, which move nothing, are not asked about.
    """
    rule = _BY_OPERATOR.get(name.rstrip("_"))
    return None if rule is None else rule(arguments, output)
