"""A contract with the SQL files it names, read and checked; errors about them name the contract's line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ebb.contract import Contract, Events
from ebb.contract.lines import Path as KeyPath
from ebb.contract.lines import key_lines, line_of
from ebb.errors import ContractError
from training.contract_file import read_contract
from training.events.portable import PortableSql, read_sql
from training.events.relations import FEATURES, LABEL


@dataclass(frozen=True)
class Plan:
    """What is to be built.

    Attributes:
        path: the contract's file.
        contract: what it says.
        events: of the contract.
        sets: the SQL of each feature set, by its file's name.
        label: the SQL of the outcome; None where the contract names none.
        lines: of the contract's keys.
    """

    path: Path
    contract: Contract
    events: Events
    sets: Mapping[str, PortableSql]
    label: PortableSql | None
    lines: Mapping[KeyPath, int]

    @property
    def key(self) -> str:
        """The key column of the built table."""
        return str(self.contract.entity_column)

    def fail(self, message: str, *where: str | int) -> ContractError:
        """Make an error about a key of the contract, with its line."""
        return ContractError(message, line_of(dict(self.lines), where), str(self.path))


def read_plan(path: Path) -> Plan:
    """Read a contract that builds its features from events, and the SQL files beside it.

    Raises:
        ContractError: the contract cannot be used, has no `[events]`, or names a file that cannot be read.
        DataError: an SQL file is no single portable SELECT.
    """
    contract, content = read_contract(path)
    lines = key_lines(content.decode())
    if contract.events is None:
        raise ContractError("has no [events], so nothing says what to build from: add it", None, str(path))
    sets = {}
    for file, features in contract.feature_sets.items():
        at = contract.features.index(features[0])
        sets[file] = read_sql(_text(path, file, lines, ("features", at, "sql")), file, FEATURES)
    label = contract.events.label
    outcome = None if label is None else read_sql(_text(path, label, lines, ("events", "label")), label, LABEL)
    return Plan(path, contract, contract.events, sets, outcome, lines)


def _text(contract: Path, file: str, lines: dict[KeyPath, int], where: KeyPath) -> str:
    path = contract.parent / file
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        message = f"the file {path} cannot be read ({error.strerror}): it must lie beside the contract"
    except UnicodeDecodeError:
        message = f"the file {path} is not UTF-8: save it as UTF-8"
    raise ContractError(message, line_of(lines, where), str(contract))
