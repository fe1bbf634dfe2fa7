"""The options of `ebb job run`, each with what it means."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[str, typer.Argument(help="Which job: features, validate, train, evaluate or batch.")]
Inputs = Annotated[
    list[str] | None, typer.Option("--input", help="An input, NAME=FILE or NAME=s3://...; again for more.")
]
Parameters = Annotated[list[str] | None, typer.Option("--set", help="A parameter, NAME=VALUE; again for more.")]
Out = Annotated[str | None, typer.Option(help="Where results go: a folder (default: jobs), or s3://...")]
Checkpoints = Annotated[str | None, typer.Option(help="What a later run goes on from: a folder, or s3://...")]
MaxSeconds = Annotated[int | None, typer.Option(min=1, help="The longest it may run.")]

Here = Annotated[bool, typer.Option("--local", help="Run it on this machine.")]
JobName = Annotated[str | None, typer.Option(help="Name of this run; default: one with the time (--local).")]
Grace = Annotated[float, typer.Option(min=0, help="Seconds from SIGTERM to SIGKILL (--local).")]
InterruptAfter = Annotated[
    float | None, typer.Option(min=0, help="Interrupt it once after these seconds, as spot does (--local).")
]

There = Annotated[bool, typer.Option("--sagemaker", help="Run it on SageMaker.")]
Config = Annotated[Path | None, typer.Option(help=r"TOML file with a table \[sagemaker] of what follows.")]
Role = Annotated[str | None, typer.Option(help="ARN of the role it runs as (--sagemaker).")]
Image = Annotated[str | None, typer.Option(help="The job image (--sagemaker).")]
Region = Annotated[str | None, typer.Option(help="AWS region (--sagemaker).")]
InstanceType = Annotated[str | None, typer.Option(help="Machine, such as ml.m7i.2xlarge (--sagemaker).")]
Spot = Annotated[bool | None, typer.Option("--spot/--no-spot", help="Use spare machines (--sagemaker).")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for its end and show its log (--sagemaker).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
