"""What a release's graph takes and answers, as MLflow writes it down in a file `MLmodel`."""

import numpy as np

from ebb.contract import Contract

MLMODEL = "MLmodel"


def mlmodel(contract: Contract, run_id: str, graph: str) -> bytes:
    """Return the file that makes a folder a model which MLflow can load.

    The two inputs are `numbers` float32 [N, n] and `categories` text [N, c]; one that no feature uses is left out. The
    output is the probability of the positive class, float32 [N].

    Args:
        contract: of the release.
        run_id: that it came from.
        graph: name of the ONNX file in the same folder.
    """
    import onnx  # noqa: PLC0415 - only its version
    from mlflow.models import Model  # noqa: PLC0415 - takes seconds
    from mlflow.models.signature import ModelSignature  # noqa: PLC0415
    from mlflow.types.schema import Schema, TensorSpec  # noqa: PLC0415

    single, text = np.dtype(np.float32), np.dtype(np.object_)
    wanted = [("numbers", single, len(contract.numbers)), ("categories", text, len(contract.categories))]
    inputs = Schema([TensorSpec(kind, (-1, width), name) for name, kind, width in wanted if width])
    signature = ModelSignature(inputs, Schema([TensorSpec(single, (-1,), "probability")]))
    flavor = {"onnx_version": onnx.__version__, "data": graph, "code": None}
    made: str = Model(run_id=run_id, signature=signature, flavors={"onnx": flavor}).to_yaml()
    return made.encode()
