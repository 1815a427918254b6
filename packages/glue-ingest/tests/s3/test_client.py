"""Our requests and the SDK's, side by side; and what becomes of a request that is not answered as it should be."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

from glue_ingest.connection import Patience
from glue_ingest.s3 import S3Client
from glue_ingest.s3.place import Place, find

KEYS = ["yellow/2024/01/yellow_tripdata_2024-01.parquet", "a b/c+d~e/f%20g=h&i/é'(1)!*.parquet", "_incoming//x#y?z"]
#: What says who asks, when and how often, and what differs between HTTP clients and means nothing to S3.
ASIDE = {"user-agent", "x-amz-date", "authorization", "amz-sdk-invocation-id", "amz-sdk-request", "accept-encoding"}
ASIDE |= {"content-length", "connection", "expect"}


def answer(seen: Any) -> tuple[int, dict[str, str], bytes]:
    """One answer that holds what any operation wants to hear."""
    if seen.method == "DELETE":
        return 204, {}, b""
    text = b"<R><UploadId>u</UploadId><ETag>e</ETag><ChecksumSHA256>c</ChecksumSHA256></R>"
    return 200, {"ETag": '"e"', "x-amz-meta-rows": "12", "x-amz-checksum-sha256": "c"}, text


def requests(key: str) -> list[tuple[str, dict[str, Any]]]:
    target = {"Bucket": "raw", "Key": key}
    upload = {**target, "UploadId": "2~a/b+c=="}
    described = {"ChecksumAlgorithm": "SHA256", "ContentType": "application/vnd.apache.parquet"}
    parts = [{"PartNumber": 1, "ETag": '"<&>"', "ChecksumSHA256": "c"}, {"PartNumber": 2, "ETag": '"f"'}]
    return [
        ("head_object", target),
        ("create_multipart_upload", {**target, **described}),
        (
            "create_multipart_upload",
            {**target, **described, "Metadata": {"source-url": "https://x/a?b=1", "rows": "3"}},
        ),
        ("upload_part", {**upload, "PartNumber": 7, "Body": bytearray(b"part"), "ChecksumSHA256": "c"}),
        ("upload_part", {**upload, "PartNumber": 8, "Body": b"", "ChecksumSHA256": "c"}),
        ("upload_part_copy", {**upload, "PartNumber": 1, "CopySource": target, "CopySourceRange": "bytes=0-9"}),
        ("upload_part_copy", {**upload, "PartNumber": 1, "CopySource": target}),
        ("complete_multipart_upload", {**upload, "MultipartUpload": {"Parts": parts}}),
        ("abort_multipart_upload", upload),
        ("delete_object", target),
    ]


@pytest.mark.parametrize("key", KEYS)
def test_s3_is_sent_what_the_sdk_sends(front: Any, clients: tuple[S3Client, Any], key: str) -> None:
    front.answer = answer
    for name, given in requests(key):
        for client in clients:
            getattr(client, name)(**given)
        ours, theirs = front.seen[-2:]
        assert (ours.method, ours.path, ours.query, ours.body) == (
            theirs.method,
            theirs.path,
            theirs.query,
            theirs.body,
        )
        assert ours.region == theirs.region
        left = [{name: one.headers[name] for name in one.headers.keys() - ASIDE} for one in (ours, theirs)]
        assert left[0] == left[1], name
        assert ours.signed_headers.keys() == theirs.signed_headers.keys(), name


def test_answers_are_the_sdks(front: Any, clients: tuple[S3Client, Any]) -> None:
    front.answer = answer
    wanted = {
        "head_object": ["Metadata", "ContentLength"],
        "create_multipart_upload": ["UploadId"],
        "upload_part": ["ETag", "ChecksumSHA256"],
    }
    for name, given in requests(KEYS[0]):
        ours, theirs = (getattr(client, name)(**given) for client in clients)
        if name == "upload_part_copy":
            assert ours["CopyPartResult"].items() >= {"ETag": "e", "ChecksumSHA256": "c"}.items()
            ours, theirs = ours["CopyPartResult"], theirs["CopyPartResult"]
            wanted[name] = ["ETag", "ChecksumSHA256"]
        for field in wanted.get(name, ()):
            assert ours[field] == theirs[field], (name, field)


@pytest.mark.parametrize("key", KEYS)
def test_an_address_is_signed_as_the_sdk_signs_it(
    clients: tuple[S3Client, Any], key: str, split: Callable[[str], Any]
) -> None:
    for operation in ("get_object", "head_object"):
        given = {"Params": {"Bucket": "raw", "Key": key}, "ExpiresIn": 300}
        ours, theirs = (split(client.generate_presigned_url(operation, **given)) for client in clients)
        assert ours[:2] == theirs[:2]
        assert ours[2].keys() == theirs[2].keys()
        for name in ours[2].keys() - {"X-Amz-Date", "X-Amz-Signature"}:
            assert ours[2][name] == theirs[2][name], name


def test_what_passes_is_asked_again(client: Any, front: Any) -> None:
    target = {"Bucket": "raw", "Key": "k"}
    for status, error in ((503, "SlowDown Slow"), (500, "InternalError Sorry"), (400, "RequestTimeout Too slow")):
        front.refuse("AbortMultipartUpload", status, error, times=1)
        with pytest.raises(ClientError, match="NoSuchBucket"):  # S3's own answer, the second time
            client.abort_multipart_upload(**target, UploadId="u")
        assert [seen.operation for seen in front.seen[-2:]] == ["AbortMultipartUpload"] * 2
    assert len(front.seen) == 6


def test_a_refusal_is_not_asked_again(client: Any, front: Any) -> None:
    front.refuse("DeleteObject", 403, "AccessDenied No")
    with pytest.raises(ClientError) as refused:
        client.delete_object(Bucket="raw", Key="k")
    assert refused.value.response["Error"] == {"Code": "AccessDenied", "Message": "No"}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert str(refused.value) == "An error occurred (AccessDenied) when calling the DeleteObject operation: No"
    assert len(front.seen) == 1


def test_a_success_that_says_error_is_none(client: Any, front: Any) -> None:
    front.refuse("CompleteMultipartUpload", 200, "InternalError Sorry")
    with pytest.raises(ClientError, match="InternalError"):
        client.complete_multipart_upload(
            Bucket="raw", Key="k", UploadId="u", MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": "e"}]}
        )
    assert len(front.seen) == 2


def test_a_bucket_elsewhere_is_followed(client: Any, front: Any) -> None:
    """The first answer names the region, in a header or in the document; later requests go there at once."""

    def elsewhere(seen: Any) -> Any:
        if seen.region == "eu-west-1":
            return 204, {"x-amz-bucket-region": "eu-west-1"}, b""
        text = b"<Error><Code>PermanentRedirect</Code><Message>Elsewhere</Message></Error>"
        return 301, {"x-amz-bucket-region": "eu-west-1"}, text

    front.answer = elsewhere
    client.delete_object(Bucket="raw", Key="k")
    client.delete_object(Bucket="raw", Key="k")
    assert [seen.region for seen in front.seen] == ["us-east-1", "eu-west-1", "eu-west-1"]


def test_a_region_told_in_the_document_is_followed_too(front: Any, clients: tuple[S3Client, Any]) -> None:
    def elsewhere(seen: Any) -> Any:
        if seen.region == "eu-west-1":
            return 204, {}, b""
        return 400, {}, b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"

    front.answer = elsewhere
    clients[0].delete_object(Bucket="raw", Key="k")
    assert [seen.region for seen in front.seen] == ["us-east-1", "eu-west-1"]


def test_no_region_is_followed_twice(front: Any, clients: tuple[S3Client, Any]) -> None:
    front.answer = lambda seen: (301, {"x-amz-bucket-region": {"us-east-1": "a"}.get(seen.region, "us-east-1")}, b"")
    with pytest.raises(ClientError, match="301"):
        clients[0].delete_object(Bucket="raw", Key="k")
    assert [seen.region for seen in front.seen] == ["us-east-1", "a"]


def test_a_connection_that_ends_is_tried_again_and_then_an_error(client: Any, front: Any) -> None:
    def hang_up(seen: Any) -> Any:
        raise ConnectionError

    front.answer = hang_up
    with pytest.raises(BotoCoreError) as failed:
        client.delete_object(Bucket="raw", Key="k")
    assert str(failed.value) == (
        f'Connection was closed before we received a valid response from endpoint URL: "{front.address}/raw/k".'
    )
    assert len(front.seen) == 2


@pytest.mark.parametrize(
    "text",
    [
        b"<html><p>Log in",
        b"<CompleteMultipartUploadResult><ETag>e</ET",
        b'<?xml version="1.0" encoding="Shift_JIS"?><R><ETag>e</ETag></R>',
        b'<?xml version="1.0" encoding="none"?><R/>',
    ],
)
@pytest.mark.parametrize("name", ["create_multipart_upload", "upload_part_copy", "complete_multipart_upload"])
def test_what_answers_may_not_be_s3(front: Any, clients: tuple[S3Client, Any], name: str, text: bytes) -> None:
    """It may be another time: a page instead of an answer, or half of one, is no success."""
    front.answer = lambda seen: (200, {}, text)
    with pytest.raises(ClientError, match=r"NotS3.* is not a document of S3's"):
        getattr(clients[0], name)(**next(given for one, given in requests(KEYS[0]) if one == name))
    assert len(front.seen) == 2


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("create_multipart_upload", "UploadId"),
        ("upload_part", "ETag"),
        ("upload_part_copy", "ETag"),
        ("complete_multipart_upload", "ETag"),
    ],
)
@pytest.mark.parametrize("text", [b"", b"<R/>"])
def test_an_answer_without_its_content_is_none(
    front: Any, clients: tuple[S3Client, Any], name: str, field: str, text: bytes
) -> None:
    front.answer = lambda seen: (200, {}, text)
    with pytest.raises(ClientError, match=f"NotS3.* did not tell the {field}"):
        getattr(clients[0], name)(**next(given for one, given in requests(KEYS[0]) if one == name))


@pytest.mark.parametrize("region", ["evil.example/", "EU", ""])
def test_a_region_that_is_none_is_not_followed(front: Any, clients: tuple[S3Client, Any], region: str) -> None:
    front.answer = lambda seen: (301, {"x-amz-bucket-region": region}, b"")
    with pytest.raises(ClientError, match="301"):
        clients[0].delete_object(Bucket="raw", Key="k")
    assert len(front.seen) == 1


def test_on_aws_the_bucket_is_in_the_host_and_the_host_is_the_region_s(
    front: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from a proxy, which is told whom a request is for, and asked by password."""
    monkeypatch.setenv("http_proxy", front.address.replace("http://", "http://us%40er:pass@"))
    monkeypatch.delenv("no_proxy", raising=False)

    def elsewhere(seen: Any) -> Any:
        there = ".eu-west-1." in seen.path
        return (204, {}, b"") if there else (301, {"x-amz-bucket-region": "eu-west-1"}, b"")

    front.answer = elsewhere
    place = dataclasses.replace(find(), host="http://s3.{region}.test", bucket_first=True)
    S3Client(place, connections=1).delete_object(Bucket="raw", Key="a b")
    assert [(seen.path, seen.region) for seen in front.seen] == [
        ("http://raw.s3.us-east-1.test/a%20b", "us-east-1"),
        ("http://raw.s3.eu-west-1.test/a%20b", "eu-west-1"),
    ]
    assert {seen.headers["proxy-authorization"] for seen in front.seen} == {"Basic dXNAZXI6cGFzcw=="}


def test_a_proxy_s_address_may_lack_its_scheme(front: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", front.address[len("http://") :])
    monkeypatch.delenv("no_proxy", raising=False)
    front.answer = answer
    S3Client(dataclasses.replace(find(), host="http://s3.test"), connections=1).delete_object(Bucket="raw", Key="k")
    assert [seen.path for seen in front.seen] == ["http://s3.test/raw/k"]


def test_a_proxy_that_is_not_there_is_named(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    place = dataclasses.replace(find(), host="http://s3.test")
    with pytest.raises(BotoCoreError, match=r'Failed to connect to proxy URL: "http://127.0.0.1:9"'):
        S3Client(place, connections=1, patience=Patience(attempts=1)).delete_object(Bucket="raw", Key="k")


def test_silence_is_not_borne_for_ever(front: Any) -> None:
    over = threading.Event()
    front.answer = lambda seen: over.wait(30) and None
    client = S3Client(find(), connections=1, patience=Patience(attempts=1, read_timeout=0.2))
    with pytest.raises(BotoCoreError, match="Read timeout on endpoint URL"):
        client.delete_object(Bucket="raw", Key="k")
    over.set()


def test_a_stopped_run_tries_nothing_again(front: Any) -> None:
    stop = threading.Event()
    stop.set()
    front.refuse("DeleteObject", 503, "SlowDown Slow")
    with pytest.raises(ClientError, match="SlowDown"):
        S3Client(find(), connections=1, stop=stop).delete_object(Bucket="raw", Key="k")
    assert len(front.seen) == 1


def test_a_tls_connection_that_breaks_is_tried_again(
    s3_endpoint: str, new_certificate: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is no matter of trust, though it may come as an error of TLS."""
    certificate = new_certificate("127.0.0.1")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    broken = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = server.accept()
                with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as secure:
                    broken.append(secure.recv(1000))

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=serve, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", "https://{}:{}".format(*server.getsockname()))
        client = S3Client(find(), connections=1, patience=Patience(attempts=3, first_wait=0.001))
        with pytest.raises(BotoCoreError):
            client.upload_part(
                Bucket="raw", Key="k", UploadId="u", PartNumber=1, Body=bytes(5_000_000), ChecksumSHA256="c"
            )
    assert len(broken) == 3


def test_metadata_are_ascii(client: Any, front: Any) -> None:
    with pytest.raises(BotoCoreError, match=r"(?i)ascii"):
        client.create_multipart_upload(
            Bucket="raw", Key="k", ChecksumAlgorithm="SHA256", ContentType="x/y", Metadata={"source-url": "http://é"}
        )
    assert front.seen == []


def test_a_role_s_keys_are_asked_for_at_every_request(front: Any) -> None:
    """The SDK renews them when they are about to end."""

    class Role:
        tokens = iter(["first", "second"])

        def get_frozen_credentials(self) -> ReadOnlyCredentials:
            return ReadOnlyCredentials("test", "test", next(self.tokens))

    place = Place(region="us-east-1", host=front.address, bucket_first=False, credentials=Role())
    client = S3Client(place, connections=1)
    front.answer = answer
    for _ in range(2):
        client.delete_object(Bucket="raw", Key="k")
    assert [seen.headers["x-amz-security-token"] for seen in front.seen] == ["first", "second"]


@pytest.mark.parametrize(
    ("issued_to", "trusted", "said"),
    [
        ("127.0.0.1", "AWS_CA_BUNDLE", "Not Found"),
        ("127.0.0.1", "REQUESTS_CA_BUNDLE", "Not Found"),
        ("127.0.0.1", "", "SSL validation failed for https://127.0.0.1:.*certificate verify failed"),
        ("127.0.0.2", "AWS_CA_BUNDLE", "SSL validation failed for https://127.0.0.1:.*doesn't match"),
    ],
)
def test_who_is_not_trusted_gets_no_request(
    s3_endpoint: str,
    site: Any,
    new_certificate: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    issued_to: str,
    trusted: str,
    said: str,
) -> None:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    certificate = new_certificate(issued_to)
    site.serve_tls(certificate)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.address)
    if trusted:
        monkeypatch.setenv(trusted, str(certificate))
    stop = Patience(attempts=3, first_wait=30)  # not tried again, or the test would not end
    with pytest.raises((ClientError, BotoCoreError), match=said):
        S3Client(find(), connections=1, patience=stop).head_object(Bucket="raw", Key="k")
    assert bool(site.asked) is (said == "Not Found")
