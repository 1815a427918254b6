"""ListBuckets and HeadBucket."""

from __future__ import annotations

from local_cloud import moto_state
from local_cloud.services.s3.errors import invalid_argument
from local_cloud.services.s3.operations.context import OWNER, Context
from local_cloud.services.s3.requests import xmldoc
from local_cloud.services.s3.requests.request import Reply, S3Request, xml

#: Buckets of one page: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
MOST = 10_000

_PAGES = ("bucket-region", "continuation-token", "max-buckets", "prefix")


def arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"


def list_buckets(context: Context, request: S3Request) -> Reply:
    """The buckets by name, in pages where the request asks for them."""
    query = request.query
    most = request.number("max-buckets", MOST, most=MOST)
    if most < 1:
        raise invalid_argument(
            "Argument max-buckets must be an integer between 1 and 10000", name="max-buckets", value=str(most)
        )
    if region := query.get("bucket-region"):
        _check_region(region)
    prefix, after = query.get("prefix", ""), query.get("continuation-token", "")
    with moto_state.held():
        known = sorted((bucket.name, bucket.creation_date_ISO8601) for bucket in context.buckets.all())
    rest = [
        (name, created)
        for name, created in known
        if name.startswith(prefix) and name > after and region in (None, "", context.region)
    ]
    shown = rest[:most]
    in_pages = any(name in query for name in _PAGES)
    entries = [
        {
            "Name": name,
            "CreationDate": created,
            "BucketRegion": context.region if in_pages else None,
            "BucketArn": arn(name),
        }
        for name, created in shown
    ]
    content = {
        "Owner": OWNER,
        "Buckets": {"Bucket": entries},
        "ContinuationToken": shown[-1][0] if len(rest) > len(shown) else None,
        "Prefix": prefix or None,
    }
    return xml(xmldoc.document("ListAllMyBucketsResult", content))


def head(context: Context, request: S3Request) -> Reply:
    headers = {
        "Content-Type": "application/xml",
        "x-amz-bucket-region": context.region,
        "x-amz-bucket-arn": arn(request.bucket),
        "x-amz-access-point-alias": "false",
    }
    return Reply(200, headers)


def _check_region(name: str) -> None:
    import botocore.session

    session = botocore.session.Session()
    known = {each for part in session.get_available_partitions() for each in session.get_available_regions("s3", part)}
    if name not in known:
        raise invalid_argument(f"Argument value {name} is not a valid AWS Region", name="bucket-region")
