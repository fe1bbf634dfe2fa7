"""Which invocations are traced: on AWS X-Ray decides, and Lambda hands it on in the trace header; here a share does.

Format: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ebb.errors import Misuse

SHARE, DAEMON = "EBB_TRACE_SHARE", "AWS_XRAY_DAEMON_ADDRESS"


@dataclass(frozen=True)
class Tracing:
    """What the local cloud is told of traces.

    Attributes:
        share: of all invocations that are sampled, 0 to 1.
        daemon: host and port that segments are sent to by UDP; empty where there is none, and nothing is traced.
    """

    share: float = 0.0
    daemon: str = ""

    @staticmethod
    def from_environment(environment: Mapping[str, str]) -> "Tracing":
        """Read the variables EBB_TRACE_SHARE and AWS_XRAY_DAEMON_ADDRESS.

        Raises:
            Misuse: the share is no number from 0 to 1.
        """
        try:
            share = float(environment.get(SHARE) or 0)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            raise Misuse(f"the environment variable {SHARE} must be a number from 0 to 1, such as 0.05")
        return Tracing(share, environment.get(DAEMON, ""))

    @property
    def variables(self) -> dict[str, str]:
        """What functions are told."""
        return {DAEMON: self.daemon} if self.daemon else {}


class Sampler:
    """Spreads the sampled invocations of one environment evenly.

    Args:
        share: of all, 0 to 1.
    """

    def __init__(self, share: float) -> None:
        self._share, self._due = share, 1.0 - share  # the first is

    def header(self, now: int, identity: bytes) -> bytes:
        """Return the next invocation's trace header.

        Args:
            now: epoch seconds.
            identity: the request id.
        """
        sampled = 0
        if self._share:
            self._due += self._share
            if self._due >= 1.0:
                self._due -= 1.0
                sampled = 1
        digits = identity.replace(b"-", b"")
        return b"Root=1-%08x-%b;Parent=%b;Sampled=%d" % (now, digits[-24:], digits[-16:], sampled)
