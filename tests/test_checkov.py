"""The templates against checkov's rules, less those that .checkov.yaml and the templates give a reason for.

checkov is large and wants versions of its own: `make checkov` puts it into an environment beside ours and runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from laptop import ROOT
from orchestration import stacks
from test_contracts import unrolled

CHECKOV = os.environ.get("CHECKOV") or shutil.which("checkov") or str(ROOT / ".venv-checkov" / "bin" / "checkov")
CONFIG = ROOT / ".checkov.yaml"
STACKS = (stacks.artifacts_stack(), stacks.data_stack("test"), stacks.pipelines_stack("test"))


def test_the_templates_keep_checkovs_rules(tmp_path: Path) -> None:
    if not Path(CHECKOV).exists():
        pytest.skip("checkov is not installed; `make checkov` does that and runs this test")
    for stack in STACKS:
        (tmp_path / f"{stack.name}.yaml").write_text(stack.body, encoding="utf-8")
        # checkov reads no loop: what one makes is written out beside, where no comment suppresses a rule.
        made = {name: one for name, one in unrolled(stack)["Resources"].items() if f"\n  {name}:" not in stack.body}
        if made:
            (tmp_path / f"{stack.name}-loops.json").write_text(json.dumps({"Resources": made}), encoding="utf-8")
    command = [CHECKOV, "--config-file", str(CONFIG), "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "Failed checks: 0" in done.stdout


def test_every_suppression_has_its_reason() -> None:
    lines = CONFIG.read_text(encoding="utf-8").splitlines()
    listed = [number for number, line in enumerate(lines) if line.startswith("  - CKV")]
    assert len(listed) == len(yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["skip-check"])
    assert [lines[number] for number in listed if not lines[number - 1].startswith("  # ")] == []
    for stack in STACKS:
        for line in stack.body.splitlines():
            if "checkov:skip=" in line:
                _, _, reason = line.partition("checkov:skip=")[2].partition(":")
                assert len(reason.split()) > 4, line
