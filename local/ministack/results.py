"""What a Distributed Map's `ResultWriter` leaves in S3 (Step Functions Developer Guide, "ResultWriter")."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

_FIELDS = {
    "ExecutionArn": "executionArn",
    "Input": "input",
    "Name": "name",
    "Output": "output",
    "StartDate": "startDate",
    "StateMachineArn": "stateMachineArn",
    "Status": "status",
    "StopDate": "stopDate",
    "Error": "error",
    "Cause": "cause",
}


def write_results(
    s3: Any, place: Mapping[str, str], map_run: str, children: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Write the executions of each status to a file, and a manifest of these.

    Args:
        s3: a client.
        place: `Bucket` and `Prefix`; below it the map run gets a folder of its own.
        map_run: ARN of the map run.
        children: its executions, as MiniStack keeps them.

    Returns:
        What the state puts out.
    """
    bucket, folder = place["Bucket"], f"{place.get('Prefix', '').strip('/')}/{map_run.rpartition(':')[2]}".lstrip("/")
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status, written in files.items():
        found = [_told(child) for child in children if child["status"] == status]
        if found:
            content, key = json.dumps(found).encode(), f"{folder}/{status}_0.json"
            s3.put_object(Bucket=bucket, Key=key, Body=content)
            written.append({"Key": key, "Size": len(content)})
    manifest = {"DestinationBucket": bucket, "MapRunArn": map_run, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode())
    return {"MapRunArn": map_run, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _told(child: Mapping[str, Any]) -> dict[str, Any]:
    return {name: child[field] for name, field in _FIELDS.items() if child.get(field) is not None}
