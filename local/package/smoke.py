"""Loads the layers and `predict` as unpacked, and scores two rows: run by the Python of the processor in question.

`python3.13 -I -B smoke.py TASK LAYERS` imports every module of `ebb` and `lambdas.predict` that needs no environment
and nothing of Lambda's own runtime, and runs one graph. Standard library only, until the archives are on the path.
"""

import base64
import importlib
import math
import pkgutil
import platform
import sys
from pathlib import Path

_GRAPH = (
    "CAgSADpmChEKAXgKAXcSAXMiBk1hdE11bAoPCgFzEgFwIgdTaWdtb2lkEgFnKhcIAwgBEAEiDAAAAD8AAIC/AAAAQEIBd1oRCgF4EgwKCggBEgYKAAoC"
    "CANiEQoBcBIMCgoIARIGCgAKAggBQgQKABAN"
)
"""An ONNX graph: sigmoid(x @ [0.5, -1, 2])."""

_NOT_HERE = ("ebb.client", "ebb.aws", "ebb.s3", "lambdas.predict.handler")
"""The client needs httpx, `ebb.aws` botocore of Lambda's runtime, the handler an environment."""


def main() -> int:
    """Say what was loaded and scored; 1 where the score is wrong."""
    sys.path[:0] = sys.argv[1:]
    where = "with" if Path("/sys/devices/system/cpu/online").exists() else "without"
    print(f"{platform.machine()}, Python {platform.python_version()}, {where} /sys/devices/system/cpu", flush=True)  # noqa: T201
    modules = [name for package in ("ebb", "lambdas.predict") for name in _modules(package)]
    for name in modules:
        importlib.import_module(name)
    print(f"imported {len(modules)} modules", flush=True)  # noqa: T201
    scores = _score([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])
    wanted = [1 / (1 + math.exp(-4.5)), 0.5]
    print(f"scored {scores}, wanted {wanted}")  # noqa: T201
    return int(max(abs(found - right) for found, right in zip(scores, wanted, strict=True)) > 1e-6)  # noqa: PLR2004


def _modules(package: str) -> list[str]:
    path = importlib.import_module(package).__path__
    found = [module.name for module in pkgutil.walk_packages(path, f"{package}.", onerror=lambda _name: None)]
    return [name for name in found if not name.startswith(_NOT_HERE)]


def _score(rows: list[list[float]]) -> list[float]:
    numpy, onnxruntime = importlib.import_module("numpy"), importlib.import_module("onnxruntime")
    session = onnxruntime.InferenceSession(base64.b64decode(_GRAPH), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": numpy.array(rows, numpy.float32)})
    return [float(value) for value in found.ravel()]


if __name__ == "__main__":
    sys.exit(main())
