"""A start of the cloud does not pay for CloudFormation."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import sys
from local_cloud.cloud import Cloud
from local_cloud.persistence import Persistence
from local_cloud.settings import Settings
from local_cloud.services import cloudformation

settings = Settings.create(state_dir=sys.argv[1])
cloudformation.install(Cloud(settings, Persistence(settings.state_dir)))
heavy = [name for name in sys.modules if name.startswith("moto.cloudformation")]
ours = [name for name in sys.modules if name.startswith("local_cloud.services.cloudformation.")]
assert not heavy and not ours, (heavy, ours)
"""


def test_installing_imports_nothing_of_the_engine(tmp_path: object) -> None:
    result = subprocess.run([sys.executable, "-c", CHECK, str(tmp_path)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
