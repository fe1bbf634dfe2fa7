"""The main job from beginning to end on synthetic data: what `make demo` runs.

Every step is the `ebb` command that a reader can type; the demo keeps its files in `demo/`.
"""

import os
import sys
import time
from pathlib import Path
from statistics import median

import httpx
import pyarrow.parquet
from rich.markup import escape

from ebb.errors import EbbError
from local.calling.local_cloud import local_cloud, mint
from local.cli import run
from local.supervisor.down import down
from local.terminal import INTERRUPTED, console, errors, next_step, print_table

FOLDER = Path("demo")
ROWS, SEED, SCORED = 100_000, 0, 8
CONTRACT = Path("training/contracts/synthetic.toml")


class StepFailed(EbbError):
    """One of the demo's commands did not succeed."""


def main(arguments: list[str]) -> int:
    """Run the demo; `--keep` leaves the local cloud running."""
    keep = "--keep" in arguments
    os.environ["EBB_HOME"] = str((FOLDER / ".ebb").absolute())
    began = time.perf_counter()
    try:
        _build()
        _serve_and_score()
    except EbbError as error:
        errors.print(f"[bold red]demo:[/bold red] {escape(str(error))}")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if not keep:
            stopped = down(Path(os.environ["EBB_HOME"]))
            if stopped.was_up:
                console.print(f"[dim]The local cloud is down again ({stopped.seconds:.1f} s).[/dim]")
    console.print(f"\n[bold]Done in {time.perf_counter() - began:.0f} s.[/bold]")
    _next(keep=keep)
    return 0


def _build() -> None:
    """From nothing to a release."""
    if down(Path(os.environ["EBB_HOME"])).was_up:
        console.print("[dim]The local cloud of an earlier demo was taken down first.[/dim]")
    data = FOLDER / "customers.parquet"
    _step("1. Generate customers", f"synthesize --rows {ROWS} --seed {SEED} --out {FOLDER}")
    _step("2. Draft a contract", f"init {data} --label churned --out {FOLDER / 'draft.toml'} --force")
    console.print(f"[dim]The draft is for review; the reviewed contract is {CONTRACT}.[/dim]")
    _step(
        "3. Validate, train, check, release", f"train --contract {CONTRACT} --data {data} --out {FOLDER / 'releases'}"
    )


def _serve_and_score() -> None:
    data, releases = FOLDER / "customers.parquet", FOLDER / "releases"
    _step("4. Bring the local cloud up", f"up --release {releases} --data {data} --port 0 --detach")
    console.rule("[bold]5. Score customers over HTTP", align="left")
    state = local_cloud()
    token = mint("demo", ("predict", "explain"), 5)
    headers = "-H 'authorization: Bearer ...' -H 'content-type: application/json'"
    console.print(f"[cyan]$ curl {headers} -d '{{\"entity_id\": ...}}' .../v1/predictions[/cyan]")
    rows, times = [], []
    with httpx.Client(base_url=state.url, headers={"authorization": f"Bearer {token}"}, timeout=15) as client:
        for entity_id in _first_customers(data):
            body = {"entity_id": entity_id, "explain": True}
            start = time.perf_counter()
            response = client.post("/v1/predictions", json=body)
            times.append((time.perf_counter() - start) * 1e3)
            if response.status_code != httpx.codes.OK:
                raise StepFailed(f"scoring {body['entity_id']} answered {response.status_code}: {response.text[:200]}")
            rows.append(_row(response.json(), times[-1]))
    print_table("Answers", ["entity", "probability", "decision", "strongest reason", "ms"], rows)
    console.print(f"Median of {SCORED} explained answers: {median(times):.1f} ms.")


def _first_customers(data: Path) -> list[str]:
    """Return some entity ids of the table."""
    found: list[str] = pyarrow.parquet.read_table(data, columns=["customer_id"]).slice(0, SCORED)[0].to_pylist()
    return found


def _row(answer: dict[str, object], milliseconds: float) -> tuple[object, ...]:
    reasons = answer["reasons"]
    assert isinstance(reasons, list)  # noqa: S101 - as the API promises
    strongest = f"{reasons[0]['feature']} {reasons[0]['contribution']:+.3f}" if reasons else "-"
    probability = f"{answer['probability']:.4f}"
    return answer["entity_id"], probability, answer["decision"], strongest, f"{milliseconds:.1f}"


def _step(title: str, command: str) -> None:
    console.rule(f"[bold]{title}", align="left")
    console.print(f"[cyan]$ ebb {command}[/cyan]")
    _ebb(*command.split())


def _ebb(*arguments: str) -> None:
    code = run(list(arguments))
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code:
        raise StepFailed(f"`ebb {' '.join(arguments)}` ended with {code}")


def _next(*, keep: bool) -> None:
    home = os.environ["EBB_HOME"]
    if keep:
        whom = _first_customers(FOLDER / "customers.parquet")[-1]
        score = f"ebb score {whom} --explain"
        next_step("source .venv/bin/activate", f"export EBB_HOME={home}", score, "ebb status", "ebb down")
    else:
        next_step("make demo KEEP=1", "xdg-open demo/releases/synthetic/*/card.html", "make test")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
