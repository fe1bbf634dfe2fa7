"""Save the graph as an MLflow model of the ONNX flavour: `python save_mlflow.py GRAPH NUMBERS CATEGORIES FOLDER`."""

import sys

import mlflow.onnx
import numpy as np
import onnx
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec


def main(graph: str, numbers: str, categories: str, folder: str) -> None:
    """Save a graph with so many inputs of each kind into a folder."""
    columns = [
        TensorSpec(np.dtype(np.float32), (-1, int(numbers)), "numbers"),
        TensorSpec(np.dtype(object), (-1, int(categories)), "categories"),
    ]
    mlflow.onnx.save_model(
        onnx.load(graph),
        folder,
        signature=ModelSignature(inputs=Schema(columns)),
        onnx_execution_providers=["CPUExecutionProvider"],
        onnx_session_options={"intra_op_num_threads": 1, "inter_op_num_threads": 1},
        save_as_external_data=False,
        pip_requirements=["onnxruntime"],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
