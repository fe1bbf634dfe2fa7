"""What the prediction function imports before its first answer: nothing heavy that the hot route does not need."""

import json
import subprocess
import sys

PROBE = """
import json, sys
import lambdas.predict.service, lambdas.predict.bootstrap, lambdas.predict.annotations, ebb.trace
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""
HEAVY = {
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "boto3",
    "botocore",
    "fastapi",
    "mangum",
    "matplotlib",
    "mlflow",
    "pandas",
    "pyarrow",
    "pydantic",
    "scipy",
    "sklearn",
    "starlette",
}


def test_the_hot_route_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert loaded & HEAVY == set()
    assert {"onnxruntime", "redis", "orjson"} <= loaded
