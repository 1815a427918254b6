"""Definitions parsed at the same time, or after a bad one, read each other's query language.

`asl/parse/preprocessor.py:Preprocessor._query_language_per_scope` is a list of the class: all parsers push to and pop
from the same stack, and an error leaves its scopes behind. One stack per parser.
"""

from __future__ import annotations

from typing import Any


def apply() -> None:
    from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

    def __init__(self: Any) -> None:
        self._query_language_per_scope = []

    Preprocessor.__init__ = __init__
