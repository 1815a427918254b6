"""Escaped quotes, braces and backslashes in intrinsic functions give wrong text; syntax errors pass in silence.

`asl/parse/preprocessor.py:visitString_intrinsic_function` parses the text still escaped for JSON, so that the quote in
`States.Format('it\\\\'s')` ends the string; `asl/parse/intrinsic/intrinsic_parser.py` prints errors and goes on with
what it understood; `asl/parse/intrinsic/preprocessor.py:visitFunc_arg_float` asks for a token that is not there;
there is no `null`.
Escapes: https://states-language.net/#appendix-b. `\\{` and `\\}` are braces that Format does not fill: until Format has
run they are two characters of Unicode's private use, and `null` is a text of a third.
"""

from __future__ import annotations

import json
import re
from typing import Any

OPEN, CLOSE = "\ue07b", "\ue07d"
_NULL = "\ue06e"
_QUOTED_OR_NULL = re.compile(r"(?P<quoted>'(?:\\.|[^'\\])*')|(?<=[(,])(?P<space>\s*)null(?=\s*[,)])")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "{": OPEN, "}": CLOSE}


class IntrinsicSyntaxError(ValueError):
    """The text of an intrinsic function is not one."""


def parse_function(text: str) -> Any:
    """The evaluable component of an intrinsic function call, given without JSON's escapes."""
    from antlr4 import CommonTokenStream, InputStream, Token
    from antlr4.error.ErrorListener import ErrorListener
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicLexer import ASLIntrinsicLexer
    from moto.stepfunctions.parser.asl.antlr.runtime.ASLIntrinsicParser import ASLIntrinsicParser
    from moto.stepfunctions.parser.asl.parse.intrinsic.preprocessor import Preprocessor

    class Refuse(ErrorListener):  # type: ignore[misc]
        def syntaxError(self, *reported: Any) -> None:
            _recogniser, _symbol, _line, column, message, _error = reported
            raise IntrinsicSyntaxError(f"'{text}' is not an intrinsic function: {message} at column {column + 1}")

    plain = "".join(_CONTROL.get(character, character) for character in text)
    plain = _QUOTED_OR_NULL.sub(lambda match: match["quoted"] or f"{match['space']}'{_NULL}'", plain)
    lexer = ASLIntrinsicLexer(InputStream(plain))
    stream = CommonTokenStream(lexer)
    parser = ASLIntrinsicParser(stream)
    for recogniser in (lexer, parser):
        recogniser.removeErrorListeners()
        recogniser.addErrorListener(Refuse())
    tree = parser.func_decl()
    if stream.LT(1).type != Token.EOF:
        raise IntrinsicSyntaxError(f"'{text}' is not an intrinsic function: '{stream.LT(1).text}' is one too many")
    return Preprocessor().visit(tree)


def apply() -> None:
    from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringIntrinsicFunction
    from moto.stepfunctions.parser.asl.component.intrinsic.argument.argument import ArgumentLiteral
    from moto.stepfunctions.parser.asl.parse import preprocessor
    from moto.stepfunctions.parser.asl.parse.intrinsic import preprocessor as intrinsic

    def visitString_intrinsic_function(self: Any, ctx: Any) -> Any:
        text = json.loads(ctx.STRINGINTRINSICFUNC().getText())
        return StringIntrinsicFunction(intrinsic_function_derivation=text, function=parse_function(text))

    def visitFunc_arg_string(self: Any, ctx: Any) -> Any:
        quoted = ctx.STRING().getText()[1:-1]
        if quoted == _NULL:
            return ArgumentLiteral(None)
        return ArgumentLiteral(_ESCAPE.sub(lambda match: _PLAIN.get(match[1], match[1]), quoted))

    def visitFunc_arg_float(self: Any, ctx: Any) -> Any:
        return ArgumentLiteral(float(ctx.NUMBER().getText()))

    preprocessor.Preprocessor.visitString_intrinsic_function = visitString_intrinsic_function
    intrinsic.Preprocessor.visitFunc_arg_string = visitFunc_arg_string
    intrinsic.Preprocessor.visitFunc_arg_float = visitFunc_arg_float


def plain_braces(value: Any) -> Any:
    """Text with escaped braces as braces."""
    return value.replace(OPEN, "{").replace(CLOSE, "}") if isinstance(value, str) else value
