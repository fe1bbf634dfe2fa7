"""From a fitted model to one ONNX graph, proved equal to it on rows made to find a difference."""

from training.export.graph import export

__all__ = ["export"]
