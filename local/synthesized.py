"""The templates of a stage, synthesized in a process of their own: offline, and without the CDK's command line."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ebb.errors import EbbError

_ROOT = Path(__file__).resolve().parents[1]
_SECONDS = 300

CDK = "npx aws-cdk@2.1148.1"
"""The command line that goes with this CDK; what npm calls the latest refuses it."""


class NotSynthesized(EbbError):
    """The templates of a stage could not be made."""


@contextmanager
def synthesized(stage: str, root: Path = _ROOT) -> Iterator[Path]:
    """Lend the folder of a stage's templates; it is gone afterwards.

    Args:
        stage: its name.
        root: the checkout, whose `cdk.json` says what `cdk` would be told.

    Raises:
        NotSynthesized: the stage is not known or its values cannot work, Node is absent, or a rule is broken.
    """
    with tempfile.TemporaryDirectory(prefix="ebb-cdk-") as folder:
        context = {**json.loads((root / "cdk.json").read_text())["context"], "stage": stage}
        told = {**os.environ, "CDK_OUTDIR": folder, "CDK_CONTEXT_JSON": json.dumps(context)}
        done = _run(root, told)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no word of why"]
            told_by_us = [line.removeprefix("cdk: ") for line in lines if line.startswith("cdk: ")]
            raise NotSynthesized(f"the templates of {stage!r} cannot be made: {(told_by_us or lines)[-1].strip()}")
        yield Path(folder)


def _run(root: Path, told: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            [sys.executable, "-m", "cdk.app"],
            cwd=root,
            env=told,
            text=True,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotSynthesized(
            f"the templates were not made within {_SECONDS} s: is the machine busy? Try again"
        ) from None
