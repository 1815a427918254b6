"""The `elt` command's first module: it imports next to nothing, so that Ctrl-C is one line from the start."""

from __future__ import annotations

import os
import signal
from typing import Any


def main() -> None:
    """Run `elt` on the command line's arguments, and exit with its code."""
    # Ctrl-C is ignored in a job in the background, and stays so.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, _end)
    from orchestration.cli import main as run

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


def _end(signum: int, frame: Any) -> None:
    """End at once: nothing has begun. An exception would come out of whatever is being imported, as a traceback."""
    os.write(2, b"elt: interrupted\n")
    os._exit(130)
