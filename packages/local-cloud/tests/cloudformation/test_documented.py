"""The README names the resource types there are, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from local_cloud.services.cloudformation.schema import type_names


def test_the_readme_names_every_type() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    section = readme.split("## What a template may hold")[1].split("\n## ")[0]
    named = [f"AWS::{name}" for name in re.findall(r"`([A-Za-z0-9]+::[A-Za-z]+)`", section)]
    assert sorted(name for name in named if not name.startswith("AWS::Fn")) == type_names()
