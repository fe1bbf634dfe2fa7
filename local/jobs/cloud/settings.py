"""Where and as whom a job runs on SageMaker: a TOML file, overridden by options."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ebb.errors import Misuse

Uri = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$")]
_LONGEST_SECONDS = 2_419_200


class SageMakerSettings(BaseModel):
    """What SageMaker must be told beside the job itself.

    Attributes:
        role: ARN of the role that the job assumes.
        image: the job image, by tag or digest.
        region: of SageMaker and of the data.
        output: where results go, `s3://...`.
        instance_type: of the one machine.
        volume_gb: of its disk.
        max_seconds: the longest it may run.
        spot: use spare machines, which may be taken away: the job goes on from its checkpoints. Trainings only.
        max_wait_seconds: the longest it may run and wait for a spot machine; twice `max_seconds` where it is not said.
        checkpoints: where they are kept, `s3://...`; needed with `spot`.
        subnets: of the network that the job runs in; none for SageMaker's own.
        security_groups: likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")]
    image: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    output: Uri
    instance_type: Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")] = "ml.m7i.2xlarge"
    volume_gb: Annotated[int, Field(ge=1, le=16_384)] = 30
    max_seconds: Annotated[int, Field(ge=1, le=_LONGEST_SECONDS)] = 3_600
    spot: bool = False
    max_wait_seconds: Annotated[int, Field(ge=1, le=_LONGEST_SECONDS)] | None = None
    checkpoints: Uri | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.spot and self.checkpoints is None:
            raise ValueError("spot needs checkpoints: without them an interrupted search starts anew")
        if self.max_wait_seconds is not None and self.max_wait_seconds < self.max_seconds:
            raise ValueError("max_wait_seconds must be at least max_seconds, which it includes")
        if bool(self.subnets) != bool(self.security_groups):
            raise ValueError("subnets and security_groups belong together")
        return self

    def place(self, name: str) -> str:
        """Return where the results of a run go."""
        return f"{self.output.rstrip('/')}/{name}/output"

    @property
    def longest_wait(self) -> int:
        """Seconds that a spot training may run and wait."""
        return self.max_wait_seconds or 2 * self.max_seconds


def read_settings(path: Path | None, overrides: Mapping[str, Any]) -> SageMakerSettings:
    """Read the table `[sagemaker]` of a TOML file; what is overridden with anything but None wins.

    Raises:
        Misuse: the file cannot be read, or a value is missing, unknown or impossible; names the first.
    """
    told = {**_table(path), **{name: value for name, value in overrides.items() if value is not None}}
    try:
        return SageMakerSettings.model_validate(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(map(str, first["loc"])) or "the settings"
        source = f"{path} and the options" if path else "the options"
        raise Misuse(f"SageMaker cannot be asked: {name}: {first['msg']} (in {source})") from None


def _table(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text()).get("sagemaker", {})
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misuse(f"{path} is no TOML: {error}") from None
    if not isinstance(found, dict):
        raise Misuse(f"{path}: [sagemaker] must be a table")
    return found
