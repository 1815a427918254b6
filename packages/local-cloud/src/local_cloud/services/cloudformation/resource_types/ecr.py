"""AWS::ECR::Repository: a record. No image is pushed to it."""

from __future__ import annotations

from typing import Any

from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    document,
    generated,
    tag_list,
)


class Repository(ResourceType):
    type = "AWS::ECR::Repository"
    service = "ecr"
    name_property = "RepositoryName"

    def generate_name(self, *, stack_name: str, logical_id: str) -> str:
        return generated(f"{stack_name}-{logical_id}", limit=self.name_limit).lower()

    def create(self, target: Target) -> str:
        names = ("EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability")
        given = {name: target.properties[name] for name in names if name in target.properties}
        tags = tag_list(target.properties.get("Tags"))
        self.call(target, "create_repository", given, repositoryName=target.name, tags=tags)
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        name, given = target.physical_id, target.properties
        policy = given.get("RepositoryPolicyText")
        if policy and policy != before.get("RepositoryPolicyText"):
            self.call(target, "set_repository_policy", repositoryName=name, policyText=document(policy))
        elif before.get("RepositoryPolicyText") and not policy:
            self.call(target, "delete_repository_policy", repositoryName=name)
        text = given.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        old = before.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if text and text != old:
            self.call(target, "put_lifecycle_policy", repositoryName=name, lifecyclePolicyText=text)
        elif old and not text:
            self.call(target, "delete_lifecycle_policy", repositoryName=name)

    def update(self, target: Target, before: dict[str, Any]) -> None:
        name, given = target.physical_id, target.properties
        scanning = given.get("ImageScanningConfiguration", {"ScanOnPush": False})
        if scanning != before.get("ImageScanningConfiguration", {"ScanOnPush": False}):
            arguments = {"ImageScanningConfiguration": scanning}
            self.call(target, "put_image_scanning_configuration", arguments, repositoryName=name)
        mutability = given.get("ImageTagMutability", "MUTABLE")
        if mutability != before.get("ImageTagMutability", "MUTABLE"):
            self.call(target, "put_image_tag_mutability", repositoryName=name, imageTagMutability=mutability)
        self.configure(target, before)
        which = {"resourceArn": target.arn("ecr", f"repository/{name}")}
        self.retag(target, before, which=which, tags="tags", keys="tagKeys")

    def attributes(self, target: Target) -> dict[str, Any]:
        found = self.call(target, "describe_repositories", repositoryNames=[target.physical_id])["repositories"][0]
        return {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]}

    def delete(self, target: Target) -> None:
        force = bool(target.properties.get("EmptyOnDelete"))
        self.call(target, "delete_repository", repositoryName=target.physical_id, force=force)


TYPES = (Repository,)
