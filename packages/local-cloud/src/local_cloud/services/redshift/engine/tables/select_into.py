"""SELECT … INTO: a query that makes a table of its rows.

https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_INTO.html
"""

from __future__ import annotations

from sqlglot import exp

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.statement import RunningStatement
from local_cloud.services.redshift.engine.tables.create import create_table
from local_cloud.services.redshift.errors import SqlSyntaxError
from local_cloud.services.redshift.sql.dialect import RedshiftSql
from local_cloud.services.redshift.sql.tables import CreateTable


def target_of(tree: exp.Expr) -> exp.Into | None:
    """The INTO of a query; None for any other statement."""
    into = tree.args.get("into") if isinstance(tree, exp.Select) else None
    return into if isinstance(into, exp.Into) else None


def run(context: Context, tree: exp.Expr, into: exp.Into, *, running: RunningStatement) -> int:
    """Create the table. The number of its rows."""
    if not isinstance(into.this, exp.Table):
        raise SqlSyntaxError('syntax error at or near "into"', position=running.place("into"))
    tree.set("into", None)
    name = tuple(part.name.lower() for part in into.this.parts)
    temporary = bool(into.args.get("temporary")) or name[-1].startswith("#")
    return create_table(context, CreateTable(name, temporary, query=tree.sql(RedshiftSql)), running)
