"""How patient and how insistent a client is."""

from dataclasses import dataclass

from ebb.errors import Misuse


@dataclass(frozen=True)
class Policy:
    """Deadlines, retries and hedges; every time in seconds.

    Attributes:
        deadline: of a whole call: connecting, tries, pauses, hedges and renewing the token.
        try_timeout: of one try, where it should end before the deadline; None for what remains.
        connect_timeout: of one connection.
        retries: of one call, at most.
        retry_share, retry_burst: retries per call over all calls, and how many at once beyond that.
        backoff, backoff_cap: the first pause is drawn from 0 to `backoff`; the range doubles up to the cap.
        hedging: whether a second endpoint is asked where the first is slow.
        hedge_floor, hedge_cap: bounds of the delay, which is the recent 95th percentile of the first endpoint's
            answers; the cap until 64 are known. Equal ones make it fixed.
        hedge_share, hedge_burst: hedges per call over all calls, and how many at once beyond that.
        connections: kept open to each endpoint, and open to it at once.
    """

    deadline: float = 2.0
    try_timeout: float | None = None
    connect_timeout: float = 1.0
    retries: int = 3
    retry_share: float = 0.1
    retry_burst: float = 10.0
    backoff: float = 0.05
    backoff_cap: float = 1.0
    hedging: bool = True
    hedge_floor: float = 0.01
    hedge_cap: float = 0.25
    hedge_share: float = 0.05
    hedge_burst: float = 10.0
    connections: int = 100

    def __post_init__(self) -> None:
        """Refuse what could only fail later.

        Raises:
            Misuse: names the value.
        """
        positive = ("deadline", "connect_timeout", "retry_burst", "hedge_burst", "connections")
        shares = ("retry_share", "hedge_share")
        if any(getattr(self, name) <= 0 for name in positive) or (self.try_timeout or 1) <= 0 or self.retries < 0:
            raise Misuse(f"a client's policy needs {', '.join(positive)} and try_timeout above 0, and no retries below")
        if not all(0 <= getattr(self, name) <= 1 for name in shares):
            raise Misuse(f"{' and '.join(shares)} of a client's policy are shares of all calls: 0 to 1")
        if not 0 <= self.backoff <= self.backoff_cap or not 0 <= self.hedge_floor <= self.hedge_cap:
            raise Misuse("backoff and hedge_floor of a client's policy are 0 or more, and at most their caps")
