"""Actions on templates."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.cloudformation.api.base import Api, given
from local_cloud.services.cloudformation.change_sets import find_change_set
from local_cloud.services.cloudformation.errors import ValidationError
from local_cloud.services.cloudformation.parameters import Parameter
from local_cloud.services.cloudformation.requests import read_template, required_capabilities
from local_cloud.services.cloudformation.templates.template import Template


class TemplateActions(Api):
    def get_template(self) -> Any:
        request = self.request
        with self.engine.lock:
            if name := request.get("ChangeSetName"):
                if not request.get("StackName") and not name.startswith("arn:"):
                    raise ValidationError("StackName is a required parameter.")
                definition = find_change_set(self.engine, name, request.get("StackName"))[1].definition
                text = definition.template
            elif "StackName" in request:
                stack = self.engine.find(request["StackName"])
                definition = stack.definition
                text = "" if stack.status == "REVIEW_IN_PROGRESS" else definition.template
            else:
                raise ValidationError("StackName is required if ChangeSetName is not specified.")
        if text and request.get("TemplateStage", "Processed") == "Processed":
            text = Template.parse(text, definition.parameters).processed
        return self.answer(TemplateBody=text, StagesAvailable=["Original", "Processed"])

    def validate_template(self) -> Any:
        template = self._template()
        parameters = [
            given(DefaultValue=each.default, NoEcho=each.no_echo, Description=each.description)
            | {"ParameterKey": each.name}
            for each in template.parameters.values()
        ]
        return self.answer(Parameters=parameters, **_capabilities(template))

    def get_template_summary(self) -> Any:
        request = self.request
        if name := request.get("StackName"):
            with self.engine.lock:
                stack = self.engine.find(name)
            definitions = [stack.definition, *(each.definition for each in stack.change_sets.values())]
            chosen = next(each for each in definitions if each.template)
            template = Template.parse(chosen.template, chosen.parameters)
        else:
            template = self._template()
        return self.answer(
            Parameters=[_declaration(each) for each in template.parameters.values()],
            ResourceTypes=sorted({each.type for each in template.resources.values()}),
            Version="2010-09-09",
            Metadata=None if template.metadata is None else json.dumps(template.metadata),
            **_capabilities(template),
        )

    def _template(self) -> Template:
        return read_template(self.request, previous=None, client=self.engine.client(None))


def _capabilities(template: Template) -> dict[str, Any]:
    capabilities, reason = required_capabilities(template)
    return given(
        Description=template.description,
        Capabilities=capabilities or None,
        CapabilitiesReason=reason,
        DeclaredTransforms=list(template.transforms) or None,
    )


def _declaration(parameter: Parameter) -> dict[str, Any]:
    return given(
        ParameterKey=parameter.name,
        DefaultValue=parameter.default,
        ParameterType=parameter.type,
        NoEcho=parameter.no_echo,
        Description=parameter.description,
        ParameterConstraints=given(AllowedValues=list(parameter.allowed_values) or None),
    )
