"""Reads a statement token by token, for the commands that have a grammar of their own."""

from __future__ import annotations

from local_cloud.services.redshift.errors import SqlSyntaxError
from local_cloud.services.redshift.sql.lexer import Kind, Token, tokenize


class Reader:
    """A position in a statement's tokens. Words match case-insensitively."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = [token for token in tokenize(sql) if token.text != ";"]
        self.index = 0

    def peek(self, ahead: int = 0) -> Token | None:
        place = self.index + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    @property
    def at_end(self) -> bool:
        return self.index >= len(self.tokens)

    def next(self) -> Token:
        token = self.peek()
        if token is None:
            raise self.error()
        self.index += 1
        return token

    def at(self, *words: str) -> bool:
        """True when the next tokens are these words or symbols."""
        return all((token := self.peek(i)) is not None and token.upper == word for i, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        if self.at(*words):
            self.index += len(words)
            return True
        return False

    def accept_any(self, *words: str) -> str:
        """The one of `words` that comes next, taken; empty when none does."""
        return next((word for word in words if self.accept(*word.split())), "")

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.error()

    def end(self) -> None:
        if not self.at_end:
            raise self.error()

    def error(self) -> SqlSyntaxError:
        token = self.peek()
        if token is None:
            return SqlSyntaxError("syntax error at end of input", position=len(self.sql) + 1)
        return SqlSyntaxError(f'syntax error at or near "{token.text[:60]}"', position=token.start + 1)

    def identifier(self) -> str:
        token = self.peek()
        if token is None or token.kind not in (Kind.WORD, Kind.QUOTED):
            raise self.error()
        self.index += 1
        return token.value

    def name(self) -> tuple[str, ...]:
        """A name with its qualifiers: `t`, `schema.t` or `database.schema.t`."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return tuple(parts)

    def string(self) -> str:
        token = self.peek()
        if token is None or token.kind not in (Kind.STRING, Kind.DOLLAR):
            raise self.error()
        self.index += 1
        return token.value

    def raw_string(self) -> str:
        """A string literal with its backslashes as they stand: COPY gives them its own meaning."""
        token = self.peek()
        self.string()
        assert token is not None
        return token.text[1:-1].replace("''", "'") if token.kind is Kind.STRING else token.value

    def number(self) -> str:
        sign = "-" if self.accept("-") else ""
        token = self.peek()
        if token is None or token.kind is not Kind.NUMBER:
            raise self.error()
        self.index += 1
        return sign + token.text

    def integer(self) -> int:
        token = self.peek()
        text = self.number()
        try:
            return int(text)
        except ValueError:
            self.index -= 1
            raise SqlSyntaxError(
                f'syntax error at or near "{text}"', position=token.start + 1 if token else 0
            ) from None

    def identifiers(self) -> tuple[str, ...]:
        """`( a, b, … )`"""
        self.expect("(")
        names = [self.identifier()]
        while self.accept(","):
            names.append(self.identifier())
        self.expect(")")
        return tuple(names)

    def parenthesised(self) -> str:
        """The text between the parenthesis that comes next and the one that closes it."""
        self.expect("(")
        begin = self.tokens[self.index - 1].end
        depth = 1
        while depth:
            token = self.next()
            if token.kind is Kind.SYMBOL:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
        return self.sql[begin : self.tokens[self.index - 1].start]

    def rest(self) -> str:
        """The text from here to the end."""
        token = self.peek()
        if token is None:
            return ""
        self.index = len(self.tokens)
        return self.sql[token.start : self.tokens[-1].end]

    def text_until(self, *stops: str) -> str:
        """The text up to a `,`, a closing parenthesis of an outer level, or one of the words in `stops`."""
        first = self.peek()
        if first is None or first.text in (",", ")"):
            raise self.error()
        depth, last = 0, first
        while (token := self.peek()) is not None:
            if depth == 0 and (token.text in (",", ")") or token.upper in stops) and token is not first:
                break
            if token.kind is Kind.SYMBOL:
                depth += {"(": 1, ")": -1}.get(token.text, 0)
            last = self.next()
        return self.sql[first.start : last.end]
