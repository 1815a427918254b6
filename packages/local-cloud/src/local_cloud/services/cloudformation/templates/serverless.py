"""Expand AWS::Serverless resources with AWS's own translator.

https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification.html
"""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Mapping
from typing import Any

from local_cloud.services.cloudformation.errors import ValidationError

SERVERLESS = "AWS::Serverless-2016-10-31"
#: The translator asks for a region to tell AWS's partition by: ARNs have the stack's own by AWS::Region.
_REGION = "us-east-1"
#: What the translator would fetch from AWS.
_NESTED = "AWS::Serverless::Application"


def expand(document: dict[str, Any], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the template that the Serverless transform makes of `document`, for parameters of these values.

    Errors: ValidationError in AWS's words for what the translator refuses.
    """
    resources = document.get("Resources")
    if not isinstance(resources, dict):
        return document
    if any(isinstance(each, dict) and each.get("Type") == _NESTED for each in resources.values()):
        raise ValidationError(f"Template format error: Unrecognized resource types: [{_NESTED}]")
    return dict(json.loads(_expanded(json.dumps(document), tuple(sorted(values.items())))))


@functools.lru_cache(maxsize=32)
def _expanded(document: str, values: tuple[tuple[str, str], ...]) -> str:
    """Kept, because everyone who waits for a stack asks for its template."""
    import boto3
    from samtranslator.internal.managed_policies import get_bundled_managed_policy_map
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    logging.getLogger("samtranslator").setLevel(logging.ERROR)  # it warns of metrics that it sends to nobody
    policies = get_bundled_managed_policy_map("aws")
    translator = Translator(policies, Parser(), boto_session=boto3.Session(region_name=_REGION))
    try:
        expanded = translator.translate(json.loads(document), dict(values))
    except InvalidDocumentException as error:
        reasons = " ".join([error.message, *(cause.message for cause in error.causes)])
        raise ValidationError(f"Transform {SERVERLESS} failed with: {reasons}") from None
    return json.dumps(expanded)
