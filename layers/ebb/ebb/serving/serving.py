"""The table in force in this process, and how the next one takes its place."""

import time
from collections.abc import Callable, Mapping
from threading import Event, Lock, Thread
from typing import Generic

from ebb.errors import EbbError, NoRelease, ReleaseError, RoutingError
from ebb.ports import ReleaseStore, RoutingStore, Signals
from ebb.routing.table import RoutingTable
from ebb.serving.contracts import only_contract
from ebb.serving.routed import Routed, V
from ebb.serving.turns import short_turns

LOOK_SECONDS = 1.0
"""Between two looks at a store that has not shown the version that is in force."""
RETRY_SECONDS = 10.0
"""Between two attempts at releases that could not be loaded."""


class Serving(Generic[V]):
    """Holds the releases of one contract's routing table.

    The first table is loaded by whoever asks first. A newer one is in force at once where all releases that answer
    under it are loaded, which a rollback's are; else a thread loads, verifies and warms what is missing while the old
    table serves. The thread bears being frozen at any point: it waits for nothing but its next order, and a table
    that was overtaken meanwhile never comes into force.

    Args:
        releases: where releases lie.
        routing: where tables lie; without any, the champion of `releases` serves.
        contract: its name; empty means the store's only one.
        prepare: from (contract, version) to what stands for the release; raises ReleaseError.
        rules_only: the same where the release cannot be loaded, for its contract's rules; raises ReleaseError.
        signals: takes `routing_taken`, `routing_unread`, `release_refused` and the version in force.
        report: takes why a release was refused, for the log.
        tidy: called after a swap, when the releases that left can be forgotten.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        releases: ReleaseStore,
        routing: RoutingStore,
        contract: str,
        *,
        prepare: Callable[[str, str], V],
        rules_only: Callable[[str, str], V],
        signals: Signals,
        report: Callable[[str], None],
        tidy: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._releases, self._routing, self._contract = releases, routing, contract
        self._prepare, self._rules_only = prepare, rules_only
        self._signals, self._report, self._tidy, self._clock = signals, report, tidy, clock
        self._state: Routed[V] | None = None
        self._swap = Lock()
        self._known = self._sought = 0
        self._look_at = 0.0
        self._target: RoutingTable | None = None
        self._loading: int | None = None
        self._ordered = Event()
        self._thread: Thread | None = None

    def now(self, version: int = 0) -> Routed[V]:
        """Return the table in force.

        Args:
            version: the newest one as far as the caller heard; 0 where it heard nothing.

        Raises:
            NoRelease: there is none yet; every call looks for one.
            ReleaseError: there is one that cannot be trusted, and neither can its contract.
        """
        state = self._state
        if state is None:
            return self._start()
        if version > self._known and (version > self._sought or self._clock() >= self._look_at):
            self._sought = version
            self._look(state)
        elif state.missing and self._clock() >= self._look_at:
            self._look(state)
        return self._state or state

    def versions(self) -> list[str]:
        """Return all versions of the contract in the store, sorted."""
        return self._releases.versions(self._name())

    def _name(self) -> str:
        return self._contract or only_contract(self._releases)

    def _start(self) -> Routed[V]:
        """Load the newest table, as much of it as can be loaded."""
        name = self._contract = self._name()
        table = self._newest(name) or self._champion_only(name)
        loaded: dict[str, V] = {}
        missing = set()
        for version in table.releases:
            try:
                loaded[version] = self._prepare(name, version)
            except ReleaseError as error:
                self._refuse(version, error)
                if version != table.previous:
                    missing.add(version)
        if table.champion not in loaded:
            loaded[table.champion] = self._rules_only(name, table.champion)
        self._known = table.version
        self._look_at = self._clock() + RETRY_SECONDS
        state = self._take(table, loaded, frozenset(missing))
        self._tidy()
        return state

    def _newest(self, name: str) -> RoutingTable | None:
        """Return the newest table; one that was damaged where it lies is none, and looked for again."""
        try:
            return self._routing.latest(name)
        except RoutingError as error:
            self._unread(error)
            return None

    def _champion_only(self, name: str) -> RoutingTable:
        champion = self._releases.champion(name)
        if champion is None:
            raise NoRelease(
                f"no release of {name!r} serves yet: train one with `ebb train`; on a stage, publish it, and promote "
                "it with `ebb route promote VERSION --stage STAGE`"
            )
        return RoutingTable(0, "", champion)

    def _look(self, state: Routed[V]) -> None:
        """Read the newest table, and take it up, or order its releases."""
        self._look_at = self._clock() + LOOK_SECONDS
        try:
            table = self._routing.latest(self._contract)
        except EbbError as error:
            self._unread(error)
            return
        if table is None or table.version < state.table.version:
            table = state.table
        self._known = max(self._known, table.version)
        if table.version == self._loading or (table.version == state.table.version and not state.missing):
            return
        have = state.loaded_of(table)
        lacking = set(table.releases) - set(have)
        with self._swap:
            # From here on, no older table that is still being loaded can be taken up.
            self._target = table if lacking else None
        if lacking <= {table.previous}:
            self._take(table, have)
        if lacking or not set(state.releases) <= set(have):
            self._order()

    def _unread(self, error: EbbError) -> None:
        self._signals.count("routing_unread")
        self._report(f"the routing table cannot be read: {error}")

    def _order(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = Thread(target=self._load_orders, name="release-loader", daemon=True)
            self._thread.start()
        self._ordered.set()

    def _load_orders(self) -> None:
        while True:
            self._ordered.wait()
            self._ordered.clear()
            table = self._target
            if table is not None:
                self._loading = table.version
                try:
                    with short_turns():
                        self._load(table)
                finally:
                    self._loading = None
            # Not before `_load` is left, which itself holds on to the table that it replaced.
            self._tidy()

    def _load(self, table: RoutingTable) -> None:
        """Load what the table needs; a release that cannot be loaded leaves the old table in force."""
        state, name = self._state, self._contract
        loaded = state.loaded_of(table) if state else {}
        for version in table.releases:
            if version in loaded:
                continue
            try:
                loaded[version] = self._prepare(name, version)
            except Exception as error:  # noqa: BLE001 - whatever it is, the old table serves on
                self._refuse(version, error)
                if version == table.previous:
                    continue  # a rollback to it will be refused; nobody else needs it
                if self._target is table:
                    self._look_at = self._clock() + RETRY_SECONDS
                    self._known = state.table.version if state else 0
                return
            if self._target is not table:
                return  # a newer order has come
        self._take(table, loaded, ordered=True)

    def _refuse(self, version: str, error: Exception) -> None:
        self._signals.count("release_refused")
        self._report(f"release {version} refused: {error}")

    def _take(
        self,
        table: RoutingTable,
        loaded: Mapping[str, V],
        missing: frozenset[str] = frozenset(),
        *,
        ordered: bool = False,
    ) -> Routed[V]:
        with self._swap:
            state = self._state
            overtaken = ordered and self._target is not table
            if state is not None and (overtaken or table.version < state.table.version):
                return state
            again = state is not None and state.table.version == table.version
            state = self._state = Routed(table, loaded, missing)
        if not again:
            self._signals.count("routing_taken")
            self._signals.gauge("routing_version", table.version)
        return state
