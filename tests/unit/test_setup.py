"""What `make` sets up: which Python counts, and locks that say exactly what is installed."""

import os
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

from tests.home import ROOT

PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)( ; [^\\]+)? \\$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def _chosen(home: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Ask the setup which Python it would use, with only these folders to look in."""
    environment = {"HOME": str(home), "PATH": f"{path}:{home / 'tools'}"}
    tools = home / "tools"
    tools.mkdir(exist_ok=True)
    for name in ("dirname", "cat", "cksum", "tr", "grep"):
        if not (tools / name).exists():
            (tools / name).symlink_to(f"/usr/bin/{name}")
    command = ["/bin/sh", str(ROOT / "local/setup.sh"), "python"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    for name in ("home", "bin"):
        (tmp_path / name).mkdir()
    return tmp_path / "home", tmp_path / "bin"


def test_a_dead_shim_does_not_count(places: tuple[Path, Path]) -> None:
    home, path = places
    _script(path / "python3.13", "echo 'pyenv: python3.13: command not found' >&2; exit 127")
    (path / "python3.11").symlink_to(sys.executable)
    assert _chosen(home, path).stdout.strip() == str(path / "python3.11")


def test_a_newer_one_in_pyenv_is_preferred_to_an_older_one_on_the_path(places: tuple[Path, Path]) -> None:
    home, path = places
    _script(path / "python3.13", "exit 127")
    (path / "python3.12").symlink_to(sys.executable)
    _script(home / ".pyenv/versions/3.13.1/bin/python3.13", "exit 0")
    assert _chosen(home, path).stdout.strip() == str(home / ".pyenv/versions/3.13.1/bin/python3.13")


def test_the_path_comes_first(places: tuple[Path, Path]) -> None:
    home, path = places
    (path / "python3.13").symlink_to(sys.executable)
    _script(home / ".pyenv/versions/3.13.1/bin/python3.13", "exit 0")
    assert _chosen(home, path).stdout.strip() == str(path / "python3.13")


def test_none_is_a_sentence(places: tuple[Path, Path]) -> None:
    home, path = places
    _script(path / "python3", "exit 1")
    done = _chosen(home, path)
    assert done.returncode == 1
    assert "no Python 3.11 or newer was found" in done.stderr


def test_an_unknown_word_is_a_sentence() -> None:
    done = subprocess.run(["/bin/sh", str(ROOT / "local/setup.sh"), "x"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "setup: say demo, all, dvc, ministack or python, not 'x'\n")


def _pins(name: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for package, version, marker in PIN.findall((ROOT / name).read_text()):
        pins.setdefault(package, set()).add(version + (marker or ""))
    return pins


def test_the_demos_lock_is_a_part_of_the_whole() -> None:
    whole, demo = _pins("requirements.txt"), _pins("requirements/demo.txt")
    assert 50 < len(demo) < len(whole)
    assert {
        name
        for name, versions in demo.items()
        if not {v.split(" ;")[0] for v in versions} <= {v.split(" ;")[0] for v in whole[name]}
    } == set()


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("requirements.txt", 80),
        ("requirements/demo.txt", 80),
        ("requirements/dvc.txt", 80),
        ("requirements/ministack.txt", 10),
    ],
)
def test_every_pin_has_hashes_and_no_place(name: str, least: int) -> None:
    text = (ROOT / name).read_text()
    pins = PIN.findall(text)
    assert len(HASH.findall(text)) >= len(pins) > least
    assert "://" not in text
    assert "index-url" not in text


def test_the_build_backend_is_in_both_locks() -> None:
    for name in ("requirements.txt", "requirements/demo.txt"):
        assert {"hatchling", "editables"} <= set(_pins(name))


@pytest.mark.parametrize(("tool", "packages"), [("dvc", {"dvc", "dvc-s3"}), ("ministack", {"ministack"})])
def test_a_tool_stands_in_its_own_lock_alone(tool: str, packages: set[str]) -> None:
    assert packages <= set(_pins(f"requirements/{tool}.txt"))
    assert not packages & set(_pins("requirements.txt"))
    installed = {path.name for path in Path(sys.prefix).glob(f"lib/python*/site-packages/{tool}*")}
    assert installed == set()


def test_every_lock_is_made_by_make_lock() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\nlock:")[2].partition("\n\n")[0]
    for lock in ("requirements.txt", *(f"requirements/{name}.txt" for name in ("demo", "dvc", "ministack"))):
        assert f"-o {lock}" in recipe


def test_no_package_of_ministacks_is_under_a_licence_that_spreads() -> None:
    """Read from what is installed: a package says its licence itself."""
    folders = list((ROOT / ".tools/ministack").glob("lib/python*/site-packages"))
    said = {d.name.lower(): _licence(d) for d in distributions(path=[str(folder) for folder in folders])}
    assert set(said) == set(_pins("requirements/ministack.txt"))
    assert all(text for text in said.values())
    assert {name for name, text in said.items() if re.search(r"A?GPL|Affero|GNU", text)} == set()


def _licence(package: Distribution) -> str:
    metadata = package.metadata
    told = [*metadata.get_all("License-Expression", []), *metadata.get_all("License", [])]
    classifiers = [text for text in metadata.get_all("Classifier", []) if text.startswith("License")]
    return " ".join([*told, *classifiers])


def test_the_required_packages_are_locked() -> None:
    required = {
        "aws-cdk-lib",
        "aws-lambda-powertools",
        "boto3",
        "fastapi",
        "locust",
        "mangum",
        "mlflow",
        "moto",
        "onnxruntime",
        "pg8000",
        "pydantic",
        "pytest",
        "redis",
        "sagemaker",
        "scikit-learn",
    }
    assert required <= set(_pins("requirements.txt"))


@pytest.mark.parametrize("what", ["demo", "dvc", "ministack", "all"])
def test_a_second_setup_installs_nothing(tmp_path: Path, what: str) -> None:
    """With a uv that always fails, a setup that is complete still succeeds, and says nothing."""
    _script(tmp_path / "uv", "exit 99")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["/bin/sh", str(ROOT / "local/setup.sh"), what]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def _copy_of_the_setup(folder: Path, tool: str) -> Path:
    for name in ("local/setup.sh", f"requirements/{tool}.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def _set_up(folder: Path, tool: str, uv: str) -> subprocess.CompletedProcess[str]:
    """Set a tool up in a copy, with a uv that does as it is told."""
    _script(folder / "bin" / "uv", f'[ "$1" = --version ] && exit 0\necho "$*" >> {folder}/asked\n{uv}')
    environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    command = ["/bin/sh", str(folder / "local/setup.sh"), tool]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("tool", ["dvc", "ministack"])
def test_a_tool_is_set_up_again_when_its_lock_changes_or_it_stayed_half_done(tmp_path: Path, tool: str) -> None:
    folder = _copy_of_the_setup(tmp_path, tool)
    home = f"{folder}/.tools/{tool}/bin"
    python = f"mkdir -p {home} && ln -sf {sys.executable} {home}/python"
    assert _set_up(folder, tool, f'{python}; [ "$1" = venv ]').returncode == 1
    assert _set_up(folder, tool, python).returncode == 0
    asked = (folder / "asked").read_text().splitlines()
    assert [line.split()[0] for line in asked] == ["venv", "pip"] * 2
    assert "--require-hashes" in asked[1]
    assert asked[1].endswith(f"requirements/{tool}.txt")
    assert _set_up(folder, tool, "exit 99").returncode == 0
    with (folder / f"requirements/{tool}.txt").open("a") as lock:
        lock.write("# changed\n")
    assert _set_up(folder, tool, "exit 99").returncode == 99


def test_all_sets_every_tool_up(tmp_path: Path) -> None:
    """What is missing beside a whole main environment is installed, tool by tool."""
    folder = _copy_of_the_setup(tmp_path, "dvc")
    for name in ("requirements/ministack.txt", "requirements.txt", "pyproject.toml", "layers/ebb/pyproject.toml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    python = f'mkdir -p "$last/bin" && ln -sf {sys.executable} "$last/bin/python"'
    done = _set_up(folder, "all", f'[ "$1" = venv ] && for last; do :; done && {python}; exit 0')
    assert done.returncode == 0, done.stderr
    asked = [line for line in (folder / "asked").read_text().splitlines() if line.startswith("venv")]
    assert [line.split()[-1] for line in asked] == [".venv", ".tools/dvc", ".tools/ministack"]
    again = _set_up(folder, "ministack", "exit 99")
    assert (again.returncode, again.stderr) == (0, "")
