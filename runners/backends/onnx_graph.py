"""ONNX graph: a network of torch as a graph of ONNX, its weights named and not in it.

The exporter is torch's older one, by tracing: each version of torch that this project runs on has it, it needs no
further package, and it is several times faster than the newer. Batch normalisations stay as they are, so that the
graph's parameters can be counted; ONNX Runtime folds them when it loads the graph.
"""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator
from torch import nn

OPSET = 17
"""Version of ONNX's operators: ONNX Runtime has it since 1.12, and torch's exporter since 1.13."""
IMAGES, SCORES, BATCH = "images", "scores", "batch"
"""Names of the graph's input and output, and of their first dimension."""


def exported_graph(network: nn.Module, *, input_px: int) -> ModelProto:
    """Return a network's graph for any batch size; its initialisers have name, type and shape, and no values."""
    weights = network.state_dict()
    model = onnx.load_from_string(_export(network, input_px))
    _skip_identities(model, set(weights))
    _fold_constants(model)
    used = {name for node in model.graph.node for name in node.input}
    del model.graph.input[1:]
    for name, value in weights.items():
        if name in used:
            kind = helper.np_dtype_to_tensor_dtype(np.dtype(str(value.dtype).removeprefix("torch.")))
            model.graph.initializer.append(TensorProto(name=name, data_type=kind, dims=value.shape))
    return model


def _export(network: nn.Module, input_px: int) -> bytes:
    dtype = next(network.parameters()).dtype
    written = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is called outdated, and says what it does not fold, for every operator
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, input_px, input_px, dtype=dtype),),
            written,  # type: ignore[arg-type]  # only the newer exporter wants a path
            dynamo=False,
            export_params=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # a network in evaluation; EVAL would fold normalisations
            do_constant_folding=False,
            opset_version=OPSET,
            input_names=[IMAGES],
            output_names=[SCORES],
            dynamic_axes={IMAGES: {0: BATCH}, SCORES: {0: BATCH}},
        )
    return written.getvalue()


def _skip_identities(model: ModelProto, weights: set[str]) -> None:
    """Give each tensor of weights its own name: of those that are equal the exporter makes one, and copies of it."""
    copies = [node for node in model.graph.node if node.op_type == "Identity" and node.output[0] in weights]
    for node in copies:
        model.graph.node.remove(node)


def _fold_constants(model: ModelProto) -> None:
    """Compute beforehand what depends neither on images nor on weights, such as the margins of a padding.

    Sizes that it depends on follow from the shapes before it, and shapes after it follow from it, and so on.
    """
    while _fold_once(model):
        pass
    used = {name for node in model.graph.node for name in node.input} | {one.name for one in model.graph.output}
    _replace_nodes(model, [node for node in model.graph.node if used & set(node.output)])


def _fold_once(model: ModelProto) -> bool:
    """Replace what can be computed by now by its values, and return whether there was anything."""
    known = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    sizes = _sizes(model)
    folded: dict[str, NDArray[Any]] = {}
    kept: list[NodeProto] = []
    for node in model.graph.node:
        values: Sequence[Any]
        if node.op_type == "Constant":
            values = [numpy_helper.to_array(node.attribute[0].t)]
        elif node.input and all(name in known for name in node.input if name):
            values = list(ReferenceEvaluator(node).run(None, {name: known[name] for name in node.input if name}))
        elif node.op_type == "Gather" and node.input[0] in sizes and (size := _picked(node, sizes, known)) is not None:
            values = [np.int64(size)]
        else:
            kept.append(node)
            continue
        folded |= dict(zip(node.output, values, strict=True))
        known |= folded
    _replace_nodes(model, kept)
    model.graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in folded.items())
    return bool(folded)


def _replace_nodes(model: ModelProto, nodes: list[NodeProto]) -> None:
    """Have a graph consist of these of its nodes, and of no constants that none of them takes."""
    kept = [NodeProto.FromString(node.SerializeToString()) for node in nodes]
    used = {name for node in kept for name in node.input}
    constants = [one for one in model.graph.initializer if one.name in used]
    constants = [TensorProto.FromString(one.SerializeToString()) for one in constants]
    del model.graph.node[:]
    del model.graph.initializer[:]
    model.graph.node.extend(kept)
    model.graph.initializer.extend(constants)


def _sizes(model: ModelProto) -> dict[str, list[int | None]]:
    """Return the outputs of all Shape operators, as far as they are known; None for each size that is not."""
    inferred = shape_inference.infer_shapes(model).graph
    dims = {value.name: value.type.tensor_type.shape.dim for value in (*inferred.input, *inferred.value_info)}
    return {
        node.output[0]: [dim.dim_value if dim.HasField("dim_value") else None for dim in dims[node.input[0]]]
        for node in model.graph.node
        if node.op_type == "Shape" and node.input[0] in dims
    }


def _picked(node: NodeProto, sizes: dict[str, list[int | None]], known: dict[str, NDArray[Any]]) -> int | None:
    """Return the size that a Gather picks; None where it is open, or which one it picks is."""
    where = known.get(node.input[1])
    return None if where is None or where.ndim else sizes[node.input[0]][int(where)]
