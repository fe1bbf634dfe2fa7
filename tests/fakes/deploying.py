"""AWS as a table of answers, and a stage that calls nobody: what the steps of a deployment are tried with."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cdk.stage import Stage
from cdk.stages import stage_named
from ebb.errors import EbbError
from local.deploying.deployment import Deployment, Patience, Workshop
from local.deploying.words import AwsRefused
from training.progress import Silent

if TYPE_CHECKING:
    from local.calling import Caller
    from local.deploying.aws import Aws

Answer = Any
ACCOUNT = "123456789012"


@dataclass
class FakeAws:
    """Answers each operation by its table: a value, an exception, a list of those in turn, or a function.

    Attributes:
        answers: by operation.
        asked: (operation, what was given), in order.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    region: str = "us-east-1"

    def call(self, service: str, operation: str, *, region: str = "", patience: float = 0.0, **given: Any) -> Any:
        """Answer as the table says."""
        del service, patience
        self.asked.append((operation, {**given, "region": region}))
        answer = self.answers[operation]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(**given)
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(code: str, told: str = "no") -> AwsRefused:
    """Return AWS's refusal."""
    return AwsRefused(f"AWS refuses ({code}): {told}", code, told)


def stacks(**by_name: Mapping[str, Any] | None) -> Callable[..., Any]:
    """Answer `describe_stacks`: by the name's last part, `_` for `-`; without a status it stands."""

    def describe(StackName: str, **_: Any) -> Any:  # noqa: N803 - AWS's own name
        told = by_name.get(StackName.removeprefix("ebb-dev-").replace("-", "_"))
        if told is None:
            return refused("ValidationError", f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": key, "OutputValue": value} for key, value in told.get("outputs", {}).items()]
        status = told.get("status", "CREATE_COMPLETE")
        return {"Stacks": [{"StackStatus": status, "StackStatusReason": "", "Outputs": outputs}]}

    return describe


TOOLKIT: dict[str, Any] = {"CDKToolkit": {}}
STORE: dict[str, Any] = {
    "feature_store": {"outputs": {"ClusterArn": "cluster", "AdministratorArn": "secret", "MigrateName": "migrate"}}
}


@dataclass
class FakeCaller:
    """The API of a stage, as far as a first routing table goes.

    Attributes:
        champion: of its table; empty for none.
        failures: raised first, one a call.
        promoted: versions that were made champion.
    """

    champion: str = ""
    failures: list[EbbError] = field(default_factory=list)
    promoted: list[str] = field(default_factory=list)

    class entrance:  # noqa: N801 - an attribute
        """Where calls would go in."""

        told = "the stage 'dev'"

    def show_routing(self) -> dict[str, Any]:
        """Return the table."""
        from local.calling.sentences import Refused  # noqa: PLC0415 - a fake loads no client before it is used

        if self.failures:
            raise self.failures.pop(0)
        if not self.champion:
            raise Refused("503 there is no routing table yet", 503, "no-release")
        return {"version": 1, "roles": [{"role": "champion", "release": self.champion}]}

    def promote(self, release: str, based_on: int | None = None) -> dict[str, Any]:
        """Begin the table."""
        assert based_on == 0
        self.promoted.append(release)
        self.champion = release
        return self.show_routing()


def assembly(folder: Path, **templates: Mapping[str, Any]) -> Path:
    """Write what `cdk synth` leaves, of stacks of dev by the last part of their name."""
    folder.mkdir(exist_ok=True)
    artifacts = {"Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}}}
    for part, template in templates.items():
        file = f"ebb-dev-{part.replace('_', '-')}.template.json"
        (folder / file).write_text(json.dumps(template))
        artifacts[file.partition(".")[0]] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://unknown-account/us-east-1",
            "properties": {"templateFile": file},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def deployment(
    folder: Path,
    *,
    aws: FakeAws | None = None,
    caller: FakeCaller | None = None,
    stage: Stage | None = None,
    chosen: frozenset[str] = frozenset(),
    stale: list[str] | None = None,
    **more: Any,
) -> Deployment:
    """Return a deployment that waits for nothing, and packs by taking names from `stale`."""

    @contextmanager
    def lend(_stage: str) -> Iterator[Path]:
        yield folder / "assembly"

    left = [] if stale is None else stale
    shop = Workshop(lend, lambda _arch: list(left), lambda _arch, _progress: left.clear())
    return Deployment(
        stage or stage_named("dev"),
        cast("Aws", aws or FakeAws()),
        cast("Caller", caller or FakeCaller()),
        Silent(),
        folder,
        chosen=chosen,
        workshop=shop,
        patience=Patience(poll=0.001, database=0.05, stacks=0.05, answering=0.05),
        **more,
    )
