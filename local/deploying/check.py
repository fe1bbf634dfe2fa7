"""Step `check`: whether everything is here that the other steps need, before any of them changes something."""

from collections.abc import Iterator

from cdk.archives import ArchiveError
from cdk.stage import Stage
from ebb.errors import EbbError
from local.deploying.command_line import command_line
from local.deploying.deployment import Deployment
from local.deploying.stacks import StackState
from local.deploying.step import Outcome
from local.synthesized import CDK

_EXAMPLES = ("example.com", "example.org", "example.net", "example")
_TOOLKIT = "CDKToolkit"
"""The stack of `cdk bootstrap`, without which nothing can be uploaded."""


class NotReady(EbbError):
    """Something is missing here or in the account; nothing was changed."""


class Check:
    """The step."""

    name = "check"

    def look(self, at: Deployment) -> Outcome:
        """Say what is here, and what `take` would do about it."""
        stale = _before_aws(at)
        todo = f"would pack {', '.join(stale)}; " if stale else ""
        if at.offline:
            return Outcome("would", f"{todo}AWS was not asked: {at.offline}")
        _bootstrapped(at)
        return Outcome("would" if stale else "already", f"{todo}account {at.account}, {at.stage.region}")

    def take(self, at: Deployment) -> Outcome:
        """Refuse what could only fail later; pack what is stale."""
        stale = _before_aws(at)
        told = f"account {at.account}, {at.stage.region}"
        _bootstrapped(at)
        if not stale:
            return Outcome("already", told)
        at.workshop.pack(at.stage.serving.architecture, at.progress)
        return Outcome("done", f"packed {', '.join(stale)}; {told}")


def _before_aws(at: Deployment) -> list[str]:
    """Check what needs no account, and return the archives that are to be packed."""
    for wrong in _examples(at.stage):
        raise NotReady(f"the stage {at.stage.name!r} has {wrong}: write your own into cdk/stages.py")
    if at.chosen & {"release", "routing"}:
        at.served  # noqa: B018 - finds, verifies and loads it
    if at.features is not None and not at.features.exists():
        raise NotReady(f"there is no table {at.features}: check --features")
    if "cdk" not in at.chosen:
        return []
    command_line()
    try:
        return at.workshop.unpacked(at.stage.serving.architecture)
    except ArchiveError as error:
        raise NotReady(str(error)) from None


def _examples(stage: Stage) -> Iterator[str]:
    """Yield values that only show how a value looks."""
    named = {
        "the domain": stage.domain.name if stage.domain else "",
        "the zone": stage.domain.zone if stage.domain else "",
        "the issuer": stage.access.issuer.removeprefix("https://").partition("/")[0],
        **{f"the address for alarms {each}, on": each.rpartition("@")[2] for each in _told(stage)},
    }
    for what, host in named.items():
        if host in _EXAMPLES or host.endswith(tuple(f".{example}" for example in _EXAMPLES)):
            yield f"{what} {host}, which is only an example"


def _told(stage: Stage) -> tuple[str, ...]:
    return tuple(each for each in (*stage.watch.page, *stage.watch.ticket) if "@" in each)


def _bootstrapped(at: Deployment) -> None:
    if "cdk" not in at.chosen:
        return
    for region in sorted({at.stage.region, *([at.stage.edge.region] if at.stage.edge else [])}):
        toolkit = StackState.read(at.aws, _TOOLKIT, region)
        if toolkit is None or not toolkit.stands:
            stands = "stands in " + toolkit.status if toolkit else "is missing"
            raise NotReady(
                f"CDK's own stack {_TOOLKIT} {stands} in {region} of account {at.account}: run "
                f"`{CDK} bootstrap aws://{at.account}/{region}` once"
            )
