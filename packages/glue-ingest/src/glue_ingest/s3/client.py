"""The requests that the job makes. Names and arguments are those of the SDK's client."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ParamValidationError

from glue_ingest.connection import Patience
from glue_ingest.s3.place import Place
from glue_ingest.s3.wire import Call, Wire

_METADATA = "x-amz-meta-"
_METHODS = {"get_object": "GET", "head_object": "HEAD"}
#: S3 may take its time over a large upload's end.
PATIENCE = Patience(attempts=5, read_timeout=60.0)


class S3Client:
    """S3 at one place, over up to `connections` kept-alive connections. Threads may share it.

    Raises botocore's ClientError where S3 refuses, another BotoCoreError where there is no answer or no key. Once
    `stop` is set, nothing is tried again.
    """

    def __init__(
        self, place: Place, *, connections: int, patience: Patience = PATIENCE, stop: threading.Event | None = None
    ) -> None:
        self._wire = Wire(place, connections=connections, patience=patience, stop=stop or threading.Event())

    @property
    def trusted(self) -> str | None:
        """A file of authorities, where one is set."""
        return self._wire.place.trusted

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        """`ContentLength` in bytes, and `Metadata`."""
        answer = self._wire.send(Call("HeadObject", "HEAD", Bucket, Key))
        metadata = {
            name.lower()[len(_METADATA) :]: value
            for name, value in answer.headers.items()
            if name.lower().startswith(_METADATA)
        }
        return {"Metadata": metadata, "ContentLength": int(answer.header("Content-Length"))}

    def create_multipart_upload(
        self,
        *,
        Bucket: str,
        Key: str,
        ChecksumAlgorithm: str,
        ContentType: str,
        Metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """`UploadId`."""
        headers = {"x-amz-checksum-algorithm": ChecksumAlgorithm, "Content-Type": ContentType}
        for name, value in (Metadata or {}).items():
            if not value.isascii():
                raise ParamValidationError(report=f"metadata {name} has to be ASCII: {value!r}")
            headers[_METADATA + name] = value
        call = Call("CreateMultipartUpload", "POST", Bucket, Key, "?uploads", headers)
        return {"UploadId": self._wire.send(call).element("UploadId")}

    def upload_part(
        self, *, Bucket: str, Key: str, UploadId: str, PartNumber: int, Body: bytes | bytearray, ChecksumSHA256: str
    ) -> dict[str, Any]:
        """`ETag` and `ChecksumSHA256`. S3 compares the body with the checksum."""
        headers = {"x-amz-checksum-sha256": ChecksumSHA256}
        call = Call("UploadPart", "PUT", Bucket, Key, _query(UploadId, PartNumber), headers, Body)
        return {"ETag": self._wire.send(call).header("ETag"), "ChecksumSHA256": ChecksumSHA256}

    def upload_part_copy(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        CopySource: Mapping[str, str],
        CopySourceRange: str | None = None,
    ) -> dict[str, Any]:
        """`CopyPartResult` with `ETag` and, where S3 tells it, `ChecksumSHA256`."""
        headers = {"x-amz-copy-source": quote(f"{CopySource['Bucket']}/{CopySource['Key']}", safe="/~")}
        if CopySourceRange:
            headers["x-amz-copy-source-range"] = CopySourceRange
        answer = self._wire.send(Call("UploadPartCopy", "PUT", Bucket, Key, _query(UploadId, PartNumber), headers))
        return {"CopyPartResult": {**answer.document, "ETag": answer.element("ETag")}}

    def complete_multipart_upload(
        self, *, Bucket: str, Key: str, UploadId: str, MultipartUpload: Mapping[str, Any]
    ) -> dict[str, Any]:
        """`ETag`."""
        document = ElementTree.Element("CompleteMultipartUpload", xmlns="http://s3.amazonaws.com/doc/2006-03-01/")
        for part in MultipartUpload["Parts"]:
            element = ElementTree.SubElement(document, "Part")
            for name, value in part.items():
                ElementTree.SubElement(element, name).text = str(value)
        body: bytes = ElementTree.tostring(document)
        answer = self._wire.send(Call("CompleteMultipartUpload", "POST", Bucket, Key, _query(UploadId), body=body))
        return {"ETag": answer.element("ETag")}

    def abort_multipart_upload(self, *, Bucket: str, Key: str, UploadId: str) -> None:
        self._wire.send(Call("AbortMultipartUpload", "DELETE", Bucket, Key, _query(UploadId)))

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self._wire.send(Call("DeleteObject", "DELETE", Bucket, Key))

    def generate_presigned_url(self, operation: str, *, Params: Mapping[str, str], ExpiresIn: int) -> str:
        """An address for `get_object` or `head_object`, to be used within so many seconds."""
        place = self._wire.place
        request = AWSRequest(_METHODS[operation], place.url(Params["Bucket"], Params["Key"], region=place.region))
        S3SigV4QueryAuth(place.keys(), "s3", place.region, expires=ExpiresIn).add_auth(request)
        url: str = request.url
        return url


def _query(upload_id: str, part: int | None = None) -> str:
    names = {"uploadId": upload_id} if part is None else {"uploadId": upload_id, "partNumber": part}
    return "?" + urlencode(names)
