"""Refuse a network whose file is not the whole of it.

Owns the search of an ONNX file for weights that lie elsewhere. Refuses to know how it is run.
"""

import onnx
from google.protobuf.message import DecodeError, Message

from biometrics.face.weights import WeightsError


def check_self_contained(weights: bytes, *, name: str) -> None:
    """Refuse an ONNX file that keeps tensors in other files.

    The digest of the file would not cover them, and onnxruntime reads them from wherever the
    process happens to stand.

    Args:
        weights: The ONNX file.
        name: Its name, for the message.

    Raises:
        WeightsError: It is no ONNX, or keeps tensors in other files.
    """
    try:
        model = onnx.ModelProto.FromString(weights)
    except DecodeError as error:
        raise WeightsError(f"{name} is no ONNX network that can be run") from error
    # Every message, wherever it stands: initializers, sparse ones, attributes, subgraphs and
    # functions. onnx's own iterators pass over sparse tensors.
    messages: list[Message] = [model]
    while messages:
        message = messages.pop()
        if isinstance(message, onnx.TensorProto):
            if message.data_location == onnx.TensorProto.EXTERNAL:
                raise WeightsError(f"{name} keeps weights in other files, which no digest covers")
            continue
        for field, value in message.ListFields():
            if field.message_type is not None:
                messages.extend([value] if isinstance(value, Message) else value)
