"""Entry of the maintenance function."""

import os
from typing import Any

from ebb.errors import EbbError
from ebb.http.doors import place_of, report_to_log
from ebb.trace import watched
from lambdas.maintain.bootstrap import bootstrap

MAINTENANCE = bootstrap(os.environ)


@watched()
def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Run the task that the schedule names: `{"task": "all"}`; no error carries what was read."""
    task = event.get("task", "all")
    try:
        return {"task": task, **MAINTENANCE.run(task)}
    except EbbError as error:
        return {"failed": {"task": str(error)}}
    except Exception as error:  # noqa: BLE001 - a traceback names arguments, which may be personal
        what = f"unexpected {type(error).__name__} in {place_of(error)}"
        report_to_log(what, getattr(context, "aws_request_id", ""))
        return {"failed": {"task": what}}
