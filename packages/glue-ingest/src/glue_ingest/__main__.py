"""`python -m glue_ingest`: the job by hand. Exits 0 when the month is there, 1 when not, 2 for wrong usage."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from glue_ingest.errors import IngestError, UsageError
from glue_ingest.job import main


def run(argv: Sequence[str]) -> int:
    """Run the job; an error is one line on stderr. Gives the exit code."""
    try:
        main(argv)
    except IngestError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
