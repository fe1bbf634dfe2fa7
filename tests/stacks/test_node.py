"""The machine's own Node where it is new enough, else the wheel's."""

import subprocess
from pathlib import Path

import pytest

from cdk import node
from cdk.node import NoNode, node_variables

SILENT = "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"


def path_with(folder: Path, script: str | None, mode: int = 0o755) -> dict[str, str]:
    """Return an environment whose PATH holds one program called node."""
    if script is not None:
        program = folder / "node"
        program.write_text(script)
        program.chmod(mode)
    return {"PATH": str(folder)}


def said(version: str) -> str:
    """Return a program that says a version."""
    return f"#!/bin/sh\necho {version}\n"


@pytest.mark.parametrize("version", ["v20.0.0", "v24.19.0", "v100.1.2"])
def test_the_machines_own_is_taken(tmp_path: Path, version: str) -> None:
    assert node_variables(path_with(tmp_path, said(version))) == {SILENT: "20"}


@pytest.mark.parametrize(
    "script",
    [None, said("v18.20.1"), said("v8.1.0"), said("nonsense"), "#!/bin/sh\nexit 1\n", "#!/no/such/program\n", "\x00"],
)
def test_the_wheels_is_taken_where_there_is_none_new_enough(tmp_path: Path, script: str | None) -> None:
    chosen = Path(node_variables(path_with(tmp_path, script))["JSII_NODE"])
    answer = subprocess.run([chosen, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert int(answer.stdout.removeprefix("v").split(".")[0]) >= node.LEAST


def test_without_a_path_there_is_the_wheels() -> None:
    assert Path(node_variables({})["JSII_NODE"]).is_file()


def test_what_somebody_chose_stays() -> None:
    assert node_variables({"JSII_NODE": "/my/node", SILENT: "1"}) == {}


def test_no_node_at_all_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "_PACKAGE", "no_wheel_of_this_name")
    with pytest.raises(NoNode, match=r"needs Node 20 or newer.*make setup"):
        node_variables(path_with(tmp_path, said("v18.0.0")))
