"""What a package declares as its lowest versions is what CI tries them with: requirements/lowest is no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PACKAGES = sorted(folder.name for folder in (ROOT / "packages").iterdir() if (folder / "pyproject.toml").exists())
PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.*?))? \\$", re.MULTILINE)


def pins(package: str, python: str) -> dict[str, Version]:
    """The versions that are locked for a Python."""
    text = (ROOT / "requirements" / "lowest" / f"{package}.txt").read_text()
    found = (Requirement(" ; ".join(filter(None, (f"{pin[1]}=={pin[2]}", pin[3])))) for pin in PIN.finditer(text))
    applying = (one for one in found if one.marker is None or one.marker.evaluate(_environment(python)))
    return {one.name: Version(next(iter(one.specifier)).version) for one in applying}


def _environment(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.0"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_lowest_versions_that_are_declared_are_those_that_ci_installs(package: str) -> None:
    project = tomllib.loads((ROOT / "packages" / package / "pyproject.toml").read_text())["project"]
    python = project["requires-python"].removeprefix(">=")
    locked = pins(package, python)
    declared = {}
    for requirement in map(Requirement, project["dependencies"]):
        applies = requirement.marker is None or requirement.marker.evaluate(_environment(python))
        if applies and requirement.name not in PACKAGES:
            (bound,) = (one.version for one in requirement.specifier if one.operator in (">=", "=="))
            declared[requirement.name] = Version(bound)
    assert {name: locked.get(name) for name in declared} == declared
    if "boto3" in declared:
        assert locked["botocore"] == declared["boto3"]
