"""Every SQL file of a plan on one snapshot after the other, each with the relations it may see and no others."""

# ruff: noqa: S608 - names are quoted or Ebb's own, and there are no values but moments

from datetime import datetime

import pyarrow as pa

from ebb.errors import DataError
from training.events.engine import Advance, Engine
from training.events.plan import Plan
from training.events.portable import Columns, PortableSql, translate
from training.events.reach import Source
from training.events.relations import entities, events_before, events_within, quoted, snapshots
from training.events.sets import Column, check_yields, feature_columns, label_column, run_set
from training.events.snapshots import told
from training.events.source import TABLE
from training.events.table import KEYS, Part, gather_keys, join_parts, refuse_repeated

_LABEL = "label_part"


class Runs:
    """Runs a plan on snapshots.

    Args:
        engine: has the events.
        plan: what to run.
        source: the events' columns and reach.
        advance: told of hundredths of each query.
        labelled: whether the outcome is built too.
    """

    def __init__(self, engine: Engine, plan: Plan, source: Source, advance: Advance, *, labelled: bool) -> None:
        self._engine, self._plan, self._source, self._advance = engine, plan, source, advance
        self._label = plan.label if labelled else None
        self.notes: list[str] = []

    def run(self, snapshot: datetime) -> pa.Table:
        """Build one snapshot and return its rows.

        Raises:
            ContractError: a file does not yield what the contract asks of it.
            DataError: a file fails, or no entity has features at the snapshot.
        """
        parts = self._features(snapshot)
        if not gather_keys(self._engine, parts, snapshot):
            raise DataError(
                f"no entity has features at the snapshot {told(snapshot)}: the first event is of "
                f"{told(self._source.first)}, so take a later one"
            )
        if self._label is not None:
            parts.append(self._outcome(self._label, snapshot))
        order = [feature.column for feature in self._plan.contract.features]
        return join_parts(self._engine, self._plan.key, parts, order)

    def _features(self, snapshot: datetime) -> list[Part]:
        relations = {
            "events": self._view("events", events_before(self._source.columns, TABLE, snapshot)),
            "snapshots": self._view("snapshots", snapshots(snapshot)),
        }
        sets = [
            (sql, feature_columns(self._plan, self._plan.contract.feature_sets[file]))
            for file, sql in self._plan.sets.items()
        ]
        parts = [
            Part(sql.source, f"set_{i}", columns, check_yields(self._engine, self._plan, sql, relations, columns))
            for i, (sql, columns) in enumerate(sets)
        ]
        for part, (sql, _) in zip(parts, sets, strict=True):
            self._run(sql, relations, part, snapshot)
        self._note_unused(sets)
        return parts

    def _outcome(self, sql: PortableSql, snapshot: datetime) -> Part:
        """Run the label's SQL; every entity that has features must get an outcome."""
        days = self._plan.contract.label.window_days
        relations = {
            "events": self._view("events", events_within(self._source.columns, TABLE, snapshot, days)),
            "entities": self._view("entities", entities(KEYS, snapshot)),
        }
        column = label_column(self._plan)
        part = Part(sql.source, _LABEL, [column], check_yields(self._engine, self._plan, sql, relations, [column]))
        self._run(sql, relations, part, snapshot)
        refuse_repeated(self._engine, part, snapshot)
        unknown = (
            f"SELECT COUNT(*) FROM {KEYS} LEFT JOIN {_LABEL} USING (entity_id) WHERE {quoted(column.name)} IS NULL"
        )
        if count := self._engine.run(unknown, sql.source)[0][0]:
            raise DataError(
                f"{sql.source} gives no outcome to {count:,} entities at the snapshot {told(snapshot)}: select from "
                "`entities` and LEFT JOIN the events, so that each of them gets one"
            )
        return part

    def _run(self, sql: PortableSql, relations: dict[str, Columns], part: Part, snapshot: datetime) -> None:
        run_set(self._engine, sql, relations, part.columns, into=part.table, snapshot=snapshot, advance=self._advance)

    def _view(self, name: str, select: str) -> Columns:
        self._engine.run(f"CREATE OR REPLACE TEMP VIEW {name} AS {translate(select)}", name)
        return self._engine.columns(f"SELECT * FROM {name}", name)

    def _note_unused(self, sets: list[tuple[PortableSql, list[Column]]]) -> None:
        """Say once which columns are yielded for nothing."""
        for sql, columns in sets:
            asked = {"entity_id", "snapshot_time", *(column.name.lower() for column in columns)}
            unused = [name for name in sql.yields if name not in asked]
            note = f"{sql.source} yields columns that no feature of the contract names: {', '.join(unused)}"
            if unused and note not in self.notes:
                self.notes.append(note)
