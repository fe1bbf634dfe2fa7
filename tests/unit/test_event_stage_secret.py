"""The stage secret is read as it is, and refused in a sentence where it is no secret."""

import os
from pathlib import Path

import pytest

from ebb.errors import Misuse
from ebb.event_log.secret import read_stage_secret

SECRET = bytes(range(224, 256))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stage_secret"
    path.touch(0o600)
    path.write_bytes(SECRET)
    return path


@pytest.mark.parametrize("secret", [SECRET, SECRET[:-1] + b"\n", b" " * 32, os.urandom(1024)])
def test_every_byte_of_it_counts(file: Path, secret: bytes) -> None:
    file.write_bytes(secret)
    assert read_stage_secret(file) == read_stage_secret(str(file)) == secret


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_it_is_its_owner_s(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert read_stage_secret(file) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_nobody_else_may_use_it(file: Path, mode: int) -> None:
    file.chmod(mode)
    with pytest.raises(Misuse, match=rf"may be used by others than its owner \(mode {mode:04o}\).*chmod 600"):
        read_stage_secret(file)


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_short_one_is_none(file: Path, length: int) -> None:
    file.write_bytes(SECRET[:length])
    with pytest.raises(Misuse, match=rf"^The stage secret stage_secret has {length} bytes, and must have 32 to 1,024"):
        read_stage_secret(file)


def test_a_long_one_is_something_else(file: Path) -> None:
    file.write_bytes(SECRET * 33)
    with pytest.raises(Misuse, match="has more than 1,024 bytes"):
        read_stage_secret(file)


def test_an_absent_one_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misuse, match=r"cannot be read \(No such file or directory\); EBB_STAGE_SECRET_FILE names"):
        read_stage_secret(tmp_path / "stage_secret")


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", Path("/dev/null"), tmp_path):
        with pytest.raises(Misuse, match=r"^The stage secret \w* (is no file|cannot be read)"):
            read_stage_secret(path)


def test_no_message_holds_a_byte_of_it(file: Path) -> None:
    file.write_bytes(b"canary-secret")
    for mode in (0o600, 0o644):
        file.chmod(mode)
        with pytest.raises(Misuse) as refused:
            read_stage_secret(file)
        assert "canary" not in str(refused.value)
