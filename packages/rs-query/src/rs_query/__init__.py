"""Run a SQL file on Amazon Redshift through the Data API: split, bind, run, wait, cancel."""

from rs_query.api import Script, load, run
from rs_query.errors import (
    ConflictError,
    ConnectionLostError,
    DeadlineError,
    ExpectationError,
    LexicalError,
    ParameterError,
    PlanError,
    RsQueryError,
    RunInterrupted,
    ServiceError,
    SourceError,
    StatementError,
    StoppedError,
    TerminalError,
    ThrottledError,
    TransientError,
    UsageError,
)
from rs_query.expectations import Expectation
from rs_query.results import Column, Page, Result
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
    "RsQueryError",
    "Run",
    "RunInterrupted",
    "Script",
    "ServiceError",
    "SourceError",
    "Statement",
    "StatementError",
    "StoppedError",
    "TerminalError",
    "ThrottledError",
    "TransientError",
    "UsageError",
    "load",
    "run",
    "split",
]
