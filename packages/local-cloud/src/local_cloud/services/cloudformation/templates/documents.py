"""A template's text, JSON or YAML with the short forms, as plain dictionaries, lists and scalars.

CloudFormation takes YAML 1.1 without aliases, merge keys and timestamps; of a key that comes twice the last counts
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html).
"""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError

#: Short form → the function's full name.
SHORT_FORMS = {
    "Ref": "Ref",
    "Condition": "Condition",
} | {
    name: f"Fn::{name}"
    for name in (
        *("And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "ForEach"),
        *("GetAtt", "GetAZs", "If", "ImportValue", "Join", "Length", "Not", "Or", "Select", "Split", "Sub"),
        *("ToJsonString", "Transform"),
    )
}


def load(text: str) -> dict[str, Any]:
    """The template in `text`. ValidationError, with line and column, when it is not well-formed."""
    document: Any
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            try:
                document = _load_yaml(text)
            except ValidationError:
                raise ValidationError(
                    f"Template format error: JSON not well-formed. (line {error.lineno}, column {error.colno})"
                ) from None
    else:
        document = _load_yaml(text)
    if not isinstance(document, dict):
        raise ValidationError("Template format error: unsupported structure.")
    return document


def _load_yaml(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        raise _not_well_formed(error.problem_mark) from None
    except yaml.YAMLError:
        raise ValidationError("Template format error: YAML not well-formed.") from None
    return _YamlBuilder(yaml.constructor.SafeConstructor()).build(node) if node else None


def _not_well_formed(mark: Any, problem: str = "") -> ValidationError:
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return ValidationError(f"Template format error: YAML not well-formed.{where}{problem and ' ' + problem}")


class _YamlBuilder:
    def __init__(self, scalars: Any) -> None:
        self.scalars = scalars
        self.seen: set[int] = set()

    def build(self, node: Any) -> Any:
        if id(node) in self.seen:
            raise ValidationError("Template error: YAML aliases are not allowed in CloudFormation templates")
        self.seen.add(id(node))
        if not node.tag.startswith("!"):
            return self._plain(node)
        name = SHORT_FORMS.get(node.tag[1:])
        if name is None:
            raise _not_well_formed(node.start_mark, f"Unknown tag {node.tag}")
        argument = node.value if node.id == "scalar" else self._plain(node)
        if name == "Fn::GetAtt" and isinstance(argument, str):
            argument = argument.split(".", 1)
        return {name: argument}

    def _plain(self, node: Any) -> Any:
        if node.id == "sequence":
            return [self.build(item) for item in node.value]
        if node.id == "mapping":
            return self._mapping(node)
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value
        try:
            return self.scalars.construct_object(node)
        except Exception:
            raise _not_well_formed(node.start_mark) from None

    def _mapping(self, node: Any) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in node.value:
            if key.id != "scalar" or key.tag == "tag:yaml.org,2002:merge":
                raise _not_well_formed(key.start_mark)
            result[key.value] = self.build(value)
        return result
