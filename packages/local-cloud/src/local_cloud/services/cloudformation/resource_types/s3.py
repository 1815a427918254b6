"""AWS::S3::Bucket, AWS::S3::BucketPolicy."""

from __future__ import annotations

import string
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    generated,
    is_absent,
)
from local_cloud.services.cloudformation.resource_types.s3_settings import SETTINGS


class Bucket(ResourceType):
    type = "AWS::S3::Bucket"
    service = "s3"
    name_property = "BucketName"
    name_limit = 63

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        alphabet = string.ascii_lowercase + string.digits
        return generated(f"{stack_name}-{logical_id}".lower(), limit=self.name_limit, alphabet=alphabet)

    def create(self, target: Target) -> str:
        # CreateBucket in us-east-1 is a success for a bucket that the account has already.
        try:
            self.call(target, "head_bucket", Bucket=target.name)
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"{target.name} already exists")
        arguments: dict[str, Any] = {"Bucket": target.name}
        if target.region != "us-east-1":
            arguments["CreateBucketConfiguration"] = {"LocationConstraint": target.region}
        if target.properties.get("ObjectLockEnabled"):
            arguments["ObjectLockEnabledForBucket"] = True
        if ownership := target.properties.get("OwnershipControls"):
            arguments["ObjectOwnership"] = ownership["Rules"][0]["ObjectOwnership"]
        self.call(target, "create_bucket", **arguments)
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        bucket = target.physical_id
        for name, (put, convert, remove) in SETTINGS.items():
            value, old = target.properties.get(name), before.get(name)
            if value == old:
                continue
            if value is not None:
                self.call(target, put, Bucket=bucket, **convert(value))
            elif isinstance(remove, str):
                self.call(target, remove, Bucket=bucket)
            elif remove is not None:
                self.call(target, put, Bucket=bucket, **remove)
            else:
                raise ResourceError(f"{name} cannot be taken away from a bucket once it is set")

    def attributes(self, target: Target) -> dict[str, Any]:
        name, region = target.physical_id, target.region
        return {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
        }

    def delete(self, target: Target) -> None:
        self.call(target, "delete_bucket", Bucket=target.physical_id)


class BucketPolicy(ResourceType):
    type = "AWS::S3::BucketPolicy"
    service = "s3"

    def expected_id(self, target: Target) -> str:
        return str(target.properties["Bucket"])

    def create(self, target: Target) -> str:
        bucket = str(target.properties["Bucket"])
        try:
            self.call(target, "get_bucket_policy", Bucket=bucket)
        except ClientError as error:
            if not is_absent(error):
                raise
        else:
            raise ResourceError(f"The bucket policy already exists on bucket {bucket}.")
        return bucket

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        policy = document(target.properties["PolicyDocument"])
        self.call(target, "put_bucket_policy", Bucket=target.properties["Bucket"], Policy=policy)

    def delete(self, target: Target) -> None:
        self.call(target, "delete_bucket_policy", Bucket=target.physical_id)


TYPES = (Bucket, BucketPolicy)
