"""A stand-in for CDK's command line: deploys an assembly's templates to whatever CloudFormation the environment names.

Run as `python cdk_command.py deploy --all --app FOLDER ...`, by EBB_CDK. It prints what the real one prints with
`--progress events`. What it does besides, a file named by STAND_IN says: {"fail": STACK} updates that stack and exits
with 1; {"hold": FILE} writes its pid there, and waits until it is ended.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

STAND_IN = "EBB_TEST_CDK"
_SECONDS = 60


def main(arguments: list[str]) -> int:
    """Deploy every stack of the assembly, one after the other."""
    if arguments[0] != "deploy" or "--all" not in arguments:
        return 64
    folder, told = Path(arguments[arguments.index("--app") + 1]), _told()
    if "hold" in told:
        _hold(Path(told["hold"]))
    import boto3  # noqa: PLC0415 - takes a moment, in which nobody should wait for the pid

    client = boto3.client("cloudformation")
    for name, artifact in json.loads((folder / "manifest.json").read_text())["artifacts"].items():
        template = (folder / artifact["properties"]["templateFile"]).read_text()
        total = len(json.loads(template)["Resources"])
        _say(name, 0, total, "CREATE_IN_PROGRESS")
        if told.get("fail") == name:
            sys.stdout.write(f"\n ❌  {name} failed: ToolkitError: The stack is in a failed state: UPDATE_FAILED\n")
            return 1
        _deploy(client, name, template)
        _say(name, total, total, "CREATE_COMPLETE")
    return 0


def _told() -> dict[str, Any]:
    path = Path(os.environ.get(STAND_IN, "/nowhere"))
    told: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return told


def _hold(path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    path.with_suffix(".partial").write_text(str(os.getpid()))
    path.with_suffix(".partial").replace(path)
    while True:
        time.sleep(60)


def _say(name: str, done: int, total: int, status: str) -> None:
    sys.stdout.write(f"{name} | {done}/{total} | 12:00:00 PM | {status} | AWS::CloudFormation::Stack | {name}\n")
    sys.stdout.flush()


def _deploy(client: Any, name: str, template: str) -> None:
    from botocore.exceptions import ClientError  # noqa: PLC0415 - as above

    try:
        client.describe_stacks(StackName=name)
    except ClientError:
        client.create_stack(StackName=name, TemplateBody=template)
    else:
        deployed = client.get_template(StackName=name)["TemplateBody"]
        if json.loads(template) == (deployed if isinstance(deployed, dict) else json.loads(deployed)):
            return
        client.update_stack(StackName=name, TemplateBody=template)
    until = time.monotonic() + _SECONDS
    while client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"].endswith("_IN_PROGRESS"):
        if time.monotonic() > until:
            raise TimeoutError(name)
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
