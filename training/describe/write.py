"""A contract's text into its file: whole, or not at all."""

import os
from pathlib import Path

from ebb.errors import ContractError


def write_contract(path: Path, text: str) -> None:
    """Write the text beside its target, then rename.

    Raises:
        ContractError: the file cannot be written; what was there before still stands.
    """
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ContractError(f"cannot be written: {error.strerror}; name another file", source=str(path)) from None
    finally:
        if path.parent.is_dir():
            partial.unlink(missing_ok=True)
