"""Archives as `ebb package` makes them: the same bytes anywhere, within their limits, refused when damaged."""

import json
import os
import shutil
import sys
import time
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from cdk.archives import ARM64, BILL, LAYERS, ArchiveError, archive, made_of, names, packed, read_manifest, sha256_of
from ebb.errors import Misuse, Unavailable
from local.cli import run
from local.package.build import Built, build
from local.package.lock import read_lock
from local.package.sizes import PREDICT_UNZIPPED, PREDICT_ZIPPED, sizes
from local.package.slimming import ANYWHERE, FILES, FOLDERS, SUFFIXES, rule_for
from local.package.wheels import install_wheels
from local.servers.lock import FolderLock
from tests.integration.package_case import build_all, copy_checkout, with_other_habits
from training.progress import Silent

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that was packed for arm64; its tests leave it as it is."""
    root = copy_checkout(tmp_path_factory.mktemp("packed") / "checkout")
    build_all(root, ARM64)
    return root


@pytest.fixture
def damaged(checkout: Path, tmp_path: Path) -> Path:
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(checkout, tmp_path / "checkout", symlinks=True))


def _zips(root: Path) -> dict[str, str]:
    return {name: sha256_of(made_of(root, name).packed) for name in names(root)}


def test_the_same_bytes_in_another_folder_with_other_habits(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = copy_checkout(tmp_path / "a folder elsewhere" / "checkout", checkout)
    with_other_habits(other)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    time.tzset()
    before = os.umask(0o077)
    try:
        built = build_all(other, ARM64)
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    assert built.kept == ()
    assert _zips(other) == _zips(checkout)
    for name in ("manifest.json", BILL):
        assert (other / "dist" / name).read_bytes() == (checkout / "dist" / name).read_bytes()


def test_the_sizes(checkout: Path) -> None:
    entries = read_manifest(checkout)
    measured = {size.function: size for size in sizes(entries)}
    predict = measured["predict"]
    print(f"\npredict: {predict.bytes_unzipped / 2**20:.1f} MiB, {predict.bytes_zipped / 1e6:.1f} MB zipped")  # noqa: T201 - a figure
    assert (PREDICT_UNZIPPED, PREDICT_ZIPPED) == (150 * 2**20, 45_000_000)
    assert predict.bytes_unzipped <= PREDICT_UNZIPPED
    assert predict.bytes_zipped <= PREDICT_ZIPPED
    assert all(size.fits for size in measured.values())
    for name, entry in entries.items():
        path = made_of(checkout, name).packed
        with zipfile.ZipFile(path) as shipped:
            assert entry.bytes_unzipped == sum(each.file_size for each in shipped.infolist())
        assert entry.bytes_zipped == path.stat().st_size


def test_every_archive_holds_what_it_should_and_its_bytecode(checkout: Path) -> None:
    for name in names(checkout):
        made = made_of(checkout, name)
        with zipfile.ZipFile(made.packed) as shipped:
            inside = set(shipped.namelist())
        modules = {path for path in inside if path.endswith(".py")}
        assert set(made.files) <= inside
        for path in map(PurePosixPath, modules):
            assert f"{path.parent}/__pycache__/{path.stem}.cpython-313.pyc" in inside
        tops = {path.split("/")[0] for path in inside}
        assert tops == {"python"} if name in LAYERS else "lambdas" in tops
        others = {path.split("/")[1] for path in inside if path.startswith("lambdas/")} - {"__init__.py", "__pycache__"}
        assert others == (set() if name in LAYERS else {name})
        assert not tops & {"boto3", "botocore", "python.log"}
        assert not any(path.startswith(("python/boto", "python/awslambdaric")) for path in inside)
        assert not any(path.endswith((".pyi", ".log", "requirements.txt", "requirements.in")) for path in inside)
    with zipfile.ZipFile(made_of(checkout, "runtime").packed) as shipped:
        machines = {shipped.read(path)[18:20] for path in shipped.namelist() if ".so" in PurePosixPath(path).name}
    assert machines == {(183).to_bytes(2, "little")}, "EM_AARCH64"


def test_every_rule_of_slimming_takes_something_and_nothing_is_left_of_it(checkout: Path, tmp_path: Path) -> None:
    used: set[str] = set()
    for name in names(checkout):
        lock = made_of(checkout, name).lock
        if lock is not None:
            (tmp_path / name).mkdir()
            install_wheels(lock, tmp_path / name, ARM64, checkout / ".tools")
            files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
            used |= {rule_for(PurePosixPath(path.relative_to(tmp_path / name).as_posix())) for path in files}
    rules = {*FOLDERS, *FILES, *SUFFIXES, *ANYWHERE} - {"__pycache__"}
    assert rules - used == set()


def test_the_bill_names_every_wheel_with_hashes_and_licence(checkout: Path) -> None:
    text = (checkout / "dist" / BILL).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    ours = {each["name"]: each for each in bill["components"] if each["type"] == "application"}
    entries = read_manifest(checkout)
    assert {name: ours[f"ebb-{name}"]["hashes"][0]["content"] for name in entries} == {
        name: entry.archive_sha256 for name, entry in entries.items()
    }
    wheels = [each for each in bill["components"] if each["type"] == "library"]
    for name in ("runtime", "migrate"):
        lock = made_of(checkout, name).lock
        assert lock is not None
        locked = read_lock(lock)
        named = [each for each in wheels if each["bom-ref"].startswith(f"{name}:")]
        assert {(each["name"], each["version"]) for each in named} == set(locked)
        for each in named:
            assert {found["content"] for found in each["hashes"]} == set(locked[each["name"], each["version"]].sha256)
            assert each["purl"] == f"pkg:pypi/{each['name']}@{each['version']}"
    unlicensed = sorted(each["name"] for each in wheels if not each.get("licenses"))
    assert unlicensed == []


def test_what_is_fresh_is_kept_and_what_changed_is_packed(damaged: Path) -> None:
    again = build(damaged, ARM64, Silent())
    assert set(again.kept) == set(names(damaged))
    before = _zips(damaged)
    source = damaged / "lambdas/predict/api.py"
    source.write_text(source.read_text() + "\n# another line\n")
    assert packed(damaged, "predict") is None
    built = build(damaged, ARM64, Silent())
    assert set(names(damaged)) - set(built.kept) == {"predict"}
    after = _zips(damaged)
    assert {name for name in before if before[name] != after[name]} == {"predict"}
    assert all(packed(damaged, name) for name in names(damaged))


def test_a_function_that_is_no_more_leaves_dist(damaged: Path) -> None:
    shutil.rmtree(damaged / "lambdas/maintain")
    built = build(damaged, ARM64, Silent())
    assert "maintain" not in built.entries
    assert not (damaged / "dist/functions/maintain.zip").exists()


def test_a_flipped_byte_is_refused_and_packed_anew(damaged: Path) -> None:
    path = made_of(damaged, "records").packed
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=r"records\.zip is not what was packed"):
        archive(damaged, "records")
    built = build(damaged, ARM64, Silent())
    assert "records" not in built.kept
    assert archive(damaged, "records") == path


@pytest.mark.parametrize("how", ["hash", "absent"])
def test_a_wheel_that_is_not_the_locked_one_leaves_nothing_behind(damaged: Path, how: str) -> None:
    lock = damaged / "lambdas/migrate/requirements.txt"
    text = lock.read_text()
    if how == "hash":
        blocks = [line if "--hash" not in line else f"    --hash=sha256:{'0' * 64}" for line in text.splitlines()]
        name = next(line for line in blocks if line.startswith("mako=="))
        lock.write_text(f"{name}\n    --hash=sha256:{'0' * 64}\n")
    else:
        lock.write_text(f"mako==0.0.99999 \\\n    --hash=sha256:{'0' * 64}\n")
    before = _zips(damaged)
    with pytest.raises(Unavailable, match=r"the wheels of .*requirements\.txt could not be had: .*mako.*ebb package"):
        build(damaged, ARM64, Silent())
    assert _zips(damaged) == before
    assert not list((damaged / "dist").glob(".packing-*"))
    assert packed(damaged, "migrate") is None
    assert packed(damaged, "predict") is not None


def test_without_a_registry_or_cache_a_sentence_says_so(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(Unavailable, match=r"could not be had: .*; the package index must be reachable"):
        build(damaged, ARM64, Silent(), again=True)


def test_one_build_at_a_time(checkout: Path) -> None:
    lock = FolderLock.take(checkout / "dist", "packing")
    try:
        with pytest.raises(Misuse, match=r"packing in .* is already in the hands of process"):
            build(checkout, ARM64, Silent())
    finally:
        lock.release()


def test_an_unknown_processor_is_refused(checkout: Path) -> None:
    with pytest.raises(Misuse, match=r"no architecture 'sparc': say arm64 or x86-64"):
        build(checkout, "sparc", Silent())


def test_what_a_killed_build_left_goes_with_the_next(damaged: Path) -> None:
    left = damaged / "dist/.packing-killed"
    left.mkdir()
    (left / "half.zip").write_bytes(b"half")
    (damaged / "dist/manifest.json").unlink()
    shutil.rmtree(damaged / "lambdas/migrate")  # its wheels take long, and say nothing more here
    (damaged / "layers/runtime/requirements.txt").write_text("# none\n")
    built: Built = build(damaged, ARM64, Silent())
    assert not left.exists()
    assert built.kept == ()
    assert set(built.entries) == set(names(damaged))


def test_the_command_tells_sizes_and_what_was_kept(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["local.commands.package"], "_ROOT", checkout)
    assert run(["package", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["architecture"] == ARM64
    assert all(each["kept"] for each in told["archives"].values())
    assert told["functions"]["predict"]["fits"] is True
    assert told["functions"]["predict"]["limit_zipped"] == PREDICT_ZIPPED
    assert run(["package"]) == 0
    shown = capsys.readouterr().out
    assert "of 150.0 MiB" in shown
    assert "fresh already" in shown
    assert "deploy --all -c stage=dev" in shown
    monkeypatch.setattr("local.package.sizes.PREDICT_ZIPPED", 1_000_000)
    assert run(["package"]) == 1
    assert "TOO LARGE" in capsys.readouterr().out
    assert run(["package", "--arch", "sparc"]) == 2
    assert "no architecture 'sparc'" in " ".join(capsys.readouterr().err.split())
