"""A real source (an HTTP server with chosen faults) and a real S3 for every test."""

from __future__ import annotations

import base64
import datetime
import hashlib
import http.server
import io
import ipaddress
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest
from botocore.config import Config
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from glue_ingest import Outcome, Request, ingest
from glue_ingest.connection import RetryPolicy
from glue_ingest.log import Log

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
#: No test waits for a backoff.
IMPATIENT = RetryPolicy(attempts=4, first_wait=0.001, longest_wait=0.002, connect_timeout=5, read_timeout=5)
MIB = 1024 * 1024


@dataclass
class Site:
    """A source of files. Its faults are set by the test; what it was asked is in `asked`."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    head: bool = True
    chunked: bool = False
    etag: str = '"v1"'
    last_modified: str = "Tue, 20 Feb 2024 10:00:00 GMT"
    headers: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    statuses: list[tuple[int, bytes]] = field(default_factory=list)
    """Answers given before anything else, in order."""
    breaks: list[int] = field(default_factory=list)
    """Body bytes after which a GET's connection ends, in order of the answers; 0 and less lets one pass."""
    lie: int = 0
    """Added to every Content-Length."""
    pause_at: int = 0
    """Body bytes of an answer after which the source falls silent until `pause` is set; 0 for never."""
    pause: threading.Event = field(default_factory=threading.Event)
    before_answer: Callable[[int], Any] = lambda number: None
    """Called with the number of each GET, from 1."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    proxy_passwords: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    address: str = ""
    server: Any = None

    def serve_tls(self, certificate: Path) -> None:
        """Speak HTTPS from now on, with a PEM file that holds key and certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.address = self.address.replace("http:", "https:")

    @property
    def gets(self) -> list[str]:
        """The ranges asked for by GET, in order; "" for the whole file."""
        return [wanted for method, _, wanted in self.asked if method == "GET"]


class SiteHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        site, wanted = self.site, self.headers.get("Range", "")
        with site.lock:
            site.asked.append((self.command, self.path, wanted))
            site.proxy_passwords.append(self.headers.get("Proxy-Authorization", ""))
            number = len(site.gets)
            status = site.statuses.pop(0) if body and site.statuses else None
            end_after = site.breaks.pop(0) if body and site.breaks else 0
        if body:
            site.before_answer(number)
        path = re.sub(r"^http://[^/]+", "", self.path)  # a proxy is asked with the whole address
        if status:
            return self.small(*status, body=body)
        if not body and not site.head:
            return self.small(405, b"", body=False)
        if path in site.redirects:
            return self.small(302, b"", body=body, Location=site.redirects[path])
        if path not in site.files:
            return self.small(404, b"<Error><Code>NoSuchKey</Code></Error>", body=body)
        return self.file(site.files[path], wanted, body=body, end_after=end_after)

    def small(self, status: int, text: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(text)

    def file(self, data: bytes, wanted: str, *, body: bool, end_after: int) -> None:
        site = self.site
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted) if site.ranges else None
        start, end = 0, len(data)
        if asked:
            start, end = int(asked.group(1)), min(int(asked.group(2) or len(data)) + 1, len(data))
            if start >= len(data):
                return self.small(416, b"", body=body)
        self.send_response(206 if asked else 200)
        headers = {"ETag": site.etag, "Last-Modified": site.last_modified, **site.headers}
        if asked:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
        if site.chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(end - start + site.lie)
        for name, value in headers.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if body:
            self.send_body(data[start:end], end_after=end_after)
        return None

    def send_body(self, data: bytes, *, end_after: int) -> None:
        broken = 0 < end_after < len(data)
        rest = io.BytesIO(data[:end_after] if broken else data)
        for block in iter(lambda: rest.read(MIB), b""):
            if self.site.pause_at and rest.tell() > self.site.pause_at:
                self.site.pause.wait(60)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block) if self.site.chunked else block)
        if self.site.chunked and not broken:
            self.wfile.write(b"0\r\n\r\n")
        if broken or self.site.lie:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    """A source on a free port, without faults yet."""
    site = Site()

    class Handler(SiteHandler):
        pass

    Handler.site = site
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that hang up are part of the test
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    site.server = server
    site.address = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def new_certificate(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a PEM file with a new key and, for an address, a certificate that vouches for itself."""

    def make(issued_to: str) -> Path:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issued_to)])
        now = datetime.datetime.now(datetime.timezone.utc)
        address = x509.IPAddress(ipaddress.ip_address(issued_to))
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(key, hashes.SHA256())
        )
        file = tmp_path / "certificate.pem"
        file.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + certificate.public_bytes(Encoding.PEM)
        )
        return file

    return make


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    patch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        patch.setenv(name, value)
    patch.delenv("AWS_PROFILE", raising=False)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    server.stop()
    patch.undo()


def checksum_of(data: bytes) -> str:
    """S3's checksum of an object that was uploaded in parts of 5 MiB."""
    parts = (data[at : at + 5 * MIB] for at in range(0, len(data), 5 * MIB))
    return base64.b64encode(hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()).decode()


@dataclass(frozen=True)
class Bucket:
    """A fresh raw bucket."""

    client: Any
    name: str

    def holds(self) -> dict[str, bytes]:
        """Every object, whole."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {o["Key"]: self.client.get_object(Bucket=self.name, Key=o["Key"])["Body"].read() for o in listed}

    def versions(self) -> int:
        """How many versions of objects there are."""
        return len(self.client.list_object_versions(Bucket=self.name).get("Versions", []))

    def unfinished(self) -> list[str]:
        """Keys of multipart uploads that nobody ended."""
        return [u["Key"] for u in self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])]


@pytest.fixture
def bucket(s3_endpoint: str) -> Bucket:
    # This S3 gives the checksum of a multipart object as one of its content, which the SDK then checks on reading.
    client = boto3.client("s3", config=Config(response_checksum_validation="when_required"))
    name = f"raw-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return Bucket(client, name)


@pytest.fixture
def expected(bucket: Bucket) -> Callable[..., Outcome]:
    """Makes the outcome of a run that brings yellow 2024-01; `read` says whether it had to read the file."""

    def make(data: bytes, *, rows: int | None, stored: bool = True, read: bool = True) -> Outcome:
        return Outcome(
            bucket=bucket.name,
            key="yellow/2024/01/yellow_tripdata_2024-01.parquet",
            stored=stored,
            rows=rows,
            size=len(data),
            checksum=checksum_of(data),
            sha256=hashlib.sha256(data).hexdigest() if read else None,
        )

    return make


@dataclass(frozen=True)
class Run:
    """Runs the ingest of one month against a site and a bucket, without waiting between attempts."""

    site: Site
    bucket: Bucket

    def request(self, dataset: str = "yellow", year: int = 2024, month: int = 1, **changes: Any) -> Request:
        template = self.site.address + "/{dataset}_tripdata_{year}-{month}.parquet"
        values = {"raw_bucket": self.bucket.name, "source_template": template, **changes}
        return Request(dataset=dataset, year=year, month=month, **values)

    def __call__(
        self, request: Request | None = None, *, stop: threading.Event | None = None, client: Any = None
    ) -> Outcome:
        return ingest(
            request or self.request(),
            client=client or self.bucket.client,
            log=Log(),
            stop=stop,
            retry_policy=IMPATIENT,
        )


@pytest.fixture
def run(site: Site, bucket: Bucket) -> Run:
    return Run(site, bucket)


@pytest.fixture
def events(capsys: pytest.CaptureFixture[str]) -> Callable[[str], list[dict[str, Any]]]:
    """The log lines of one kind since the last call."""

    def read(name: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in lines if line["event"] == name]

    return read


@pytest.fixture(scope="session")
def month_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., bytes]:
    """Makes Parquet months of about the wanted size; noise, so that no codec shrinks it. Made once per size."""
    folder = tmp_path_factory.mktemp("months")

    def make(megabytes: float = 0.1, *, first_day: str = "2024-01-01") -> bytes:
        file = folder / f"{megabytes}-{first_day}.parquet"
        if not file.exists():
            duckdb.connect().sql(
                f"""COPY (SELECT TIMESTAMP '{first_day}' + INTERVAL 1 SECOND * (n % 2400000) AS tpep_pickup_datetime,
                                 random() AS total_amount
                          FROM range({int(megabytes * MIB / 16)}) AS t(n))
                    TO '{file}' (FORMAT parquet, COMPRESSION uncompressed)"""
            )
        return file.read_bytes()

    return make


@pytest.fixture
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"the sample files are not at {SHARED}")
    return SHARED
