"""Which archives there are, what moves their names, and that a damaged one is refused."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from cdk.archives import (
    ARM64,
    LOCK,
    MANIFEST,
    RECIPE,
    X86_64,
    ArchiveError,
    Entry,
    archive,
    dist,
    functions,
    made_of,
    names,
    packed,
    read_manifest,
    sha256_of,
    source_hash,
)
from tests.home import ROOT


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with two functions, one of which has wheels of its own."""
    root = tmp_path / "checkout"
    sources = {
        "lambdas/__init__.py": "",
        "lambdas/predict/__init__.py": "",
        "lambdas/predict/handler.py": "handle = print\n",
        "lambdas/predict/page/index.html": "<p>",
        "lambdas/migrate/handler.py": "handle = repr\n",
        "lambdas/migrate/requirements.in": "alembic\n",
        "lambdas/migrate/requirements.txt": "alembic==1\n",
        "lambdas/notes/__init__.py": "no handler, no function\n",
        "layers/ebb/ebb/__init__.py": "",
        "layers/ebb/ebb/valkey/ask.lua": "return 1",
        "layers/ebb/pyproject.toml": "[project]\n",
        "layers/runtime/requirements.txt": "numpy==2\n",
        **{f"local/package/{module}": "recipe\n" for module in RECIPE},
    }
    for path, text in sources.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root


def _hashes(root: Path, architecture: str = ARM64) -> dict[str, str]:
    return {name: source_hash(root, name, architecture) for name in names(root)}


def _moved(root: Path, change: Callable[[], object]) -> set[str]:
    before = _hashes(root)
    change()
    return {name for name, found in _hashes(root).items() if before.get(name) != found}


def _pack(root: Path, name: str, content: bytes = b"zip") -> Path:
    path = made_of(root, name).packed
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    entry = Entry(source_hash(root, name), sha256_of(path), len(content), len(content))
    told = {each: asdict(found) for each, found in read_manifest(root).items()}
    (dist(root) / MANIFEST).write_text(json.dumps({**told, name: asdict(entry)}))
    return path


def test_every_folder_with_a_handler_is_a_function(checkout: Path) -> None:
    assert functions(checkout) == ("migrate", "predict")
    assert names(checkout) == ("ebb", "runtime", "migrate", "predict")
    assert {"maintain", "migrate", "predict", "records"} <= set(functions(ROOT))


def test_a_function_holds_its_own_folder_and_no_other(checkout: Path) -> None:
    inside = list(made_of(checkout, "predict").files)
    assert inside == [
        "lambdas/__init__.py",
        "lambdas/predict/__init__.py",
        "lambdas/predict/handler.py",
        "lambdas/predict/page/index.html",
    ]
    assert list(made_of(checkout, "migrate").files) == ["lambdas/__init__.py", "lambdas/migrate/handler.py"]
    assert list(made_of(checkout, "ebb").files) == ["python/ebb/__init__.py", "python/ebb/valkey/ask.lua"]
    assert made_of(checkout, "runtime").files == {}


def test_the_locks(checkout: Path) -> None:
    found = {name: made_of(checkout, name).lock for name in names(checkout)}
    assert found == {
        "ebb": None,
        "runtime": checkout / "layers/runtime" / LOCK,
        "migrate": checkout / "lambdas/migrate" / LOCK,
        "predict": None,
    }


@pytest.mark.parametrize(
    ("path", "moves"),
    [
        ("layers/ebb/ebb/__init__.py", {"ebb"}),
        ("layers/ebb/ebb/valkey/ask.lua", {"ebb"}),
        ("layers/runtime/requirements.txt", {"runtime"}),
        ("lambdas/predict/handler.py", {"predict"}),
        ("lambdas/predict/page/index.html", {"predict"}),
        ("lambdas/migrate/requirements.txt", {"migrate"}),
        ("lambdas/__init__.py", {"migrate", "predict"}),
        ("layers/ebb/pyproject.toml", set()),
        ("lambdas/migrate/requirements.in", set()),
        *((f"local/package/{module}", {"ebb", "runtime", "migrate", "predict"}) for module in RECIPE),
    ],
)
def test_one_byte_moves_what_is_made_of_it(checkout: Path, path: str, moves: set[str]) -> None:
    file = checkout / path
    assert _moved(checkout, lambda: file.write_bytes(file.read_bytes() + b" ")) == moves


def test_a_file_that_comes_goes_or_is_renamed_moves_it(checkout: Path) -> None:
    page = checkout / "lambdas/predict/page/index.html"
    assert _moved(checkout, lambda: page.rename(page.with_name("other.html"))) == {"predict"}
    assert _moved(checkout, (checkout / "lambdas/predict/new.py").touch) == {"predict"}
    assert _moved(checkout, (checkout / "lambdas/predict/new.py").unlink) == {"predict"}


def test_bytes_that_wander_between_files_move_it(checkout: Path) -> None:
    one, two = checkout / "lambdas/predict/a.py", checkout / "lambdas/predict/b.py"
    one.write_text("12")
    two.write_text("3")

    def wander() -> None:
        one.write_text("1")
        two.write_text("23")

    assert _moved(checkout, wander) == {"predict"}


def test_what_a_run_an_editor_or_a_disk_leaves_moves_nothing(checkout: Path) -> None:
    def leave() -> None:
        for folder in ("lambdas/predict", "layers/ebb/ebb"):
            cache = checkout / folder / "__pycache__"
            cache.mkdir()
            (cache / "x.cpython-313.pyc").write_bytes(b"x")
            for name in ("loose.pyc", ".x.swp", "x.py~"):
                (checkout / folder / name).write_bytes(b"x")
        for file in checkout.rglob("*.py"):
            os.utime(file, (1, 1))
            file.chmod(0o600)

    assert _moved(checkout, leave) == set()


def test_the_place_of_the_checkout_moves_nothing(checkout: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "deep"
    shutil.copytree(checkout, other)
    assert _hashes(other) == _hashes(checkout)


def test_the_processor_moves_what_has_wheels(checkout: Path) -> None:
    arm, x86 = _hashes(checkout), _hashes(checkout, X86_64)
    assert {name for name in arm if arm[name] != x86[name]} == {"runtime", "migrate"}


def test_a_fresh_archive_is_shipped_a_stale_or_missing_one_is_not(checkout: Path) -> None:
    folder = checkout / "lambdas/predict"
    assert (packed(checkout, "predict"), archive(checkout, "predict")) == (None, folder)
    path = _pack(checkout, "predict")
    assert (
        packed(checkout, "predict") == archive(checkout, "predict") == path == checkout / "dist/functions/predict.zip"
    )
    assert packed(checkout, "predict", X86_64) is None
    (folder / "handler.py").write_text("handle = len\n")
    assert (packed(checkout, "predict"), archive(checkout, "predict")) == (None, folder)
    _pack(checkout, "predict").unlink()
    assert packed(checkout, "predict") is None


@pytest.mark.parametrize("at", [0, 50, 99])
def test_a_flipped_byte_is_refused(checkout: Path, at: int) -> None:
    path = _pack(checkout, "ebb", bytes(range(100)))
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"ebb\.zip is not what was packed.*ebb package --again --arch arm64"):
        archive(checkout, "ebb")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ebb": {}}', '{"ebb": 3}', "null"])
def test_a_manifest_that_cannot_be_read_vouches_for_nothing(checkout: Path, text: str) -> None:
    _pack(checkout, "ebb")
    (dist(checkout) / MANIFEST).write_text(text)
    assert read_manifest(checkout) == {}
    assert packed(checkout, "ebb") is None


def test_unknown_names_are_refused(checkout: Path) -> None:
    with pytest.raises(ArchiveError, match=r"no archive 'notes'.*ebb, runtime, migrate, predict"):
        source_hash(checkout, "notes")
    with pytest.raises(ArchiveError, match=r"no architecture 'sparc': say arm64 or x86-64"):
        archive(checkout, "ebb", "sparc")


def test_the_stacks_get_nothing_heavy_with_it() -> None:
    module = sys.modules["cdk.archives"]
    third = {name for name in vars(module) if name in {"aws_cdk", "ebb", "local", "boto3"}}
    assert not third
    imported = [
        line.split()[1]
        for line in Path(str(module.__file__)).read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
