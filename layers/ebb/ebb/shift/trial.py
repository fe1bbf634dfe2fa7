"""The trial of a version: it loads every release of the newest routing table, and each answers its golden examples."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from ebb.errors import ReleaseError, Unavailable
from ebb.shift.function import ShiftedFunction
from ebb.shift.questions import HEALTH, NAMED, ONE, SERVES, question

ANSWER_SECONDS = 60.0
"""For one answer with all its tries: a cold start, and a release that is loaded within the function's ten seconds."""

_OK = 200


@dataclass(frozen=True)
class Trial:
    """Asks a version, or what an alias names.

    Args:
        function: whose version it is.
        qualifier: the version or the alias.
        left: returns the seconds that are left for all of it.
    """

    function: ShiftedFunction
    qualifier: str
    left: Callable[[], float]

    def hold(self) -> str:
        """Try every release, and look at what serves; return a sentence that says what was seen.

        Without a release yet it is enough that the function answers.

        Raises:
            ReleaseError: a release is refused, or does not serve.
            Unavailable: the function does not answer, or time ran out.
        """
        named = self._ask(NAMED)
        releases: list[str] = named["releases"]
        if not releases:
            self._ask(HEALTH)
            return f"{self.qualifier} answers; there is no release yet that it could load"
        for done, release in enumerate(releases):
            self._try(release, f"{done} of {len(releases)} releases were tried")
        missing = self._ask(SERVES)["missing"]
        if missing:
            raise ReleaseError(
                f"an environment of {self.qualifier} serves without {', '.join(missing)}, though it can load them now: "
                "deploy again"
            )
        return (
            f"{self.qualifier} loads all {len(releases)} releases of routing table {named['routing']} "
            f"({', '.join(releases)}), and each answers its golden examples"
        )

    def _try(self, release: str, so_far: str) -> None:
        refused = self._ask(ONE, {"release": release}, so_far)["refused"]
        if refused is not None:
            raise ReleaseError(f"{self.qualifier} refuses release {release}: {refused}")

    def _ask(self, key: str, body: Mapping[str, Any] | None = None, so_far: str = "") -> dict[str, Any]:
        left = self.left()
        if left <= 0:
            raise Unavailable(f"time ran out before {key!r} could be asked of {self.qualifier} ({so_far or 'at once'})")
        answered = self.function.invoke(self.qualifier, question(key, body), min(ANSWER_SECONDS, left))
        try:
            status, document = answered["statusCode"], orjson.loads(answered["body"])
        except (KeyError, TypeError, ValueError):
            raise Unavailable(f"{self.qualifier} answers {key!r} with what no gateway could hand on") from None
        if status != _OK:
            told = document.get("detail", "") if isinstance(document, dict) else ""
            raise Unavailable(f"{self.qualifier} answers {key!r} with status {status}: {told}")
        return dict(document)
