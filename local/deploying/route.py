"""Step `routing`: the first routing table. One that is there is never changed: that is what `ebb route` is for."""

from local.calling.sentences import Refused
from local.deploying.answering import when_answering
from local.deploying.deployment import Deployment
from local.deploying.step import Outcome

_NONE = "no-release"
_BEFORE_THE_FIRST = 0


class Route:
    """The step."""

    name = "routing"

    def look(self, at: Deployment) -> Outcome:
        """Ask the API for its table."""
        if at.offline or at.stack("inference") is None:
            return Outcome("would", f"would make {at.version} the first champion")
        champion = champion_of(at)
        return _standing(at, champion) if champion else Outcome("would", f"would make {at.version} the first champion")

    def take(self, at: Deployment) -> Outcome:
        """Make the release the first champion, where there is none."""
        champion = when_answering(at, lambda: champion_of(at))
        if champion:
            return _standing(at, champion)
        with at.progress.step("Making the first routing table", 1):
            document = at.caller.promote(at.version, _BEFORE_THE_FIRST)
        return Outcome("done", f"{at.version} is the champion of routing table {document['version']}")


def champion_of(at: Deployment) -> str:
    """Return the version of the stage's champion; empty where there is no routing table yet.

    Raises:
        Refused, Unavailable: the API refuses, or does not answer.
    """
    try:
        document = at.caller.show_routing()
    except Refused as error:
        if error.problem != _NONE:
            raise
        return ""
    return next(str(role["release"]) for role in document["roles"] if role["role"] == "champion")


def _standing(at: Deployment, champion: str) -> Outcome:
    if champion == at.version:
        return Outcome("already", f"{champion} is the champion")
    return Outcome(
        "skipped",
        f"{champion} stays the champion; `ebb route promote {at.version} --stage {at.stage.name}` changes that",
    )
