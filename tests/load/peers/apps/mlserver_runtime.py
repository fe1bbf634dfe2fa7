"""MLServer's runtime around the graph, in the V2 inference protocol."""

import numpy as np
from graph import Graph  # type: ignore[import-not-found]  # a neighbour on the peer's path
from mlserver import MLModel  # type: ignore[import-not-found]  # of the peer's environment
from mlserver.codecs import NumpyCodec, StringCodec  # type: ignore[import-not-found]
from mlserver.types import InferenceRequest, InferenceResponse  # type: ignore[import-not-found]


class OnnxRuntime(MLModel):  # type: ignore[misc]
    """Scores `numbers` (FP32) and `categories` (BYTES)."""

    async def load(self) -> bool:
        """Load the graph."""
        self._graph = Graph()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Score one request."""
        numbers, categories = payload.inputs
        texts = np.array([StringCodec.decode_input(categories)], object)
        scores = self._graph.run(NumpyCodec.decode_input(numbers).astype(np.float32), texts)
        outputs = [NumpyCodec.encode_output("probability", scores)]
        return InferenceResponse(model_name=self.name, outputs=outputs)
