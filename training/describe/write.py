"""A contract's text into its file: whole, or not at all."""

from pathlib import Path

from ebb.errors import ContractError
from ebb.synced import replaced


def write_contract(path: Path, text: str) -> None:
    """Write the text beside its target, then rename.

    Raises:
        ContractError: the file cannot be written; what was there before still stands.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replaced(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ContractError(f"cannot be written: {error.strerror}; name another file", source=str(path)) from None
