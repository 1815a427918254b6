"""Fetch a published month of TLC trips over HTTP into the raw bucket."""

from glue_ingest.arguments import Request
from glue_ingest.job import Outcome, ingest, main
from glue_ingest.log import Log

__all__ = ["Log", "Outcome", "Request", "ingest", "main"]
__version__ = "0.1.0"
