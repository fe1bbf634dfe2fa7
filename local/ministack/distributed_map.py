"""What MiniStack 1.5.33 leaves out of a Distributed Map, added to its interpreter.

Its own are the listing of objects, child executions, their concurrency and the record of the map run. It reads JSONPath
but no JSONata in `ItemReader`, passes over `ItemBatcher`, `ResultWriter` and `Output`, counts batches where AWS counts
items, and shows a child the context of its parent. That is added here after the Step Functions Developer Guide ("Map
state in Distributed mode", "ItemBatcher", "ResultWriter", "Tolerated failure threshold"). Not added: redriving, and
ending the other children as soon as too many have failed.
"""

# ruff: noqa: SLF001 - what is added to an interpreter reaches into it

import json
from collections.abc import Callable
from typing import Any

from local.ministack.batches import batches
from local.ministack.results import write_results

_BATCHER = "_ItemBatcher"
_JSON = dict[str, Any]


class DistributedMap:
    """Stands in front of three functions of `ministack.services.stepfunctions`.

    Args:
        states: that module.
        s3: makes a client of the S3 here.
    """

    def __init__(self, states: Any, s3: Callable[[], Any]) -> None:
        self._states, self._s3 = states, s3
        self._map, self._read, self._run = states._run_distributed_map, states._read_map_items, states._run_sub_machine

    def install(self) -> None:
        """Take their places."""
        self._states._run_distributed_map = self.run
        self._states._read_map_items = self.read
        self._states._run_sub_machine = self.run_states

    def run(  # noqa: PLR0917 - as the function is called
        self, state: _JSON, raw_input: Any, effective: Any, iterator: _JSON, execution: _JSON, context: _JSON
    ) -> tuple[Any, str | None]:
        """Run a map; MiniStack runs its children and judges none of their failures."""
        plain = self._plain(state, raw_input, effective, context)
        before = set(self._states._map_runs)
        results, following = self._map(
            {**plain, "ToleratedFailurePercentage": 100}, raw_input, effective, iterator, execution, context
        )
        (run,) = (
            run
            for arn, run in self._states._map_runs.items()
            if arn not in before and run["executionArn"] == execution["executionArn"]
        )
        children = [child for child in self._states._executions.values() if child.get("mapRunArn") == run["mapRunArn"]]
        run["toleratedFailurePercentage"] = float(state.get("ToleratedFailurePercentage") or 0)
        failed = self._count(run, children, batched="ItemBatcher" in plain)
        if "ResultWriter" in plain:
            results = write_results(self._s3(), plain["ResultWriter"]["Arguments"], run["mapRunArn"], children)
        if _exceeded(state, failed, run["itemCounts"]["total"]):
            run["status"] = "FAILED"
            sentence = "The specified tolerated failure threshold was exceeded"
            raise self._states._ExecutionError("States.ExceedToleratedFailureThreshold", sentence)
        if self._states._state_query_language(state, context) == "JSONata":
            results = self._states._apply_jsonata_output(state, raw_input, context, result=results, default=results)
        return results, following

    def read(self, reader: _JSON, effective: Any, context: _JSON) -> list[Any]:
        """Read items, and put them into batches where that was asked for."""
        items = self._read(reader, effective, context)
        batcher = reader.get(_BATCHER)
        try:
            return items if batcher is None else list(batches(items, batcher))
        except ValueError as error:
            raise self._states._ExecutionError("States.ItemBatcherFailed", str(error)) from None

    def run_states(self, states: _JSON, start: str, given: Any, execution: _JSON, context: _JSON) -> Any:
        """Run the states of a child; it sees its own execution, and neither variables nor item of its parent."""
        if "mapRunArn" in execution and context["Execution"]["Id"] != execution["executionArn"]:
            own = {
                "Id": execution["executionArn"],
                "Input": given,
                "Name": execution["name"],
                "StartTime": execution["startDate"],
            }
            shared = {name: value for name, value in context.items() if name != "Map"}
            context = {**shared, "Execution": own, "variables": {}}
        return self._run(states, start, given, execution, context)

    def _plain(self, state: _JSON, raw_input: Any, effective: Any, context: _JSON) -> _JSON:
        """Return a map's definition with its expressions evaluated, and the batcher where the reader finds it."""
        jsonata = self._states._state_query_language(state, context) == "JSONata"
        said = {name: state[name] for name in ("ItemReader", "ItemBatcher", "ResultWriter") if name in state}
        if jsonata:
            said = self._states._apply_jsonata_template(said, raw_input, context)
        else:
            said = self._states._resolve_params_obj(said, effective, context)
        for part in said.values():
            if "Parameters" in part:
                part["Arguments"] = part.pop("Parameters")
        if "ItemBatcher" in said:
            if "ItemReader" not in said:
                raise self._states._ExecutionError("States.Runtime", "batches of items that no reader read")
            said["ItemReader"][_BATCHER] = said["ItemBatcher"]
        kept = {name: value for name, value in state.items() if name != "ToleratedFailureCount"}
        return {**kept, **said}

    def _count(self, run: _JSON, children: list[_JSON], *, batched: bool) -> int:
        """Count items where MiniStack has counted batches; return how many failed."""
        counts = dict.fromkeys(run["itemCounts"], 0)
        for child in children:
            items = len(json.loads(child["input"])["Items"]) if batched else 1
            counts["total"] += items
            counts["succeeded" if child["status"] == "SUCCEEDED" else "failed"] += items
        run["itemCounts"] = counts
        return counts["failed"]


def _exceeded(state: _JSON, failed: int, total: int) -> bool:
    """Say whether more items failed than the definition bears; without a threshold it bears none."""
    most, share = state.get("ToleratedFailureCount"), state.get("ToleratedFailurePercentage")
    if most is None and share is None:
        return failed > 0
    return (most is not None and failed > most) or (share is not None and failed * 100 > share * total)
