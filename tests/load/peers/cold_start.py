"""Cold start of the prediction function against what it cannot do without: importing ONNX Runtime and redis.

Both run in fresh processes, in turns, from the same bytecode: every module that either imports, the standard
library's among them, is compiled into a folder of its own (PYTHONPYCACHEPREFIX) with `--invalidation-mode
unchecked-hash`, as a Lambda package has it, where time stamps would be rejected. The release lies on the local disk.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ebb.errors import Unavailable
from tests.fakes.events import event
from tests.home import ROOT
from tests.load.figures import Figure
from tests.load.peers.handler_process import PREDICT

RATIO = 1.6
RUNS = 15
_NOISE = 1.1
_IMPORTS = "import os; os.environ['ORT_DISABLE_TELEMETRY'] = '1'; import onnxruntime, redis"
_ANSWER = """\
import json, sys
from lambdas.predict.handler import handle
class Context:
    aws_request_id = function_name = "predict"
    def get_remaining_time_in_millis(self): return 10_000
answer = handle(json.loads(sys.argv[1]), Context())
if answer["statusCode"] != 200: sys.exit(str(answer))
"""
_COMPILE = """
import importlib.util, py_compile
for module in list(sys.modules.values()):
    source = getattr(module, "__file__", None) or ""
    if source.endswith(".py"):
        py_compile.compile(source, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
"""


@dataclass(frozen=True)
class Took:
    """One process from its start to its end: seconds on the clock, and CPU seconds."""

    wall: float
    cpu: float


def cold_start_figures(environment: Mapping[str, str], entity: str, runs: int = RUNS) -> list[Figure]:
    """Measure fresh processes in turns.

    Args:
        environment: of the function, with its servers up.
        entity: whose prediction is the first answer.
        runs: of each kind.
    """
    request = json.dumps(event(PREDICT, json.dumps({"entity_id": entity}).encode()))
    answer, imports = (_ANSWER, request), (_IMPORTS,)
    with tempfile.TemporaryDirectory(prefix="ebb-bench-") as folder:
        variables = {**_inherited(), **environment, "PYTHONPYCACHEPREFIX": folder}
        for code, *arguments in (answer, imports):
            _run(f"import sys\n{code}\n{_COMPILE}", arguments, variables)
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        pairs = [(_run(*_split(answer), variables), _run(*_split(imports), variables)) for _ in range(runs)]
    wall = median(ours.wall for ours, _ in pairs), median(theirs.wall for _, theirs in pairs)
    cpu = median(ours.cpu for ours, _ in pairs), median(theirs.cpu for _, theirs in pairs)
    how = f"fresh processes in turns, median of {runs}, unchecked-hash bytecode, release on the local disk"
    return [
        Figure("cold start of predict against importing `onnxruntime` and `redis`", "x", wall[0] / wall[1], RATIO, how),
        # What others do on the cores stretches the longer process more; CPU does not know of them.
        Figure("the same, CPU against CPU", "x", cpu[0] / cpu[1], RATIO, how, tolerated=_NOISE),
        Figure("cold start of predict to the end of the first answer", "ms", wall[0] * 1e3, None, how),
        Figure("importing `onnxruntime` and `redis` alone", "ms", wall[1] * 1e3, None, how),
    ]


def _split(command: Sequence[str]) -> tuple[str, Sequence[str]]:
    return command[0], command[1:]


def _run(code: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Took:
    """Run a piece of Python in a fresh process.

    Raises:
        Unavailable: it failed; carries its last words.
    """
    command = [sys.executable, "-c", code, *arguments]
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=dict(variables), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        took = Took(time.perf_counter() - start, usage.ru_utime + usage.ru_stime)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unavailable(f"a cold start failed: {said.decode(errors='replace')[-800:]}")
    return took


def _inherited() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("EBB_", "PYTHON"))}
    return {**inherited, "OMP_NUM_THREADS": "1"}
