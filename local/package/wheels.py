"""Wheels of a lock, for Lambda's processor and C library, installed into a folder without running any of them.

Lambda's python3.13 runs on Amazon Linux 2023, whose glibc 2.34 takes wheels of manylinux_2_28 and older.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
"""

import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path

from cdk.archives import ARM64, PYTHON, X86_64
from ebb.errors import DataError, Unavailable
from local.package.started import find, run

PLATFORM: Mapping[str, str] = {ARM64: "aarch64-manylinux_2_28", X86_64: "x86_64-manylinux_2_28"}
"""What uv calls them."""

_MACHINE: Mapping[str, int] = {ARM64: 183, X86_64: 62}
"""ELF's e_machine: EM_AARCH64 and EM_X86_64 (elf.h)."""


def install_wheels(lock: Path, target: Path, architecture: str, tools: Path) -> None:
    """Install a lock's wheels, each checked against its hash; nothing is resolved, nothing is built from source.

    Args:
        lock: a requirements file in which every version has its hashes.
        target: an existing folder.
        architecture: see `cdk.archives.ARCHITECTURES`.
        tools: the folder that `make setup` puts uv into, looked at first.

    Raises:
        Unavailable: uv or a wheel cannot be had, or a wheel is not the one of the lock.
        DataError: a native library is for another processor.
    """
    uv = find("uv", tools / "bin/uv")
    if uv is None:
        raise Unavailable("uv was not found on PATH or in .tools/bin: run `make setup`, which fetches it")
    command = (
        *(uv, "pip", "install", "--quiet", "--no-progress", "--color", "never", "--no-config"),
        *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", "--no-compile-bytecode"),
        *("--python", sys.executable, "--python-version", PYTHON, "--python-platform", PLATFORM[architecture]),
        *("--target", target, "-r", lock.absolute()),
    )
    advice = "the package index must be reachable, or uv's cache must hold them; then run `ebb package` again"
    run(f"the wheels of {lock} could not be had", command, os.environ, target, advice)
    _check_machines(target, architecture)


def _check_machines(folder: Path, architecture: str) -> None:
    for path in sorted(path for path in folder.rglob("*.so*") if path.is_file()):
        with path.open("rb") as file:
            head = file.read(20)
        if head[:4] == b"\x7fELF" and struct.unpack_from("<H", head, 18)[0] != _MACHINE[architecture]:
            raise DataError(
                f"{path.relative_to(folder)} is not for {architecture}: the index served a wheel under a wrong name"
            )
