"""ONNX counting: parameters and multiply-accumulates of a graph of ONNX, from its initialisers and operators alone.

Nothing is taken from torch's count or from the catalogue: it is what shows that an export is the network it should be.
"""

import math
from dataclasses import dataclass

from onnx import ModelProto, NodeProto, TensorProto, shape_inference

from runners.errors import WorkloadError
from runners.networks.catalogue import NetworkSpec

_LEARNT = {
    "Conv": (1, 2),
    "Gemm": (1, 2),
    "MatMul": (0, 1),
    "Add": (0, 1),
    "BatchNormalization": (1, 2),  # scale and bias; mean and variance are counted by no training
    "PRelu": (1,),
}
"""Inputs that training changes, of each operator that has any."""
_SAME_NUMBERS = {"Identity", "Reshape", "Transpose", "Unsqueeze"}
"""Operators through which weights may pass on the way to where they are used."""
_FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}
_COUNTED = {"Conv", "Gemm", "MatMul"}

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxCounts:
    """Size of a graph, for one image."""

    params: int
    """Numbers that training changes."""
    macs: int
    """Multiply-accumulates of convolutions and products of matrices, bias left out."""


def count_onnx(model: ModelProto) -> OnnxCounts:
    """Return the size of a graph; raise WorkloadError where a shape that it needs does not follow from the graph."""
    shapes = _shapes(model)
    return OnnxCounts(params=_params(model), macs=sum(_macs(node, shapes) for node in model.graph.node))


def check_counts(model: ModelProto, spec: NetworkSpec) -> None:
    """Raise WorkloadError where a graph has not the size of a network of the catalogue."""
    found = count_onnx(model)
    if (found.params, found.macs) != (spec.params, spec.macs):
        raise WorkloadError(
            f"the exported graph is not {spec.name}: it has {found.params:,} parameters and {found.macs:,} "
            f"multiply-accumulates, the network {spec.params:,} and {spec.macs:,}"
        )


def _params(model: ModelProto) -> int:
    sizes = {one.name: math.prod(one.dims) for one in model.graph.initializer if one.data_type in _FLOATS and one.dims}
    before = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type in _SAME_NUMBERS}
    learnt = {
        before.get(node.input[place], node.input[place])
        for node in model.graph.node
        for place in _LEARNT.get(node.op_type, ())
        if place < len(node.input)
    }
    return sum(sizes.get(name, 0) for name in learnt)


def _shapes(model: ModelProto) -> Shapes:
    """Return the shape of each value for a batch of one image, as far as it follows."""
    one_image = ModelProto()
    one_image.CopyFrom(model)
    for value in one_image.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = 1
    inferred = shape_inference.infer_shapes(one_image, data_prop=True).graph
    shapes: Shapes = {one.name: tuple(one.dims) for one in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        dims = value.type.tensor_type.shape.dim
        if all(dim.HasField("dim_value") for dim in dims):
            shapes[value.name] = tuple(dim.dim_value for dim in dims)
    return shapes


def _macs(node: NodeProto, shapes: Shapes) -> int:
    if node.op_type not in _COUNTED:
        return 0
    left, right, result = (shapes.get(name) for name in (node.input[0], node.input[1], node.output[0]))
    if left is None or right is None or result is None:
        raise WorkloadError(f"ONNX graph: the shapes at {node.op_type} {node.name} do not follow from the graph")
    if node.op_type == "Conv":
        return math.prod(result) * math.prod(right[1:])  # each output: channels of its group, times the kernel
    transposed = any(one.name == "transA" and one.i for one in node.attribute)
    return math.prod(result) * left[-2 if transposed else -1]
