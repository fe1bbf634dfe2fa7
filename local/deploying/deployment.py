"""What the steps of one deployment work with."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cdk.archives import unpacked
from cdk.stage import Stage
from ebb.errors import NoRelease, ReleaseError
from local.calling import Caller
from local.deploying.aws import Aws
from local.deploying.stacks import StackState, outputs_of
from local.deploying.words import AwsRefused
from local.serving.release import DEFAULT_RELEASES, Served, find_release
from local.synthesized import synthesized
from training.progress import Progress

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds.

    Attributes:
        poll: between one look and the next.
        database: until Aurora has started.
        stacks: until what CloudFormation is already doing has ended.
        answering: until a stage that was just made, or told of a release, answers as it should.
    """

    poll: float = 3.0
    database: float = 900.0
    stacks: float = 3_600.0
    answering: float = 180.0


def _pack(architecture: str, progress: Progress) -> None:
    from local.package.build import build  # noqa: PLC0415 - only where something is stale

    build(_ROOT, architecture, progress)


@dataclass(frozen=True)
class Workshop:
    """What makes that which is deployed; the checkout's own where nothing else is said.

    Attributes:
        templates: lends the folder of a stage's templates.
        unpacked: names the archives that are not packed from what the sources are, by architecture.
        pack: packs them.
    """

    templates: Callable[[str], AbstractContextManager[Path]] = synthesized
    unpacked: Callable[[str], list[str]] = lambda architecture: unpacked(_ROOT, architecture)
    pack: Callable[[str, Progress], None] = _pack


@dataclass(frozen=True)
class Deployment:
    """One stage to be deployed.

    Attributes:
        stage: its values.
        aws: where it stands.
        caller: calls its API.
        progress: shows how far a step is.
        folder: for the log of what runs as a process of its own.
        release: that is published; None for the local champion of the stage's contract.
        features: the table that is loaded; None for none.
        chosen: names of the steps that are to be taken.
        workshop, patience: see there.
    """

    stage: Stage
    aws: Aws
    caller: Caller
    progress: Progress
    folder: Path
    release: Path | None = None
    features: Path | None = None
    chosen: frozenset[str] = frozenset()
    workshop: Workshop = field(default_factory=Workshop)
    patience: Patience = field(default_factory=Patience)

    @cached_property
    def served(self) -> Served:
        """The release that is published, verified and loaded here.

        Raises:
            NoRelease: there is none.
            ReleaseError: it is damaged, or of another contract than the stage's.
        """
        contract = self.stage.contract
        found = find_release(self.release or _usual(contract))
        if found.release is None:
            raise NoRelease(
                f"there is no local release of {contract!r} to publish: train one (`ebb train`), or name it with "
                f"--release FOLDER"
            )
        if found.contract != contract:
            raise ReleaseError(
                f"the stage {self.stage.name!r} serves the contract {contract!r}, and the release is of "
                f"{found.contract!r}: name another with --release, or change `contract` in cdk/stages.py"
            )
        return found

    @property
    def version(self) -> str:
        """The version of `served`."""
        release = self.served.release
        if release is None:
            raise AssertionError("`served` holds a release, or says why not")
        return release.manifest.version

    @cached_property
    def account(self) -> str:
        """The id of the account.

        Raises:
            AwsRefused: nobody is signed in.
        """
        return str(self.aws.call("sts", "get_caller_identity")["Account"])

    @cached_property
    def offline(self) -> str:
        """Why AWS cannot be asked; empty where it can."""
        try:
            return "" if self.account else "AWS names no account"
        except AwsRefused as error:
            return str(error)

    def stack(self, part: str) -> StackState | None:
        """Return one of its stacks as it stands; None where it does not.

        Raises:
            AwsRefused: AWS cannot be asked.
        """
        return StackState.read(self.aws, f"ebb-{self.stage.name}-{part}")

    def output(self, part: str, name: str) -> str:
        """Return an output of one of its stacks.

        Raises:
            AwsRefused: AWS cannot be asked.
            NotThere: the stack or its output does not stand.
        """
        return outputs_of(self.stack(part), f"ebb-{self.stage.name}-{part}", name)


def _usual(contract: str) -> Path | None:
    """Return the contract's own folder of releases, as there may be others beside it; None where it has none."""
    own = DEFAULT_RELEASES / contract
    return own if own.is_dir() else None
