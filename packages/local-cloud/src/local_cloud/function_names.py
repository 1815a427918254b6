"""The ways to name a Lambda function: `name`, `name:alias`, its ARN, parts of its ARN.

The pattern is that of NamespacedFunctionName in botocore's model, as of `FunctionName` in
https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_RequestParameters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATTERN = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:)?(?P<name>[a-zA-Z0-9-_.]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)


@dataclass(frozen=True)
class FunctionName:
    """A function by name; "" is what its text does not say."""

    name: str
    qualifier: str = ""
    region: str = ""
    account: str = ""

    @classmethod
    def parse(cls, text: str) -> FunctionName | None:
        """None for a text that is no name of a function."""
        found = _PATTERN.fullmatch(text)
        return cls(**{part: value or "" for part, value in found.groupdict().items()}) if found else None

    def qualified(self, qualifier: str = "") -> str:
        """`name`, or `name:qualifier` where the text or the argument has one."""
        wanted = self.qualifier or qualifier
        return f"{self.name}:{wanted}" if wanted else self.name
