"""Runs inside every child: end when the local cloud ends. Standard library only, Python 3.8 and later."""

import os
import signal
import threading


def watch() -> None:
    """Kill this process group as soon as the other end of the inherited pipe closes."""
    read_end = int(os.environ.pop("LOCAL_CLOUD_LIFELINE"))

    def wait() -> None:
        os.read(read_end, 1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
