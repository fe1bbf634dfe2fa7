"""The parts of packing that need no registry: the zip, slimming, bytecode, the lock, licences, sizes."""

import importlib.util
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

import pytest

from cdk.archives import Entry
from ebb.errors import Unavailable
from local.package.bill import licences
from local.package.bytecode import compile_folder, find_python
from local.package.lock import normalized, read_lock
from local.package.sizes import MIB, sizes
from local.package.slimming import ANYWHERE, FILES, FOLDERS, SUFFIXES, rule_for, slim
from local.package.started import find, run
from local.package.wheels import install_wheels
from local.package.zipping import zip_folder
from tests.home import ROOT

_FILES = {"b/two.py": b"2" * 5000, "a.py": b"1", "b/ä.txt": "ä".encode(), "b/empty": b""}


def _tree(folder: Path, *, seed: int = 0) -> Path:
    names = list(_FILES)
    random.Random(seed).shuffle(names)  # noqa: S311 - an order, no secret
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_FILES[name])
        os.utime(path, (seed + 1, seed + 1))
    return folder


@pytest.fixture
def lambdas_python() -> Path:
    """Lambda's Python; skipped loudly where it is absent."""
    try:
        return find_python()
    except Unavailable as error:
        pytest.skip(f"PYTHON 3.13 ABSENT: {error}")


def test_a_zip_depends_on_names_and_contents_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zip_folder(_tree(tmp_path / "one"), tmp_path / "one.zip")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    before = os.umask(0o077)
    try:
        size = zip_folder(_tree(tmp_path / "other", seed=9), tmp_path / "other.zip")
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    assert size == sum(map(len, _FILES.values()))


def test_a_zip_holds_everything_in_order_readable_for_all(tmp_path: Path) -> None:
    tree = _tree(tmp_path / "tree")
    (tree / "a.py").chmod(0o700)
    zip_folder(tree, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.namelist() == sorted(_FILES)
        assert {name: archive.read(name) for name in archive.namelist()} == _FILES
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("numpy/f2py/x.py", "numpy/f2py"),
        ("numpy/f2pyish/x.py", ""),
        ("numpy/_core/tests/x.py", "tests"),
        ("fastapi/tests.py", ""),
        ("onnxruntime/capi/libonnxruntime.so.1.32.0", "onnxruntime/capi/libonnxruntime.so.*"),
        ("onnxruntime/capi/libonnxruntime_providers_shared.so", ""),
        ("numpy/__init__.pyi", ".pyi"),
        ("numpy/__init__.py", ""),
        ("x-1.dist-info/RECORD", "*.dist-info/RECORD"),
        ("x-1.dist-info/METADATA", ""),
        ("x-1.dist-info/licenses/LICENSE", ""),
        ("onnxruntime/ThirdPartyNotices.txt", ""),
        (".lock", ".lock"),
    ],
)
def test_what_slimming_takes_and_leaves(path: str, rule: str) -> None:
    assert rule_for(PurePosixPath(path)) == rule


def test_slimming_counts_and_leaves_no_empty_folder(tmp_path: Path) -> None:
    for name in ("kept/x.py", "numpy/f2py/deep/x.py", "numpy/x.h"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"four")
    assert slim(tmp_path) == 8
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert slim(tmp_path) == 0
    assert len({*FOLDERS, *ANYWHERE, *FILES, *SUFFIXES}) == len((*FOLDERS, *ANYWHERE, *FILES, *SUFFIXES))


def test_bytecode_is_the_same_in_two_folders_and_never_compared(tmp_path: Path, lambdas_python: Path) -> None:
    text = "NAMES = {'a', 'b', 'c', 'd'}\n\ndef fail():\n    return x in {'p', 'q', 'r'}\n"
    compiled = []
    for name in ("one", "two/deeper"):
        (tmp_path / name / "pack").mkdir(parents=True)
        (tmp_path / name / "pack/module.py").write_text(text)
        compile_folder(tmp_path / name, lambdas_python)
        compiled.append((tmp_path / name / "pack/__pycache__/module.cpython-313.pyc").read_bytes())
    assert compiled[0] == compiled[1]
    assert str(tmp_path).encode() not in compiled[0]
    assert int.from_bytes(compiled[0][4:8], "little") == 0b01, "hash-based, unchecked: PEP 552"
    (tmp_path / "one/pack/module.py").write_text("1/0\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'one')!r}); import pack.module as m; print(sorted(m.NAMES))"
    told = subprocess.run([lambdas_python, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "['a', 'b', 'c', 'd']\n"
    if compiled[0][:4] != importlib.util.MAGIC_NUMBER:
        assert sys.version_info[:2] != (3, 13)


def test_a_source_that_cannot_be_compiled_is_named(tmp_path: Path, lambdas_python: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n")
    with pytest.raises(Unavailable, match=r"could not compile.*broken\.py"):
        compile_folder(tmp_path, lambdas_python)


def test_without_lambdas_python_a_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dead = tmp_path / "python3.13"
    dead.write_text("#!/bin/sh\nexit 127\n")
    dead.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(dead))
    with pytest.raises(
        Unavailable, match=r"Python 3\.13 was not found on PATH or in ~/\.pyenv.*uv python install 3\.13"
    ):
        find_python()


def test_a_program_on_path_or_in_its_place(tmp_path: Path) -> None:
    assert find("sh") == Path(str(shutil.which("sh"))).absolute()
    assert find("no-such-program", tmp_path / "absent") is None
    (tmp_path / "tool").touch(0o755)
    assert find("sh", tmp_path / "tool") == tmp_path / "tool"


def test_a_failure_is_told_without_the_login_of_an_address(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit('no answer from https://me:word@index.test/simple/')")
    with pytest.raises(Unavailable) as failed:
        run("wheels could not be had", command, {}, tmp_path, "try again")
    assert str(failed.value) == "wheels could not be had: no answer from https://index.test/simple/; try again"


def test_without_uv_a_sentence_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"uv was not found.*make setup"):
        install_wheels(tmp_path / "lock", tmp_path, "arm64", tmp_path)


@pytest.mark.parametrize("lock", ["layers/runtime/requirements.txt", "lambdas/migrate/requirements.txt"])
def test_the_locks_are_those_that_are_tested(lock: str) -> None:
    tested, shipped = read_lock(ROOT / "requirements.txt"), read_lock(ROOT / lock)
    assert shipped
    for key, locked in shipped.items():
        assert key in tested, f"{key} is not what requirements.txt has: run `make lock`"
        assert locked.sha256
        assert set(locked.sha256) <= set(tested[key].sha256)
    assert not {"boto3", "botocore", "awslambdaric"} & {name for name, _ in shipped}


def test_a_lock_is_read_with_markers_and_two_versions(tmp_path: Path) -> None:
    one, two = "1" * 64, "2" * 64
    text = (
        f"a.B==1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:{two} \\\n    --hash=sha256:{one}\n    # via\n"
        f"a.B==2.0 \\\n    --hash=sha256:{one}\n# botocore\n"
    )
    (tmp_path / "lock").write_text(text)
    found = read_lock(tmp_path / "lock")
    assert {key: locked.sha256 for key, locked in found.items()} == {("a-b", "1.0"): (one, two), ("a-b", "2.0"): (one,)}
    assert normalized("A__b.-c") == "a-b-c"


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ("License-Expression: MIT\nLicense: ignored\n", ["MIT"]),
        ("License-Expression: Apache-2.0 OR BSD-3-Clause\n", ["Apache-2.0 OR BSD-3-Clause"]),
        ("Classifier: License :: OSI Approved :: MIT License\nLicense: x\n", ["MIT License"]),
        ("License: BSD-3-Clause\n", ["BSD-3-Clause"]),
        ("License: " + "whole text " * 40 + "\n", []),
        ("Name: x\n", []),
    ],
)
def test_licences_are_what_the_wheel_says(metadata: str, expected: list[str]) -> None:
    found = list(licences(HeaderParser().parsestr(metadata)))
    assert [
        getattr(each, "value", None) or getattr(each, "id", None) or getattr(each, "name", None) for each in found
    ] == expected


def test_sizes_are_judged_with_both_layers() -> None:
    def entry(zipped: int, unzipped: int) -> Entry:
        return Entry("", "", zipped, unzipped)

    parts = {"ebb": entry(1_000_000, MIB), "runtime": entry(40_000_000, 140 * MIB)}
    within = {**parts, "predict": entry(4_000_000, 9 * MIB), "migrate": entry(9_000_000, 109 * MIB)}
    assert {size.function: size.fits for size in sizes(within)} == {"predict": True, "migrate": True}
    beyond = {**parts, "predict": entry(4_000_001, MIB), "migrate": entry(1, 109 * MIB + 1)}
    assert [size.fits for size in sizes(beyond)] == [False, False]
    assert [size.fits for size in sizes({**parts, "predict": entry(1, 9 * MIB + 1)})] == [False]
