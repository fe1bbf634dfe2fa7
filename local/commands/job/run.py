"""`ebb job run`: one job, on this machine or on SageMaker."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ebb.errors import Misuse
from local.commands.job import options as o
from local.commands.job.pairs import once, pairs
from local.terminal import console, errors, next_step, plain, print_facts, print_json

if TYPE_CHECKING:
    from local.jobs.cloud.settings import SageMakerSettings
    from local.jobs.request import JobRequest


def run(
    name: o.Name,
    *,
    inputs: o.Inputs = None,
    parameters: o.Parameters = None,
    out: o.Out = None,
    checkpoints: o.Checkpoints = None,
    max_seconds: o.MaxSeconds = None,
    here: o.Here = False,
    job_name: o.JobName = None,
    grace: o.Grace = 120.0,
    interrupt_after: o.InterruptAfter = None,
    there: o.There = False,
    config: o.Config = None,
    role: o.Role = None,
    image: o.Image = None,
    region: o.Region = None,
    instance_type: o.InstanceType = None,
    spot: o.Spot = None,
    wait: o.Wait = False,
    as_json: o.AsJson = False,
) -> None:
    """Run one job by SageMaker's container contract; the scripts are the same on this machine and there.

    Example:  ebb job run train --local --input contract=churn.toml --input train=train.parquet --set seconds=60
    """
    from local.jobs.cloud.settings import read_settings  # noqa: PLC0415 - keeps `ebb --help` quick
    from local.jobs.request import JobRequest, unique_name  # noqa: PLC0415 - as above
    from training.jobs.table import job_named  # noqa: PLC0415 - as above

    if here == there:
        raise Misuse("say either --local or --sagemaker")
    job, told = job_named(name), once("--set", parameters or ())
    if there:
        given: dict[str, object] = {"role": role, "image": image, "region": region, "output": out, "spot": spot}
        given |= {"instance_type": instance_type, "checkpoints": checkpoints, "max_seconds": max_seconds}
        _there(name, once("--input", inputs or ()), told, read_settings(config, given), wait=wait, as_json=as_json)
        return
    request = JobRequest(
        name=job_name or unique_name(name),
        job=job,
        inputs=_files(inputs or ()),
        target=Path(out or "jobs"),
        parameters=told,
        checkpoints=None if checkpoints is None else Path(checkpoints),
        grace_seconds=grace,
        max_seconds=max_seconds,
    )
    _here(request, interrupt_after, as_json=as_json)


def _files(inputs: Sequence[str]) -> dict[str, list[Path]]:
    files: dict[str, list[Path]] = defaultdict(list)
    for name, path in pairs("--input", inputs):
        files[name].append(Path(path))
    return files


def _here(request: "JobRequest", interrupt_after: float | None, *, as_json: bool) -> None:
    from local.jobs.executor import JOBS  # noqa: PLC0415 - as above
    from local.jobs.run import JobRun  # noqa: PLC0415 - as above
    from local.jobs.status import refuse_failed  # noqa: PLC0415 - as above
    from local.supervisor.state import make_state_folder, state_folder  # noqa: PLC0415 - as above

    make_state_folder(state_folder())
    job = JobRun(state_folder() / JOBS, request, _show, interrupt_after)
    job.prepare()
    status = job.run()
    if as_json:
        print_json(status.model_dump())
    refuse_failed(status)
    if as_json:
        return
    facts = {"status": status.told, "results": status.output}
    if status.interruptions:
        facts["interruptions"] = f"{status.interruptions}, each gone on from the checkpoints"
    print_facts(f"Job {status.name}", facts)


def _there(
    name: str,
    inputs: Mapping[str, str],
    parameters: Mapping[str, str],
    settings: "SageMakerSettings",
    *,
    wait: bool,
    as_json: bool,
) -> None:
    from local.jobs.cloud.submit import CloudRequest, submit  # noqa: PLC0415 - as above
    from training.jobs.table import job_named  # noqa: PLC0415 - as above

    job = job_named(name)
    started = submit(CloudRequest(job, inputs, settings, parameters, wait))
    if as_json:
        print_json({"name": started, "region": settings.region, "output": settings.place(started)})
        return
    console.print(f"SageMaker runs {started}; its results go to {settings.place(started)}", markup=False)
    next_step(f"aws sagemaker describe-{job.kind}-job --{job.kind}-job-name {started} --region {settings.region}")


def _show(line: str) -> None:
    errors.print(plain(line))
