"""ResultWriter: what the child executions of a distributed Map came to, in S3.

https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html: `<Prefix>/<run>/manifest.json`
beside `SUCCEEDED_0.json` and `FAILED_0.json`, which hold a JSON array of executions.
"""

from __future__ import annotations

import json
from typing import Any

from ..patches.failing_states import failure
from .records import MapRun


def write_results(env: Any, settings: Any, map_run: MapRun, s3: Any) -> dict[str, Any]:
    """Write all files and give the Map state's output. Fails the state as States.ResultWriterFailed."""
    from botocore.exceptions import BotoCoreError, ClientError

    writer = settings.writer
    target = settings.template(env, writer.get("Parameters", writer.get("Arguments", {})))
    bucket, prefix = target["Bucket"], target.get("Prefix", "").strip("/")
    folder = "/".join(part for part in (prefix, map_run.arn.rpartition(":")[2]) if part)
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for status in ("FAILED", "SUCCEEDED"):
            children = [child.described(map_run) for child in map_run.children if child.status == status]
            if children:
                body = json.dumps(children, separators=(",", ":")).encode()
                key = f"{folder}/{status}_0.json"
                s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
                files[status].append({"Key": key, "Size": len(body)})
        manifest = {"DestinationBucket": bucket, "MapRunArn": map_run.arn, "ResultFiles": files}
        key = f"{folder}/manifest.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(manifest).encode(), ContentType="application/json")
    except (BotoCoreError, ClientError) as error:
        raise failure(env, "States.ResultWriterFailed", str(error)) from None
    return {"MapRunArn": map_run.arn, "ResultWriterDetails": {"Bucket": bucket, "Key": key}}
