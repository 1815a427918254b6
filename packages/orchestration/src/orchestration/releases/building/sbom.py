"""A package's bill of materials: CycloneDX 1.6 in JSON, from what its wheel and the wheelhouse say of themselves.

The same wheels make the same bytes: no time of day, and a serial number that follows from the wheel.
https://cyclonedx.org/docs/1.6/json/
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from typing import Any

from packaging.utils import canonicalize_name

from orchestration.releases.building.wheels import Wheel

_OURS = uuid.UUID("7d7c9a0c-5b0e-5a54-9d6e-2f3f0a1b6c11")


def write(wheel: Wheel, extras: Collection[str], installed: list[Wheel]) -> bytes:
    """Return the bill of `wheel` as a job has it: `installed` are the wheels that come with it, [] where none do.

    What it needs, but gets from its surroundings (a Lambda runtime, a person's environment), is named without a
    version, with the requirement as a property.
    """
    names = {one.name for one in installed}
    open_requirements = {
        canonicalize_name(one.name): str(one) for one in wheel.needs(extras) if canonicalize_name(one.name) not in names
    }
    others = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}",
            "name": name,
            "purl": f"pkg:pypi/{name}",
            "properties": [{"name": "requirement", "value": requirement}],
        }
        for name, requirement in sorted(open_requirements.items())
    ]
    refs = {one.name: _ref(one) for one in installed} | {name: f"pkg:pypi/{name}" for name in open_requirements}
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_OURS, wheel.sha256)}",
        "version": 1,
        "metadata": {"component": _component(wheel)},
        "components": [*map(_component, installed), *others],
        "dependencies": [
            {"ref": _ref(one), "dependsOn": _depends_on(one, extras if one is wheel else (), refs)}
            for one in (wheel, *installed)
        ],
    }
    return (json.dumps(bill, indent=2) + "\n").encode()


def _ref(wheel: Wheel) -> str:
    return f"pkg:pypi/{wheel.name}@{wheel.version}"


def _depends_on(wheel: Wheel, extras: Collection[str], refs: dict[str, str]) -> list[str]:
    needed = (canonicalize_name(one.name) for one in wheel.needs(extras))
    return sorted({refs[name] for name in needed if name in refs})


def _component(wheel: Wheel) -> dict[str, Any]:
    metadata = wheel.metadata
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _ref(wheel),
        "name": wheel.name,
        "version": wheel.version,
        "description": metadata["Summary"],
        "hashes": [{"alg": "SHA-256", "content": wheel.sha256}],
        "licenses": _licenses(wheel),
        "purl": _ref(wheel),
    }
    return {name: value for name, value in component.items() if value}


def _licenses(wheel: Wheel) -> list[dict[str, Any]]:
    """Return the wheel's SPDX expression where it has one, else its licence by name."""
    if expression := wheel.metadata["License-Expression"]:
        return [{"expression": expression}]
    text = wheel.metadata["License"]
    if text and "\n" not in text:
        return [{"license": {"name": text}}]
    classifiers = wheel.metadata.get_all("Classifier", [])
    return [{"license": {"name": c.rsplit(" :: ", 1)[1]}} for c in classifiers if c.startswith("License :: ")]
