"""Run a SQL file on Amazon Redshift through the Data API: split, bind, run, wait, cancel."""

from rs_query.api import Script, load, run
from rs_query.asynchronous import Status, cancel, result, status, submit, wait
from rs_query.errors import (
    ConflictError,
    ConnectionLostError,
    DeadlineError,
    ExpectationError,
    LexicalError,
    ParameterError,
    PlanError,
    ResultError,
    RsQueryError,
    RunInterrupted,
    ServiceError,
    SourceError,
    StatementError,
    StoppedError,
    TerminalError,
    ThrottledError,
    TransientError,
    UnfinishedError,
    UsageError,
)
from rs_query.expectations import Expectation
from rs_query.pages import Column, Page
from rs_query.results import Result
from rs_query.runner import Run
from rs_query.statements import Placeholder, Statement, split

__all__ = [
    "Column",
    "ConflictError",
    "ConnectionLostError",
    "DeadlineError",
    "Expectation",
    "ExpectationError",
    "LexicalError",
    "Page",
    "ParameterError",
    "Placeholder",
    "PlanError",
    "Result",
    "ResultError",
    "RsQueryError",
    "Run",
    "RunInterrupted",
    "Script",
    "ServiceError",
    "SourceError",
    "Statement",
    "StatementError",
    "Status",
    "StoppedError",
    "TerminalError",
    "ThrottledError",
    "TransientError",
    "UnfinishedError",
    "UsageError",
    "cancel",
    "load",
    "result",
    "run",
    "split",
    "status",
    "submit",
    "wait",
]
