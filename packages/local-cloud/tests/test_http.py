"""The HTTP server itself, over plain sockets: what boto3 hides."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BUCKET = "http-test"


@pytest.fixture(scope="module", autouse=True)
def bucket(cloud: Any) -> None:
    cloud.client("s3").create_bucket(Bucket=BUCKET)


@contextmanager
def connected(cloud: Any) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=20)
    connection.connect()
    try:
        yield connection
    finally:
        connection.close()


def send(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> tuple[int, bytes]:
    connection.request(method, path, headers={"Authorization": KEY} | (headers or {}), **options)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_one_connection_serves_many_requests(cloud: Any) -> None:
    with connected(cloud) as connection:
        socket_before = connection.sock
        for number in range(3):
            assert send(connection, "PUT", f"/{BUCKET}/keep", body=str(number).encode())[0] == 200
            assert send(connection, "HEAD", f"/{BUCKET}/keep") == (200, b"")
            assert send(connection, "GET", f"/{BUCKET}/keep") == (200, str(number).encode())
            assert send(connection, "GET", f"/{BUCKET}/absent")[0] == 404
            assert send(connection, "DELETE", f"/{BUCKET}/keep") == (204, b"")
        assert connection.sock is socket_before


def test_a_refused_body_does_not_become_the_next_request(cloud: Any) -> None:
    body = b"GET / HTTP/1.1\r\n\r\n" * 1000
    with connected(cloud) as connection:
        for _ in range(2):
            assert send(connection, "PUT", "/absent-bucket/key", body=body)[0] == 404
        assert send(connection, "PUT", f"/{BUCKET}/after", body=b"x")[0] == 200


def test_a_large_refused_body_still_gets_its_answer(cloud: Any) -> None:
    with connected(cloud) as connection:
        status, answer = send(connection, "PUT", "/absent-bucket/key", body=bytes(8 << 20))
        assert (status, b"NoSuchBucket" in answer) == (404, True)


#: Signature version 2, the shortest one: the account's own key.
KEY = "AWS local:x"
HOST_AND_KEY = f"Host: 127.0.0.1\r\nAuthorization: {KEY}"


def read_head(raw: socket.socket) -> bytes:
    seen = b""
    while b"\r\n\r\n" not in seen:
        block = raw.recv(4096)
        if not block:
            break
        seen += block
    return seen


@pytest.mark.parametrize(
    ("path", "first_line"),
    [(f"/{BUCKET}/asked", b"HTTP/1.1 100 Continue"), ("/absent-bucket/asked", b"HTTP/1.1 404 Not Found")],
)
def test_100_continue_comes_only_when_the_body_is_wanted(cloud: Any, path: str, first_line: bytes) -> None:
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as raw:
        head = f"PUT {path} HTTP/1.1\r\n{HOST_AND_KEY}\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        raw.sendall(head.encode())
        seen = read_head(raw)
        assert seen.startswith(first_line)
        if b"100" in first_line:
            raw.sendall(b"body")
            assert read_head(raw).startswith(b"HTTP/1.1 200 OK")
            assert cloud.client("s3").get_object(Bucket=BUCKET, Key="asked")["Body"].read() == b"body"
        else:
            assert b"Connection: close" in seen


def test_a_chunked_body_without_length(cloud: Any) -> None:
    with connected(cloud) as connection:
        blocks = iter([b"one ", b"two ", b"x" * 100_000])
        assert send(connection, "PUT", f"/{BUCKET}/chunked", body=blocks, encode_chunked=True)[0] == 200
        assert send(connection, "GET", f"/{BUCKET}/chunked") == (200, b"one two " + b"x" * 100_000)


def test_a_put_without_any_length(cloud: Any) -> None:
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as raw:
        raw.sendall(f"PUT /{BUCKET}/none HTTP/1.1\r\n{HOST_AND_KEY}\r\n\r\n".encode())
        assert read_head(raw).startswith(b"HTTP/1.1 411 ")


class TestAwsChunked:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html"""

    BODY = b"a" * 70_000 + b"b" * 10

    def put(self, cloud: Any, *, crc: int, declared: int | None = None, chunked: bool = False) -> tuple[int, bytes]:
        chunks = [self.BODY[:65536], self.BODY[65536:]]
        framed = b"".join(b"%x;chunk-signature=%064x\r\n%b\r\n" % (len(c), 0, c) for c in chunks)
        trailer = base64.b64encode(crc.to_bytes(4, "big"))
        framed += b"0\r\nx-amz-checksum-crc32:" + trailer + b"\r\n\r\n"
        headers = {
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": str(len(self.BODY) if declared is None else declared),
            "x-amz-trailer": "x-amz-checksum-crc32",
            "Content-Encoding": "aws-chunked,gzip",
        }
        with connected(cloud) as connection:
            body: Any = iter([framed[:1000], framed[1000:]]) if chunked else framed
            return send(connection, "PUT", f"/{BUCKET}/aws-chunked", body=body, headers=headers, encode_chunked=chunked)

    @pytest.mark.parametrize("chunked", [False, True])
    def test_it_is_decoded_and_its_trailer_verified(self, cloud: Any, chunked: bool) -> None:
        assert self.put(cloud, crc=zlib.crc32(self.BODY), chunked=chunked)[0] == 200
        got = cloud.client("s3").get_object(Bucket=BUCKET, Key="aws-chunked")
        assert (got["Body"].read(), got["ContentEncoding"]) == (self.BODY, "gzip")

    def test_a_wrong_trailer(self, cloud: Any) -> None:
        status, answer = self.put(cloud, crc=1)
        assert (status, b"<Code>BadDigest</Code>" in answer) == (400, True)

    def test_a_wrong_length(self, cloud: Any) -> None:
        status, answer = self.put(cloud, crc=zlib.crc32(self.BODY), declared=5)
        assert (status, b"<Code>IncompleteBody</Code>" in answer) == (400, True)


def test_a_wrong_signed_hash(cloud: Any) -> None:
    with connected(cloud) as connection:
        status, answer = send(
            connection, "PUT", f"/{BUCKET}/hash", body=b"x", headers={"x-amz-content-sha256": "0" * 64}
        )
        assert (status, b"<Code>XAmzContentSHA256Mismatch</Code>" in answer) == (400, True)


def test_a_broken_upload_leaves_nothing(cloud: Any) -> None:
    cloud.client("s3").put_object(Bucket=BUCKET, Key="broken", Body=b"whole")
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as raw:
        raw.sendall(f"PUT /{BUCKET}/broken HTTP/1.1\r\n{HOST_AND_KEY}\r\nContent-Length: 1000\r\n\r\nhalf".encode())
    # The next request of its own connection is served after the broken one was given up.
    assert cloud.client("s3").get_object(Bucket=BUCKET, Key="broken")["Body"].read() == b"whole"


@pytest.mark.parametrize("request_line", ["nonsense", "GET / HTTP/9.9", "GET"])
def test_what_is_no_http_is_refused_in_xml(cloud: Any, request_line: str) -> None:
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as raw:
        raw.sendall(f"{request_line}\r\n\r\n".encode())
        seen = b""
        while block := raw.recv(4096):
            seen += block
    assert b"<Error><Code>BadRequest</Code>" in seen
    assert b"html" not in seen.lower()


def test_a_path_that_is_no_utf8(cloud: Any) -> None:
    with connected(cloud) as connection:
        status, answer = send(connection, "GET", f"/{BUCKET}/%ff")
    assert (status, b"<Code>InvalidURI</Code>" in answer) == (400, True)


def test_buckets_as_host_names(cloud: Any) -> None:
    """What SDKs send when the endpoint is http://localhost."""
    host = {"Host": f"{BUCKET}.localhost:{cloud.port}"}
    with connected(cloud) as connection:
        assert send(connection, "PUT", "/by/host", body=b"x", headers=host)[0] == 200
        assert send(connection, "GET", f"/{BUCKET}/by/host") == (200, b"x")
        assert b"<Key>by/host</Key>" in send(connection, "GET", "/?list-type=2&prefix=by", headers=host)[1]
        assert b"<LocationConstraint" in send(connection, "GET", "/?location", headers=host)[1]


def signed(service: str) -> dict[str, str]:
    scope = f"Credential=test/20261121/us-east-1/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}


JSON_10 = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "Sample.DoIt"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "kind", "parts"),
    [
        (JSON_10, "application/x-amz-json-1.0", ['"__type": "UnknownOperationException"']),
        (FORM, "text/xml", ["<ErrorResponse>", "<Code>UnknownOperationException</Code>"]),
        ({}, "application/json", ['"message": "The local cloud has no service \'nosuch\'."']),
    ],
)
def test_an_unknown_service(cloud: Any, headers: dict[str, str], kind: str, parts: list[str]) -> None:
    with connected(cloud) as connection:
        connection.request("POST", "/", body=b"{}", headers=headers | signed("nosuch"))
        answer = connection.getresponse()
        text = answer.read().decode()
    assert (answer.status, answer.headers["Content-Type"]) == (400, kind)
    assert answer.headers["x-amzn-RequestId"]
    for part in parts:
        assert part in text


def test_what_goes_wrong_inside_is_an_aws_error_and_a_logged_traceback(cloud: Any) -> None:
    """A query whose parameters moto cannot take apart."""
    with connected(cloud) as connection:
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Logs_20140328.PutLogEvents"}
        connection.request("POST", "/", body=b'{"logGroupName": [1]}', headers=headers | signed("logs"))
        answer = connection.getresponse()
        document = json.loads(answer.read())
        assert (answer.status, document["__type"]) == (500, "InternalFailure")
        assert send(connection, "GET", f"/{BUCKET}/absent")[0] == 404  # and the connection lives
    logged = (cloud.state_dir / "server.log").read_text()
    assert "Traceback (most recent call last)" in logged
    assert "POST / failed" in logged


@pytest.mark.parametrize(
    ("headers", "served"),
    [
        ({}, True),
        ({"Host": "localhost:4566"}, True),
        ({"Host": "evil.example"}, False),
        ({"Host": "127.0.0.1.evil.example"}, False),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
    ],
)
def test_web_pages_are_kept_out(cloud: Any, headers: dict[str, str], served: bool) -> None:
    cloud.client("s3").put_object(Bucket=BUCKET, Key="page", Body=b"x")
    with connected(cloud) as connection:
        connection.request("GET", f"/{BUCKET}/page", headers={"Authorization": KEY} | headers)
        answer = connection.getresponse()
        assert answer.status == (200 if served else 403)
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_page_is_invited_to_read_answers(cloud: Any) -> None:
    answer = cloud.client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    assert not [name for name in answer if name.startswith("access-control")]


def test_motos_own_api_is_not_served(cloud: Any) -> None:
    with connected(cloud) as connection:
        assert send(connection, "POST", "/moto-api/reset")[0] in (400, 404, 405)
    assert cloud.client("s3").head_bucket(Bucket=BUCKET)


def test_a_stop_finishes_what_is_in_work(new_cloud: Any) -> None:
    """SIGTERM while a body is on its way: the upload ends, is answered, and lasts."""
    running = new_cloud()
    running.start()
    try:
        running.client("s3").create_bucket(Bucket=BUCKET)
        with socket.create_connection(("127.0.0.1", running.port), timeout=20) as raw:
            raw.sendall(f"PUT /{BUCKET}/late HTTP/1.1\r\n{HOST_AND_KEY}\r\nContent-Length: 8\r\n\r\nfirst".encode())
            with connected(running) as other:  # by now the upload is being served
                assert send(other, "GET", f"/{BUCKET}/late")[0] == 404
            running.process.send_signal(signal.SIGTERM)
            raw.sendall(b"end")
            assert read_head(raw).startswith(b"HTTP/1.1 200 OK")
        assert running.process.wait(20) == 0
        running.start()
        assert running.client("s3").get_object(Bucket=BUCKET, Key="late")["Body"].read() == b"firstend"
    finally:
        running.stop()


@pytest.mark.parametrize("length", ["abc", "-5", "1e3", "9" * 30, "\u00b2"])
def test_a_content_length_that_is_none_is_refused_at_once(cloud: Any, length: str) -> None:
    head = f"PUT /{BUCKET}/key HTTP/1.1\r\n{HOST_AND_KEY}\r\nContent-Length: {length}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as raw:
        raw.sendall(head.encode("latin-1"))
        answer = b"".join(iter(lambda: raw.recv(65536), b""))  # to the end: the connection is closed
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"<Message>Content-Length is no number of bytes</Message>" in answer
