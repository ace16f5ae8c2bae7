"""Wherever a tensor stands in a file, it may not lie outside."""

import pytest
from onnx import GraphProto, ModelProto, SparseTensorProto, TensorProto, helper

from biometrics.face.plugins.self_contained import check_self_contained
from biometrics.face.weights import WeightsError
from tests.unit.biometrics.face.plugins.conftest import network


def outside() -> TensorProto:
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="outside.bin")
    return tensor


def model_with(*, graph: GraphProto) -> ModelProto:
    return ModelProto(ir_version=8, graph=graph)


def graph_with_attribute(**attributes: object) -> GraphProto:
    node = helper.make_node("Constant", [], ["y"])
    node.attribute.extend(helper.make_attribute(*item) for item in attributes.items())
    return GraphProto(name="g", node=[node])


SPARSE = SparseTensorProto(values=outside(), dims=[9])
INNER = GraphProto(name="inner", initializer=[outside()])
FUNCTION = helper.make_function(
    "own", "f", [], ["y"], [helper.make_node("Constant", [], ["y"], value=outside())], []
)


@pytest.mark.parametrize(
    "model",
    [
        model_with(graph=GraphProto(initializer=[outside()])),
        model_with(graph=GraphProto(sparse_initializer=[SPARSE])),
        model_with(graph=graph_with_attribute(value=outside())),
        model_with(graph=graph_with_attribute(values=[outside()])),
        model_with(graph=graph_with_attribute(sparse_value=SPARSE)),
        model_with(graph=graph_with_attribute(body=INNER)),
        model_with(graph=graph_with_attribute(bodies=[INNER])),
        model_with(graph=graph_with_attribute(body=graph_with_attribute(body=INNER))),
        ModelProto(functions=[FUNCTION]),
    ],
    ids=[
        "initializer",
        "sparse initializer",
        "attribute",
        "attributes",
        "sparse attribute",
        "subgraph",
        "subgraphs",
        "subgraph of a subgraph",
        "function",
    ],
)
def test_a_tensor_that_lies_outside_is_found_wherever_it_stands(model: ModelProto) -> None:
    with pytest.raises(WeightsError, match=r"own\.onnx keeps weights in other files"):
        check_self_contained(model.SerializeToString(), name="own.onnx")


def test_a_whole_network_is_good_and_what_is_no_network_is_not() -> None:
    check_self_contained(network(), name="own.onnx")
    with pytest.raises(WeightsError, match="no ONNX network"):
        check_self_contained(b"not a network", name="own.onnx")
