"""AWS::Lambda::Function, Permission, Version, Alias, LayerVersion, EventInvokeConfig."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from local_cloud.services.cloudformation.errors import ResourceError
from local_cloud.services.cloudformation.resource_types.base import (
    ResourceType,
    Target,
    generated,
    tag_map,
    wait_for,
    without,
)

#: What a configuration property is when the template no longer gives it.
DEFAULTS: dict[str, Any] = {
    "DeadLetterConfig": {},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "FileSystemConfigs": [],
    "ImageConfig": {},
    "KmsKeyArn": "",
    "Layers": [],
    "LoggingConfig": {"LogFormat": "Text"},
    "MemorySize": 128,
    "Timeout": 3,
    "TracingConfig": {"Mode": "PassThrough"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
}
#: Properties with an operation of their own.
APART = ("Architectures", "Code", "CodeSigningConfigArn", "FunctionName", "PackageType", "Tags")
#: The name of a runtime, and no reference to one.
RUNTIME = re.compile(r"[a-z0-9.]+")
INLINE_FILES = {"python": "index.py", "nodejs": "index.js"}


class Function(ResourceType):
    type = "AWS::Lambda::Function"
    service = "lambda"
    name_property = "FunctionName"
    name_limit = 64

    def refusals(self, properties: dict[str, Any], *, account: str) -> list[str]:
        found = []
        runtime = properties.get("Runtime")
        if isinstance(runtime, str) and RUNTIME.fullmatch(runtime) and not runtime.startswith("python3."):
            found.append(f"#/Runtime: {runtime} is not supported by this local cloud, which runs Python")
        if properties.get("PackageType", "Zip") == "Image":
            found.append("#/PackageType: Image is not supported by this local cloud")
        logging = properties.get("LoggingConfig")
        if isinstance(logging, dict) and logging.get("LogFormat") == "JSON":
            found.append("#/LoggingConfig/LogFormat: JSON is not supported by this local cloud")
        layers = properties.get("Layers")
        for index, layer in enumerate(layers if isinstance(layers, list) else []):
            if isinstance(layer, str) and layer.startswith("arn:") and layer.split(":")[4] != account:
                found.append(f"#/Layers/{index}: this local cloud does not have the public layer {layer}")
        return found

    def create(self, target: Target) -> str:
        given = without(target.properties, "Code", "FunctionName", "ReservedConcurrentExecutions", "Tags")
        code = _code(target.properties)
        tags = tag_map(target.properties.get("Tags"))
        self.call(target, "create_function", given, FunctionName=target.name, Code=code, Tags=tags)
        return target.name

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        name = target.physical_id
        reserved = target.properties.get("ReservedConcurrentExecutions")
        if reserved != before.get("ReservedConcurrentExecutions"):
            if reserved is None:
                self.call(target, "delete_function_concurrency", FunctionName=name)
            else:
                arguments = {"FunctionName": name, "ReservedConcurrentExecutions": reserved}
                self.call(target, "put_function_concurrency", **arguments)
        wait_for(lambda: self._settled(target), f"Function {name}")

    def update(self, target: Target, before: dict[str, Any]) -> None:
        name, given = target.physical_id, target.properties
        if given.get("CodeSigningConfigArn") != before.get("CodeSigningConfigArn"):
            raise ResourceError("CodeSigningConfigArn cannot be changed on this local cloud")
        code = ("Code", "Architectures", "Runtime")
        if any(given.get(part) != before.get(part) for part in code):
            architectures = {"Architectures": given["Architectures"]} if "Architectures" in given else {}
            self.call(target, "update_function_code", FunctionName=name, **_code(given), **architectures)
            wait_for(lambda: self._settled(target), f"Function {name}")
        old = without(before, *APART, "ReservedConcurrentExecutions")
        new = without(given, *APART, "ReservedConcurrentExecutions")
        if new != old:
            gone = {part: DEFAULTS[part] for part in old.keys() - new.keys() if part in DEFAULTS}
            self.call(target, "update_function_configuration", gone | new, FunctionName=name)
        self.configure(target, before)
        arn = target.arn("lambda", f"function:{name}")
        self.retag(target, before, which={"Resource": arn}, form=tag_map)

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Arn": target.arn("lambda", f"function:{target.physical_id}")}

    def delete(self, target: Target) -> None:
        self.call(target, "delete_function", FunctionName=target.physical_id)

    def _settled(self, target: Target) -> bool:
        state = self.call(target, "get_function_configuration", FunctionName=target.physical_id)
        for field, reason in (("State", "StateReason"), ("LastUpdateStatus", "LastUpdateStatusReason")):
            if state.get(field) == "Failed":
                raise ResourceError(f"Function {target.physical_id}: {state.get(reason) or 'failed'}")
        return bool(state.get("State") != "Pending" and state.get("LastUpdateStatus") != "InProgress")


class Permission(ResourceType):
    """A statement of a function's policy. No property of it can change."""

    type = "AWS::Lambda::Permission"
    service = "lambda"

    def create(self, target: Target) -> str:
        statement = generated(f"{target.stack_name}-{target.logical_id}", limit=100)
        self.call(target, "add_permission", target.properties, StatementId=statement)
        return statement

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"Id": target.physical_id}

    def delete(self, target: Target) -> None:
        function = target.properties["FunctionName"]
        self.call(target, "remove_permission", FunctionName=function, StatementId=target.physical_id)


class Version(ResourceType):
    type = "AWS::Lambda::Version"
    service = "lambda"

    def create(self, target: Target) -> str:
        return str(self.call(target, "publish_version", target.properties)["FunctionArn"])

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"FunctionArn": target.physical_id, "Version": target.physical_id.rsplit(":", 1)[-1]}

    def delete(self, target: Target) -> None:
        function, version = target.physical_id.rsplit(":", 1)
        self.call(target, "delete_function", FunctionName=function, Qualifier=version)


class Alias(ResourceType):
    type = "AWS::Lambda::Alias"
    service = "lambda"

    def expected_id(self, target: Target) -> str:
        function = target.properties["FunctionName"].rsplit("function:", 1)[-1]
        return target.arn("lambda", f"function:{function}:{target.properties['Name']}")

    def create(self, target: Target) -> str:
        return str(self.call(target, "create_alias", _alias(target.properties))["AliasArn"])

    def update(self, target: Target, before: dict[str, Any]) -> None:
        defaults = {"Description": "", "RoutingConfig": {"AdditionalVersionWeights": {}}}
        gone = {name: value for name, value in defaults.items() if name in before and name not in target.properties}
        self.call(target, "update_alias", gone | _alias(target.properties))

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"AliasArn": target.physical_id}

    def delete(self, target: Target) -> None:
        which = {name: target.properties[name] for name in ("FunctionName", "Name")}
        self.call(target, "delete_alias", which)


class LayerVersion(ResourceType):
    """A version of a layer. No property of it can change."""

    type = "AWS::Lambda::LayerVersion"
    service = "lambda"

    def create(self, target: Target) -> str:
        layer = target.properties.get("LayerName", target.logical_id)
        given = without(target.properties, "LayerName")
        return str(self.call(target, "publish_layer_version", given, LayerName=layer)["LayerVersionArn"])

    def attributes(self, target: Target) -> dict[str, Any]:
        return {"LayerVersionArn": target.physical_id}

    def delete(self, target: Target) -> None:
        layer, version = target.physical_id.rsplit(":", 2)[1:]
        self.call(target, "delete_layer_version", LayerName=layer, VersionNumber=int(version))


class EventInvokeConfig(ResourceType):
    type = "AWS::Lambda::EventInvokeConfig"
    service = "lambda"

    def create(self, target: Target) -> str:
        return f"{target.properties['FunctionName']}|{target.properties['Qualifier']}"

    def configure(self, target: Target, before: dict[str, Any]) -> None:
        self.call(target, "put_function_event_invoke_config", target.properties)

    def delete(self, target: Target) -> None:
        which = {name: target.properties[name] for name in ("FunctionName", "Qualifier")}
        self.call(target, "delete_function_event_invoke_config", which)


def _code(properties: dict[str, Any]) -> dict[str, Any]:
    """The API's code argument. Inline text becomes a zip of one file, named as AWS names it."""
    code = dict(properties["Code"])
    if "ZipFile" in code:
        runtime = properties.get("Runtime", "")
        name = next((file for start, file in INLINE_FILES.items() if runtime.startswith(start)), "")
        if not name:
            raise ResourceError(f"ZipFile can hold code of a Python or Node.js runtime, not of {runtime or 'none'}")
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), code["ZipFile"])
        code["ZipFile"] = packed.getvalue()
    return code


def _alias(properties: dict[str, Any]) -> dict[str, Any]:
    result = without(properties, "RoutingConfig")
    if "RoutingConfig" in properties:
        weights = properties["RoutingConfig"].get("AdditionalVersionWeights", [])
        result["RoutingConfig"] = {
            "AdditionalVersionWeights": {each["FunctionVersion"]: each["FunctionWeight"] for each in weights}
        }
    return result


TYPES = (Function, Permission, Version, Alias, LayerVersion, EventInvokeConfig)
