"""ResultWriter: what the child executions of a distributed Map came to, in S3 or as the state's output.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html: `<Prefix>/<run>/manifest.json`
beside `SUCCEEDED_0.json` and `FAILED_0.json`, JSON arrays (or JSON Lines) of executions, or of their outputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..language.errors import StateError
from ..language.json_values import Json, compact
from ..language.tree import Writer
from ..running.scope import Scope
from ..running.values import fill
from .records import Child, MapRun


def write_results(scope: Scope, writer: Writer, data: Json, map_run: MapRun, s3: Any) -> Json:
    """Write all files and give the Map state's output. Raises StateError (States.ResultWriterFailed)."""
    from botocore.exceptions import BotoCoreError, ClientError

    if writer.target is None:
        children = (child for child in map_run.children if child.status == "SUCCEEDED")
        return list(_transformed(children, map_run, writer.transformation))
    target = fill(scope, writer.target, data)
    bucket, prefix = target["Bucket"], target.get("Prefix", "").strip("/")
    folder = "/".join(part for part in (prefix, map_run.arn.rpartition(":")[2]) if part)
    files: dict[str, list[dict[str, Json]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for status in ("FAILED", "SUCCEEDED"):
            children = (child for child in map_run.children if child.status == status)
            form = writer.transformation if status == "SUCCEEDED" else "NONE"
            results = list(_transformed(children, map_run, form))
            if results:
                body, suffix = _file(results, writer.output_type)
                key = f"{folder}/{status}_0.{suffix}"
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
                files[status].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run.arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode(), ContentType="application/json")
    except (BotoCoreError, ClientError) as error:
        raise StateError("States.ResultWriterFailed", str(error)) from None
    return {"MapRunArn": map_run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}


def _transformed(children: Iterable[Child], map_run: MapRun, form: str) -> Iterator[Json]:
    for child in children:
        if form == "NONE":
            yield child.described(map_run)
            continue
        output = json.loads(child.output or "null")
        if form == "FLATTEN" and isinstance(output, list):
            yield from output
        else:
            yield output


def _file(results: list[Json], output_type: str) -> tuple[bytes, str]:
    lines = [compact(result) for result in results]
    if output_type == "JSONL":
        return "".join(f"{line}\n" for line in lines).encode(), "jsonl"
    return f"[{','.join(lines)}]".encode(), "json"
