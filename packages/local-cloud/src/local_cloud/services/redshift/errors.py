"""What a SQL statement can fail with, in Redshift's words.

::

    SqlError                    ends a statement; str() is what DescribeStatement shows as `Error`
     ├─ SqlSyntaxError          the text is no Redshift SQL
     ├─ FunctionNotFound        no function has this name and these arguments
     ├─ NotSupported            Redshift would run it; the local warehouse cannot
     ├─ TransactionConflict     another transaction was first: run the whole transaction again
     ├─ TransactionAborted      an earlier statement of the transaction failed
     ├─ StatementCancelled      stopped by CancelStatement, a timeout or the end of the server
     ├─ ConnectionRefused       the database or the login is wrong, so nothing ran
     └─ LoadError               COPY refused a file; the rows of SYS_LOAD_ERROR_DETAIL go with it

Errors of the two HTTP APIs are moto's ServiceException with AWS's codes, in `data_api` and `serverless`.
"""

from __future__ import annotations

from dataclasses import dataclass


class SqlError(Exception):
    """`message`, `detail`, `hint` as the server words them; `position` is 1-based, in characters.

    The text is laid out as the JDBC driver behind the Data API lays it out.
    """

    def __init__(self, message: str, *, detail: str = "", hint: str = "", position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.hint = hint
        self.position = position

    def __str__(self) -> str:
        text = f"ERROR: {self.message}"
        if self.detail:
            text += f"\n  Detail: {self.detail}"
        if self.hint:
            text += f"\n  Hint: {self.hint}"
        if self.position:
            text += f"\n  Position: {self.position}"
        return text


class SqlSyntaxError(SqlError):
    pass


class FunctionNotFound(SqlError):
    """`name` is the function's as the statement writes it, so that its place can be found."""

    def __init__(self, name: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.name = name


class NotSupported(SqlError):
    pass


class TransactionConflict(SqlError):
    pass


class TransactionAborted(SqlError):
    def __init__(self) -> None:
        super().__init__("current transaction is aborted, commands ignored until end of transaction block")


class StatementCancelled(SqlError):
    pass


class ConnectionRefused(SqlError):
    """The database or the login is wrong, so nothing ran."""

    def __str__(self) -> str:
        return f"FATAL: {self.message}"


@dataclass(frozen=True)
class LoadErrorDetail:
    """One row of SYS_LOAD_ERROR_DETAIL, without what the statement itself knows (ids, table, time)."""

    file_name: str
    error_code: int
    error_message: str
    line_number: int = 0
    column_name: str = ""
    column_type: str = ""
    column_length: str = ""
    position: int = 0


class LoadError(SqlError):
    def __init__(self, message: str, *, details: tuple[LoadErrorDetail, ...] = (), detail: str = "") -> None:
        super().__init__(message, detail=detail)
        self.details = details


def server_detail(error: str, *, code: int, context: str, location: str, query_id: int, process: str) -> str:
    """The block that Redshift's compute layer puts into an error's detail.

    Its shape is quoted in https://github.com/aws/amazon-redshift-python-driver/issues/107.
    """
    rule = "-----------------------------------------------"
    return (
        f"\n  {rule}\n  error:  {error}\n  code:      {code}\n  context:   {context}\n"
        f"  query:     {query_id}\n  location:  {location}\n  process:   {process}\n  {rule}"
    )
