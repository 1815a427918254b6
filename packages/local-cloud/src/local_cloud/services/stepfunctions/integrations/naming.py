"""The spellings of one name: the API's, the Java SDK's that Step Functions shows, and what an expression may say."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*|[0-9]+")


def java_name(name: str) -> str:
    """As the AWS SDK for Java 2 spells it: `DBInstanceIdentifier` is DbInstanceIdentifier, `jobName` JobName."""
    return "".join(word[0].upper() + word[1:].lower() for word in _WORDS.findall(name))


def pascal_name(name: str) -> str:
    """As the optimised integrations spell it: the API's own name with a capital first letter."""
    return name[:1].upper() + name[1:]


def exception_name(shape: str) -> str:
    """The SDK's exception for a modelled error: `NoSuchKey` is NoSuchKeyException, `AFault` AException."""
    return re.sub(r"(Exception|Fault)$", "", shape) + "Exception"
