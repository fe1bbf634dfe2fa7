"""A contract's file: its text, and what it says."""

from pathlib import Path

from ebb.contract import Contract, parse_contract
from ebb.errors import ContractError


def read_contract(path: Path) -> tuple[Contract, bytes]:
    """Return the contract and the exact bytes of its file.

    Raises:
        ContractError: the file cannot be read, or not be used.
    """
    try:
        content = path.read_bytes()
        text = content.decode()
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror}", None, str(path)) from None
    except UnicodeDecodeError as error:
        raise ContractError(f"is not UTF-8 (byte {error.start + 1}): save it as UTF-8", None, str(path)) from None
    return parse_contract(text, str(path)), content
