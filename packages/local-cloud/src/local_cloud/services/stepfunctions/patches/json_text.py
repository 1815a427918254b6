"""Escapes in names and strings of a definition stay as they are written.

`asl/parse/preprocessor.py:_inner_string_of` only cuts the quotes off, so `"a \\"b\\""` in Assign, or a state's name
with an escape, keeps its backslashes; `asl/antlt4utils/antlr4utils.py:from_string_literal` reads JSON text as a Python
literal, which differs (`\\/`, `\\ud83d\\ude00`). Both read JSON here.
"""

from __future__ import annotations

import json
from typing import Any


def apply() -> None:
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLLexer import ASLLexer
    from moto.stepfunctions.parser.asl.antlt4utils import antlr4utils
    from moto.stepfunctions.parser.asl.parse import preprocessor

    def text_of(context: Any) -> Any:
        text = context.getText()
        return json.loads(text) if text.startswith('"') else text

    def from_string_literal(parser_rule_context: Any) -> Any:
        return text_of(parser_rule_context)

    def _inner_string_of(parser_rule_context: Any) -> Any:
        if antlr4utils.is_terminal(parser_rule_context, ASLLexer.NULL):
            return None
        return text_of(parser_rule_context)

    preprocessor.from_string_literal = from_string_literal
    preprocessor.Preprocessor._inner_string_of = staticmethod(_inner_string_of)
