"""Tests compare what commands write, and send them signals: nothing of the surroundings may colour or hold those."""

import os
import signal

for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
# A shell has what it starts in the background ignore Ctrl-C, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
