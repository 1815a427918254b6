"""Redshift's functions and operators, rewritten where DuckDB spells them otherwise or means something else."""

from __future__ import annotations

import datetime
import inspect
import re
from collections.abc import Callable

from sqlglot import exp

from local_cloud.services.redshift.errors import NotSupported, SqlError
from local_cloud.services.redshift.sql.moment import Moment


def rewrite(tree: exp.Expr, moment: Moment) -> exp.Expr:
    """The same query in functions that DuckDB, with the warehouse's macros, knows."""

    def visit(node: exp.Expr) -> exp.Expr:
        rule = _RULES.get(type(node))
        return rule(node, moment) if rule else node

    return _replace_all(tree, visit)


def _replace_all(tree: exp.Expr, visit: Callable[[exp.Expr], exp.Expr]) -> exp.Expr:
    """Visit every node, arguments before the call they belong to, and put in its place what comes of it."""
    for node in reversed(list(tree.walk(bfs=False))):
        parent, key, index = node.parent, node.arg_key, node.index
        changed = visit(node)
        if changed is node:
            continue
        if parent is None or key is None:
            tree = changed
            changed.parent = None
        else:
            parent.set(key, changed, index)
    return tree


def rewrite_stored(tree: exp.Expr) -> exp.Expr:
    """The same for an expression that is kept, a column's default: times and users stay calls."""

    def visit(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.CurrentDate):
            return exp.cast(_call("getdate"), "date")
        if isinstance(node, exp.CurrentUser) or (isinstance(node, exp.Anonymous) and node.name.lower() in _OF_NOW):
            return node
        rule = _RULES.get(type(node))
        return rule(node, Moment(_EPOCH, _EPOCH)) if rule else node

    return _replace_all(tree, visit)


_OF_NOW = ("getdate", "sysdate")
_EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - never shown: a stored expression has no moment


def _timestamp(value: datetime.datetime) -> exp.Expr:
    return exp.cast(exp.Literal.string(value.isoformat(sep=" ")), "timestamp")


def _call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _anonymous(node: exp.Anonymous, moment: Moment) -> exp.Expr:
    name = node.name.lower()
    if name == "getdate":
        return _timestamp(moment.statement.replace(microsecond=0))
    if name == "sysdate":
        return _timestamp(moment.transaction)
    if name in moment.session and len(node.expressions) == 0:
        return _session_value(name, moment)
    rule = _FUNCTIONS.get(name)
    if rule is None:
        return node
    try:
        inspect.signature(rule).bind(*node.expressions)
    except TypeError:
        raise SqlError(f"function {name}() does not exist with {len(node.expressions)} arguments") from None
    return rule(*node.expressions)


def _session_value(name: str, moment: Moment) -> exp.Expr:
    value = moment.session[name]
    if value is None:
        return exp.Null()
    return exp.Literal.number(value) if isinstance(value, int) else exp.Literal.string(value)


def _named_value(name: str) -> Callable[[exp.Expr, Moment], exp.Expr]:
    def rule(node: exp.Expr, moment: Moment) -> exp.Expr:
        return _session_value(name, moment) if name in moment.session else node

    return rule


def _current_date(node: exp.CurrentDate, moment: Moment) -> exp.Expr:
    return exp.cast(exp.Literal.string(moment.statement.date().isoformat()), "date")


def _length_of(kind: exp.DataType) -> int:
    """The n of VARCHAR(n); 0 where a cast does not truncate."""
    if kind.this not in _STRINGS:
        return 0
    if not kind.expressions:
        return {exp.DataType.Type.CHAR: 1, exp.DataType.Type.NCHAR: 1}.get(kind.this, 256)
    written = kind.expressions[0].name
    return int(written) if written.isdigit() else 65535


_STRINGS = (
    exp.DataType.Type.VARCHAR,
    exp.DataType.Type.NVARCHAR,
    exp.DataType.Type.CHAR,
    exp.DataType.Type.NCHAR,
    exp.DataType.Type.BPCHAR,
    exp.DataType.Type.TEXT,
)
_PADDED = (exp.DataType.Type.CHAR, exp.DataType.Type.NCHAR, exp.DataType.Type.BPCHAR)


def _cast(node: exp.Cast, moment: Moment) -> exp.Expr:
    kind = node.to
    if kind.this is exp.DataType.Type.DECIMAL and not kind.expressions:
        node.set("to", exp.DataType.build("decimal(18,0)"))
    elif kind.this in _STRINGS:
        length = _length_of(kind)
        node.set("to", exp.DataType.build("text"))
        if kind.this is exp.DataType.Type.BPCHAR and not kind.expressions:
            return node
        cut = "redshift_char" if kind.this in _PADDED else "redshift_truncate"
        return _call(cut, node, exp.Literal.number(length))
    return node


def _concat(*parts: exp.Expr) -> exp.Expr:
    """CONCAT of Redshift is NULL when a part is; DuckDB's skips it."""
    whole = parts[0]
    for part in parts[1:]:
        whole = exp.DPipe(this=whole, expression=part)
    return exp.paren(whole)


def _like(node: exp.Expr, moment: Moment) -> exp.Expr:
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" in pattern.name and not isinstance(node.parent, exp.Escape):
        return exp.Escape(this=node.copy(), expression=exp.Literal.string("\\"))
    return node


def _similar_to(node: exp.SimilarTo, moment: Moment) -> exp.Expr:
    """SIMILAR TO takes a pattern of SQL (`%`, `_`), DuckDB's a regular expression."""
    pattern = node.expression
    if not isinstance(pattern, exp.Literal):
        raise NotSupported("SIMILAR TO needs a literal pattern here")
    return _call("regexp_full_match", node.this, exp.Literal.string(similar_pattern(pattern.name)))


def similar_pattern(pattern: str) -> str:
    """The regular expression of a SIMILAR TO pattern: `%` any text, `_` any character, `\\` escapes."""
    out, escaped, bracket = [], False, False
    for character in pattern:
        if escaped:
            out.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        elif bracket:
            bracket = character != "]"
            out.append(character)
        elif character == "[":
            bracket = True
            out.append(character)
        elif character == "%":
            out.append("(?s:.*)")
        elif character == "_":
            out.append("(?s:.)")
        elif character in ".^$":
            out.append("\\" + character)
        else:
            out.append(character)
    return "".join(out)


def _regexp_replace(node: exp.RegexpReplace, moment: Moment) -> exp.Expr:
    replacement = node.args.get("replacement") or exp.Literal.string("")
    if isinstance(replacement, exp.Literal):
        # Redshift refers to a group by $1, DuckDB by \1.
        replacement = exp.Literal.string(re.sub(r"\$(\d)", r"\\\1", replacement.name))
    return _call("regexp_replace", node.this, node.expression, replacement, exp.Literal.string("g"))


def _ratio_to_report(node: exp.Window, moment: Moment) -> exp.Expr:
    inner = node.this
    if not (isinstance(inner, exp.Anonymous) and inner.name.lower() == "ratio_to_report"):
        return node
    value = inner.expressions[0]
    total = node.copy()
    total.set("this", exp.Sum(this=value.copy()))
    return exp.paren(exp.Div(this=exp.cast(value.copy(), "double"), expression=total))


def _extract(node: exp.Extract, moment: Moment) -> exp.Expr:
    return exp.cast(node.copy(), "bigint" if node.name.lower() == "epoch" else "int")


def _as_integer(node: exp.Expr, moment: Moment) -> exp.Expr:
    return exp.cast(node.copy(), "int")


def _group_concat(node: exp.GroupConcat, moment: Moment) -> exp.Expr:
    """LISTAGG joins any type; DuckDB's string_agg wants text."""
    value = node.this
    if isinstance(value, exp.Order):
        value.set("this", exp.cast(value.this.copy(), "text"))
    elif isinstance(value, exp.Distinct):
        item, *separator = value.expressions
        value.set("expressions", [exp.cast(item.copy(), "text")])
        if separator:
            node.set("separator", separator[0])
    elif value is not None:
        node.set("this", exp.cast(value.copy(), "text"))
    if node.args.get("separator") is None:
        node.set("separator", exp.Literal.string(""))
    return node


def _within_group(node: exp.WithinGroup, moment: Moment) -> exp.Expr:
    """`LISTAGG(a, ',') WITHIN GROUP (ORDER BY b)` is `string_agg(a, ',' ORDER BY b)`."""
    inner, order = node.this, node.expression
    if isinstance(inner, exp.GroupConcat) and isinstance(order, exp.Order):
        inner = inner.copy()
        inner.set("this", exp.Order(this=inner.this, expressions=[item.copy() for item in order.expressions]))
        return inner
    return node


def _pad(node: exp.Pad, moment: Moment) -> exp.Expr:
    if node.args.get("fill_pattern") is None:
        node.set("fill_pattern", exp.Literal.string(" "))
    return node


def _array_element(text: exp.Expr, index: exp.Expr, *rest: exp.Expr) -> exp.Expr:
    path = exp.DPipe(
        this=exp.DPipe(this=exp.Literal.string("$["), expression=exp.cast(index, "text")),
        expression=exp.Literal.string("]"),
    )
    return _call("json_extract_string", text, path)


def _nvl2(value: exp.Expr, present: exp.Expr, absent: exp.Expr) -> exp.Expr:
    test = exp.Not(this=exp.Is(this=value, expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=test, true=present)], default=absent)


def _convert_timezone(*arguments: exp.Expr) -> exp.Expr:
    source, target, value = arguments if len(arguments) == 3 else (exp.Literal.string("UTC"), *arguments)
    return _call("redshift_convert_timezone", source, target, value)


def _sha2(value: exp.Expr, bits: exp.Expr) -> exp.Expr:
    if bits.name not in ("0", "256"):
        raise NotSupported(f"SHA2 with {bits.name} bits is not supported here; 256 is")
    return _call("sha256", value)


_FUNCTIONS: dict[str, Callable[..., exp.Expr]] = {
    "concat": _concat,
    "convert_timezone": _convert_timezone,
    "nvl2": _nvl2,
    "sha2": _sha2,
    "isnull": lambda value, other: exp.Coalesce(this=value, expressions=[other]),
    "func_sha1": lambda value: _call("sha1", value),
    "json_parse": lambda value: exp.cast(value, "json"),
    "json_serialize": lambda value: exp.cast(value, "text"),
    "is_valid_json": lambda value: _call("json_valid", value),
    "can_json_parse": lambda value: _call("json_valid", value),
    "json_extract_array_element_text": _array_element,
    "replicate": lambda value, times: _call("repeat", value, times),
    "current_database": lambda: _call("current_database"),
}

_RULES: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.Anonymous: _anonymous,
    exp.Cast: _cast,
    exp.CurrentDate: _current_date,
    exp.CurrentUser: _named_value("current_user"),
    exp.SessionUser: _named_value("session_user"),
    exp.CurrentSchema: _named_value("current_schema"),
    exp.CurrentDatabase: _named_value("current_database"),
    exp.CurrentUserId: _named_value("current_user_id"),
    exp.CurrentVersion: _named_value("version"),
    exp.Extract: _extract,
    exp.GroupConcat: _group_concat,
    exp.ILike: _like,
    exp.Length: lambda node, moment: _call("len", node.this),
    exp.Like: _like,
    exp.Pad: _pad,
    exp.RegexpReplace: _regexp_replace,
    exp.Sign: _as_integer,
    exp.SimilarTo: _similar_to,
    exp.StrPosition: _as_integer,
    exp.Window: _ratio_to_report,
    exp.WithinGroup: _within_group,
}
