"""From a job's failure to the mail about it, on this machine: at most a second.

    python benchmarks/alert.py [--runs 10]

Each run asks for a month that its source does not have. Measured are the seconds from the end of the Glue job's run to
the mail's file: Step Functions sees the failure, says what happened and publishes it, and SNS delivers. On AWS, waiting
for the job's end comes on top, and the mail's own way. Exits 1 when one of them takes longer than the target.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3

from main_job import BIN, elt, free_port

TARGET = 1.0  # second


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=10)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory(prefix="elt-benchmark-") as scratch:
        state, empty, port = Path(scratch) / "elt", Path(scratch) / "source", free_port()
        empty.mkdir()
        environment = os.environ | {"LOCAL_CLOUD_STATE": str(state), "LOCAL_CLOUD_PORT": str(port)}
        elt(environment, "deploy")
        try:
            command = [str(BIN / "elt"), "run", "yellow-trips", "--month", "2024-09", "--source", str(empty)]
            for _ in range(runs):
                done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
                assert " failed at IngestRaw: " in done.stderr, done.stderr
            glue = boto3.client(
                "glue",
                endpoint_url=f"http://127.0.0.1:{port}",
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
            job_runs = glue.get_job_runs(JobName="elt-local-ingest-raw", MaxResults=200)["JobRuns"]
            # One run at a time: the first to end is the first to be told of. The alarms' mails have other subjects.
            files = [file for file in (state / "mail").glob("*.eml") if b"Subject: [local] " in file.read_bytes()]
            ended = sorted(run["CompletedOn"].timestamp() for run in job_runs)
            mailed = sorted(file.stat().st_mtime for file in files)
        finally:
            elt(environment, "local", "down")
    took = [mail - end for mail, end in zip(mailed, ended, strict=True)]
    print(f"{runs} failures, seconds from the job's end to the mail")
    print(f"median  {statistics.median(took):6.3f}")
    print(f"longest {max(took):6.3f}   target {TARGET:g}")
    if max(took) > TARGET:
        sys.exit("\nmissed")


if __name__ == "__main__":
    main()
