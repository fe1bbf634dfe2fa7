"""The rows that a contract refuses in tables to be scored: one error about all, or a csv file of them.

A value never stands there: shard, row, entity_id, feature, reason.
"""

import csv
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ebb.contract import Contract
from ebb.errors import DataError, Misuse
from ebb.synced import replaced
from training.batch.accepted import Accepted
from training.dataset.refusals import Refusals, name_rows

_HEAD = "shard,row,entity_id,feature,reason\n"
_NAMED = 4
"""Rows of each reason that are kept, one more than are named."""


@dataclass
class Reasons:
    """Why rows of one shard were refused.

    Attributes:
        rows: how many were.
        found: by feature (or column, or "") and reason: how many rows, and the first of them, 0-based.
    """

    rows: int = 0
    found: dict[tuple[str, str], tuple[int, list[int]]] = field(default_factory=dict)

    def add(self, accepted: Accepted, first: int) -> None:
        """Take a batch's refused rows in; `first` is the 0-based place of the batch."""
        self.rows += len(accepted.keys) - len(accepted.good)
        for row, feature, reason in accepted.refused:
            count, rows = self.found.get((feature, reason), (0, []))
            self.found[feature, reason] = (count + 1, [*rows, first + row][:_NAMED])

    def merge(self, other: "Reasons") -> None:
        """Take in what was found in later rows of the same shard."""
        self.rows += other.rows
        for key, (count, rows) in other.found.items():
            before, named = self.found.get(key, (0, []))
            self.found[key] = (before + count, [*named, *rows][:_NAMED])


def write_lines(path: Path, shard: str, accepted: Accepted, first: int) -> None:
    """Append the refused rows of a batch to a file of them, without a head.

    Raises:
        OSError: it cannot be written.
    """
    if not accepted.refused:
        return
    keys = accepted.keys.take([row for row, _, _ in accepted.refused]).to_pylist()
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            (shard, first + row + 1, key, feature, reason)
            for key, (row, feature, reason) in zip(keys, accepted.refused, strict=True)
        )


def gather(target: Path, parts: Iterable[Path]) -> None:
    """Write the file of refused rows from its parts, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    try:
        with replaced(target, 0o600) as partial, partial.open("wb") as file:
            file.write(_HEAD.encode())
            for part in parts:
                if part.exists():
                    with part.open("rb") as lines:
                        shutil.copyfileobj(lines, file)
    except OSError as error:
        raise DataError(
            f"{target} could not be written: {error.strerror}; free the disk or name another file"
        ) from None


def refuse_foreign(target: Path) -> None:
    """Refuse to replace a file that holds something else than refused rows.

    Raises:
        Misuse: it does, or there is no folder for it.
    """
    if not target.parent.is_dir():
        raise Misuse(f"--refused {target}: there is no folder {target.parent}")
    if target.is_dir():
        raise Misuse(f"--refused {target} is a folder: name a file")
    if target.exists():
        with target.open("rb") as file:
            if file.read(len(_HEAD)) not in {_HEAD.encode(), b""}:
                raise Misuse(f"{target} is there already, and holds no refused rows: name another file with --refused")


def refuse(source: Path, contract: Contract, found: Mapping[str, Reasons], kept: int) -> None:
    """Refuse a table because of its rows.

    Args:
        source: the file or folder.
        contract: what it does not fit.
        found: by shard; of a single file there is one.
        kept: shards that are scored and stay.

    Raises:
        DataError: rows were refused.
    """
    if not found:
        return
    refusals = Refusals(str(source), contract.name)
    for sentence in _sentences(contract, found, several=source.is_dir()):
        refusals.add(sentence)
    try:
        refusals.raise_if_any()
    except DataError as error:
        stay = f"\n{kept:,} other shards are scored and stay" if kept else ""
        advice = "correct these rows, or collect them with --refused FILE and score the others"
        raise DataError(f"{error}{stay}\n{advice}") from None


def _sentences(contract: Contract, found: Mapping[str, Reasons], *, several: bool) -> Iterator[str]:
    columns = {feature.name: feature.column for feature in contract.features}
    for shard, reasons in found.items():
        for (name, reason), (count, rows) in reasons.found.items():
            what = f"column {columns.get(name, name)!r} {reason}: " if name else ""
            yield (f"shard {shard}: " if several else "") + what + _rows(rows, count) + ("" if name else f" {reason}")


def _rows(rows: Sequence[int], count: int) -> str:
    return name_rows(rows) + (f" ({count:,} rows)" if count >= _NAMED else "")
