"""PutBucketLifecycleConfiguration, GetBucketLifecycleConfiguration and DeleteBucketLifecycle."""

from __future__ import annotations

from local_cloud.services.s3.errors import S3Error
from local_cloud.services.s3.lifecycle import document
from local_cloud.services.s3.operations.context import Context
from local_cloud.services.s3.requests import body, xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml

#: The header that says which small objects are not moved to another class, and what it says unless a request does.
_MINIMUM, _DEFAULT_MINIMUM = "x-amz-transition-default-minimum-object-size", "all_storage_classes_128K"


def put(context: Context, request: S3Request) -> Reply:
    rules = document.read(body.read_document(request.body, request.headers, limit=xmldoc.MAX_DOCUMENT))
    minimum = request.headers.get(_MINIMUM, _DEFAULT_MINIMUM)
    context.lifecycle.put(request.bucket, {"rules": rules, "minimum": minimum})
    return Reply(200, {_MINIMUM: minimum})


def get(context: Context, request: S3Request) -> Reply:
    configuration = context.lifecycle.get(request.bucket)
    if configuration is None:
        raise S3Error("NoSuchLifecycleConfiguration", BucketName=request.bucket)
    return xml(document.write(configuration["rules"]), headers={_MINIMUM: configuration["minimum"]})


def delete(context: Context, request: S3Request) -> Reply:
    context.lifecycle.delete(request.bucket)
    return Reply(204)
