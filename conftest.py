"""Tests compare what commands write, and send them signals: nothing of the surroundings may colour or hold those."""

from __future__ import annotations

import functools
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
    os.environ.pop(name, None)
# A shell has what it starts in the background ignore Ctrl-C, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

try:
    import botocore.session
except ImportError:  # the package under test does without
    pass
else:  # each session would parse the SDK's models again, which takes longer than most tests
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)

#: Fixtures that start a process: a local cloud, a deployed laptop, Spark.
_PROCESSES = frozenset(("laptop", "new_cloud", "spark"))

#: Its files share one Spark, which takes as much time to start and memory as all their tests.
_ONE_WORKER = "packages/glue-transform/"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file on one worker (`--dist loadfile`), and those of all files that share a Spark."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _ONE_WORKER if nodeid.startswith(_ONE_WORKER) else str(super()._split_scope(nodeid))

    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts processes, so that `make test-fast` can leave it out."""
    for item in items:
        if _PROCESSES & set(getattr(item, "fixturenames", ())) or _starts_processes(item.path):
            item.add_marker("process")


@functools.cache
def _starts_processes(module: Path) -> bool:
    return bool(re.search(r"\b(subprocess|Popen|multiprocessing|deployed|SparkSession)\b", module.read_text()))
