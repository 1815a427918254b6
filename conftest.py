"""Tests compare what commands write: no setting of the surroundings may colour it."""

import os

for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
