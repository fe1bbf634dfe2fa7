"""The road to the durable tier: a breaker on the server, and a budget so that a lost fast tier never floods it."""

from collections.abc import Mapping, Sequence

from ebb.errors import Unavailable
from ebb.ports import DurableTier, FeatureRecord, Signals
from ebb.resilience.breaker import Breaker, State
from ebb.resilience.budget import RateBudget


class Busy(Unavailable):
    """The budget of this process is spent; the server itself may be well."""


class DurableFallback:
    """Reads the durable tier for the prediction path.

    Args:
        durable: the tier.
        breaker: on its server.
        budget: queries that this process may make.
        signals: takes `durable_denied`, once for each query above the budget.
    """

    def __init__(self, durable: DurableTier, breaker: Breaker, budget: RateBudget, signals: Signals) -> None:
        self._durable, self._breaker, self._budget, self._signals = durable, breaker, budget, signals

    def read(self, entity_ids: Sequence[str], *, may_probe: bool = True) -> Mapping[str, FeatureRecord]:
        """Return what the durable tier holds of these entities, tombstones too, in one query.

        Args:
            entity_ids: whom.
            may_probe: whether this read may be the one that finds out if a lost server is back. Whoever has another
                answer at hand should not pay for that.

        Raises:
            Busy: the budget is spent.
            Unavailable: the tier does not answer, or is left alone since it has not answered lately.
        """
        if not may_probe and self._breaker.state is not State.CLOSED:
            raise Unavailable("Postgres is left alone until somebody finds it back")
        if not self._breaker.allows():
            raise Unavailable("Postgres is left alone for a moment, since it did not answer")
        if not self._budget.take():
            self._signals.count("durable_denied")
            raise Busy("too many reads fell through to Postgres")
        try:
            records = self._records(entity_ids)
        except Unavailable as error:
            self._breaker.failed(timeout=error.timeout)
            raise
        self._breaker.succeeded()
        return records

    def _records(self, entity_ids: Sequence[str]) -> Mapping[str, FeatureRecord]:
        if len(entity_ids) > 1:
            return self._durable.read_many(entity_ids)
        record = self._durable.read(entity_ids[0])
        return {} if record is None else {entity_ids[0]: record}
