"""The spellings of one name: the API's, the Java SDK's that Step Functions shows, and what an expression may say."""

from __future__ import annotations

import re

_ACRONYM = re.compile(r"[A-Z]{2,}(?=[A-Z][a-z]|$)")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*|[0-9]+")


def java_name(name: str) -> str:
    """A member as the AWS SDK for Java 2 spells it: only an acronym that it begins with is lowered.

    `DBInstanceIdentifier` is DbInstanceIdentifier, `jobName` JobName, `ChecksumCRC32` itself (recorded).
    """
    pascal = pascal_name(name)
    acronym = _ACRONYM.match(pascal)
    return acronym[0].capitalize() + pascal[acronym.end() :] if acronym else pascal


def service_name(name: str) -> str:
    """A service as the AWS SDK for Java 2 spells it: `DynamoDB` is DynamoDb, `SFN` Sfn."""
    return "".join(word[0].upper() + word[1:].lower() for word in _WORDS.findall(name))


def pascal_name(name: str) -> str:
    """As the optimised integrations spell it: the API's own name with a capital first letter."""
    return name[:1].upper() + name[1:]


def exception_name(shape: str) -> str:
    """The SDK's exception for a modelled error: `NoSuchKey` is NoSuchKeyException, `AFault` AException."""
    return re.sub(r"(Exception|Fault)$", "", shape) + "Exception"
