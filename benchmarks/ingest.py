"""One file over HTTP into S3: glue-ingest beside download-then-`upload_file`, in one run.

    python benchmarks/ingest.py [--runs 5] [--sizes 60 500] [--folder DIR] [--python PATH]

Both sides are whole processes (start-up included) on the same files, servers and checksums: SHA-256 of every part
sent with it, SHA-256 of the file computed. The source serves byte ranges over loopback HTTP, at
full speed and paced (60 MB/s per connection, 20 ms before each answer). S3 is a stand-in that writes what comes to
files, as fast as the kernel does, so that the sides are compared and not their S3; what it holds after each run is
compared with the source. Sizes are in MB (10^6 bytes), times in seconds.

Both sides run by --python: give one that has what the job has on Glue, Python 3.9 with boto3 1.42.97 and nothing else,
for what is installed beside boto3 can slow its import (awscrt takes 0.05 s).

A side's "start" is its Python with everything imported and an S3 client made: peak memory is shown above it.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import http.server
import itertools
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

REPOSITORY = Path(__file__).resolve().parents[1]
ENTRY = REPOSITORY / "packages/glue-ingest/glue/ingest_raw.py"
BUCKET = "raw"
KEY = "yellow/2024/01/yellow_tripdata_2024-01.parquet"
PACE = 60_000_000
LATENCY = 0.020
PACES = ("full speed", "paced")
#: Target: memory above the start.
MEMORY_MB = 64

BASELINE = """
import hashlib, sys, tempfile, urllib3, boto3
url, bucket, key = sys.argv[1:]
digest = hashlib.sha256()
with tempfile.NamedTemporaryFile() as file:
    with urllib3.PoolManager().request("GET", url, preload_content=False) as response:
        assert response.status == 200, response.status
        for chunk in response.stream(1 << 20):
            digest.update(chunk)
            file.write(chunk)
        etag = response.headers.get("ETag", "")
    file.flush()
    metadata = {"source-url": url, "source-etag": etag, "sha256": digest.hexdigest()}
    boto3.client("s3").upload_file(
        file.name, bucket, key, ExtraArgs={"ChecksumAlgorithm": "SHA256", "Metadata": metadata}
    )
"""
STARTS = {
    "baseline": "import boto3; boto3.client('s3')",
    "ours": "import glue_ingest; from glue_ingest.store import connect; connect()",
}
#: Runs a script or a `-c` text, and ends with the kernel's high-water mark of resident memory, in kB. The usage that
#: wait4() gives would count the memory of the process that forked.
MEASURED = """
import re, runpy, sys
if sys.argv[1] == "-c":
    _, _, code, *sys.argv[1:] = sys.argv
    exec(code)
else:
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
with open("/proc/self/status") as status:
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", status.read()).group(1))
"""


def faster_than_baseline(pace: str, megabytes: int) -> float:
    """Give the target: how many times faster. At full speed, half of a small file's time is Python starting."""
    return 1.0 if pace == "full speed" and megabytes < 500 else 2.0


@dataclass(frozen=True)
class Measured:
    """One process: wall and CPU seconds, peak resident megabytes."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5, help="runs of each side; medians are shown")
    options.add_argument("--sizes", type=int, nargs="+", default=[60, 500], help="megabytes of the files")
    options.add_argument("--folder", type=Path, default=None, help="where to work (default: a temporary folder)")
    options.add_argument("--python", default=sys.executable, help="what runs both sides (default: this Python)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        report(Path(name), sizes=given.sizes, runs=given.runs, python=given.python)


def report(folder: Path, *, sizes: list[int], runs: int, python: str) -> None:
    """Run everything, print one table, and exit 1 when a target is missed."""
    site = folder / "site"
    site.mkdir()
    for size in sizes:
        write_month(site / f"{size}.parquet", megabytes=size)
    missed = []
    store = folder / "s3"
    store.mkdir()
    with server("s3", store) as endpoint:
        environment = os.environ | {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": "us-east-1",
            "TMPDIR": str(folder),
            "PYTHONPATH": str(REPOSITORY / "packages/glue-ingest/src"),
            "PYTHONWARNINGS": "ignore",  # boto3 warns of Python 3.9
        }
        start = {
            side: median([run([python, "-c", code], environment) for _ in range(runs)]) for side, code in STARTS.items()
        }
        told = "; ".join(f"{side} {took.wall:.2f} s, {took.peak:.0f} MB" for side, took in start.items())
        print(f"Medians of {runs}. Start: {told}.\n")
        print("| source | MB | side | wall s | CPU s | MB above start | faster |")
        print("|---|---|---|---|---|---|---|")
        for pace in PACES:
            with server(pace.split()[0], site) as address:
                for size in sizes:
                    sides = compare(f"{address}/{size}.parquet", environment, runs=runs, python=python)
                    baseline, ours = sides["baseline"], sides["ours"]
                    faster = baseline.wall / ours.wall
                    above = {side: took.peak - start[side].peak for side, took in sides.items()}
                    times = {"baseline": "", "ours": f"{faster:.2f} x"}
                    for side, took in sides.items():
                        print(
                            f"| {pace} | {size} | {side} | {took.wall:.2f} | {took.cpu:.2f} | {above[side]:.0f} "
                            f"| {times[side]} |",
                            flush=True,
                        )
                    if faster < (target := faster_than_baseline(pace, size)):
                        missed.append(f"{pace}, {size} MB: {faster:.2f} x, target {target} x")
                    if above["ours"] > MEMORY_MB:
                        missed.append(f"{pace}, {size} MB: {above['ours']:.0f} MB above start")
    if missed:
        sys.exit("\nmissed: " + "; ".join(missed))


def compare(url: str, environment: dict[str, str], *, runs: int, python: str) -> dict[str, Measured]:
    """Both sides in turn, so that whatever else the machine does falls on both."""
    with urllib.request.urlopen(url) as answer:
        digest = hashlib.sha256(answer.read()).hexdigest()
    month = ["--dataset", "yellow", "--year", "2024", "--month", "01", "--raw_bucket", BUCKET]
    commands = {
        "baseline": [python, "-c", BASELINE, url, BUCKET, KEY],
        "ours": [python, str(ENTRY), *month, "--source_url", url, "--force", "true"],
    }
    took: dict[str, list[Measured]] = {side: [] for side in commands}
    for _ in range(runs):
        for side, command in commands.items():
            took[side].append(run(command, environment))
            with urllib.request.urlopen(f"{environment['AWS_ENDPOINT_URL']}/{BUCKET}/{KEY}") as answer:
                stored = answer.read().decode()
            assert stored == digest, f"{side}: {stored} is not {digest}"
    return {side: median(each) for side, each in took.items()}


def median(runs: list[Measured]) -> Measured:
    """Of each figure by itself."""
    return Measured(*(statistics.median(getattr(m, name) for m in runs) for name in ("wall", "cpu", "peak")))


def run(command: list[str], environment: dict[str, str]) -> Measured:
    """One process of a Python, `command`'s first word, measured by the kernel."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [command[0], "-c", MEASURED, *command[1:]],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command} failed:\n{output}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, int(output.split()[-1]) / 1000)


def write_month(file: Path, *, megabytes: int) -> None:
    """A Parquet file of about that size: noise that no codec shrinks, beside a pickup time within the month."""
    import duckdb

    rows = megabytes * 1_000_000 // 16
    duckdb.connect().sql(
        f"""COPY (
            SELECT TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * (n % 2600000) AS tpep_pickup_datetime,
                   random() AS total_amount
            FROM range({rows}) AS t(n)
        ) TO '{file}' (FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE 1000000)"""
    )


class SourceHandler(http.server.SimpleHTTPRequestHandler):
    """A static file server with single byte ranges, an ETag, and a pace where one is set."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    paced = False

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        size = path.stat().st_size
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start, end = 0, size
        if wanted:
            start = int(wanted.group(1))
            end = min(int(wanted.group(2) or size) + 1, size)
        if self.paced:
            time.sleep(LATENCY)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", f'"{size:x}"')
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        with path.open("rb") as file:
            self.send_body(file.fileno(), start, end)

    def send_body(self, file: int, start: int, end: int) -> None:
        block = 1 << 18 if self.paced else 1 << 23
        began, first = time.perf_counter(), start
        while start < end:
            start += os.sendfile(self.connection.fileno(), file, start, min(block, end - start))
            if self.paced:
                time.sleep(max(0.0, began + (start - first) / PACE - time.perf_counter()))

    def log_message(self, *args: Any) -> None:
        pass


class S3Handler(http.server.BaseHTTPRequestHandler):
    """The few calls of S3 that the sides make, on plain files: `<folder>/<number>` holds a part or an object."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder = Path()
    numbers = itertools.count()
    objects: ClassVar[dict[str, list[Path]]] = {}
    uploads: ClassVar[dict[str, dict[int, Path]]] = {}

    def do_POST(self) -> None:
        path, query = self.asked()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "uploads" in query:
            upload = f"u{next(self.numbers)}"
            self.uploads[upload] = {}
            self.xml(f"<InitiateMultipartUploadResult><UploadId>{upload}</UploadId></InitiateMultipartUploadResult>")
        else:
            parts = self.uploads.pop(query["uploadId"])
            self.objects[path] = [parts[number] for number in sorted(parts)]
            self.xml("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>")

    def do_PUT(self) -> None:
        _, query = self.asked()
        self.uploads[query["uploadId"]][int(query["partNumber"])] = self.receive()
        self.xml("")

    def do_GET(self) -> None:
        """Not S3's: the digest of what is stored, and away with it."""
        digest = hashlib.sha256()
        for part in self.objects.pop(self.asked()[0]):
            digest.update(part.read_bytes())
            part.unlink()
        self.xml(digest.hexdigest())

    def asked(self) -> tuple[str, dict[str, str]]:
        parts = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
        return urllib.parse.unquote(parts.path).lstrip("/"), dict(query)

    def receive(self) -> Path:
        assert "x-amz-checksum-sha256" in self.headers, "a part without its checksum"
        part = self.folder / str(next(self.numbers))
        left, block = int(self.headers["Content-Length"]), memoryview(bytearray(1 << 20))
        with part.open("wb") as file:
            while left:
                size = self.rfile.readinto(block[: min(left, len(block))])
                file.write(block[:size])
                left -= size
        return part

    def xml(self, text: str) -> None:
        self.send_response(200)
        self.send_header("ETag", "e")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args: Any) -> None:
        pass


def serve(kind: str, folder: str) -> None:
    """A server in a process of its own, so that it takes nothing from the side that is measured."""
    SourceHandler.paced = kind == "paced"
    S3Handler.folder = Path(folder)
    handler = S3Handler if kind == "s3" else functools.partial(SourceHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


@contextmanager
def server(kind: str, folder: Path) -> Iterator[str]:
    """Runs `serve` and gives its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, "serve", kind, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(*sys.argv[2:])
    else:
        main()
