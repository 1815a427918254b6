"""Named parameters: `:name` where a value may stand, replaced by a literal that is that value and nothing else.

Names in strings, quoted identifiers, comments and dollar quotes are no parameters, nor is `::`.
https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html#data-api-calling-considerations-parameters
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local_cloud.services.redshift.data_api.errors import Invalid
from local_cloud.services.redshift.errors import SqlError
from local_cloud.services.redshift.sql.lexer import Kind, literal, tokenize


def names(sql: str) -> set[str]:
    """The parameters that a statement uses. A text that cannot be read has none: it will fail when it runs."""
    try:
        return {token.value for token in tokenize(sql) if token.kind is Kind.PARAMETER}
    except SqlError:
        return set()


def check(statements: Sequence[str], values: Mapping[str, str]) -> None:
    """Every value is used by some statement, and every parameter has a value.

    Without any values, the API sends the text as it is, and the server finds the colon.
    """
    if not values:
        return
    used = set().union(*(names(sql) for sql in statements))
    unused = [name for name in values if name not in used]
    if unused:
        raise Invalid(f"Parameters list contains unused parameters. Unused parameters: [{', '.join(unused)}]")
    missing = sorted(used - values.keys())
    if missing:
        raise Invalid(
            "Parameters list does not contain all parameters of the SQL statement. "
            f"Missing parameters: [{', '.join(missing)}]"
        )


def bind(sql: str, values: Mapping[str, str]) -> str:
    """The statement with its parameters as literals. SqlError for a value that no string can hold."""
    if not values:
        return sql
    out, position = [], 0
    for token in tokenize(sql):
        if token.kind is Kind.PARAMETER:
            value = values[token.value]
            if not value:
                raise SqlError(f"Parameter {token.value} has a zero length value, which is not supported.")
            if "\0" in value:
                raise SqlError('invalid byte sequence for encoding "UTF8": 0x00')
            out += [sql[position : token.start], literal(value)]
            position = token.end
    return "".join([*out, sql[position:]])
