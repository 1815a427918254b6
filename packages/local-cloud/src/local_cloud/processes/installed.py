"""What is installed beside the local cloud itself, for environments that shall have the same: no index is asked."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from local_cloud.processes.interpreters import Interpreter


def find(requirement: str, *, python: Interpreter) -> tuple[Path, ...]:
    """List the files and folders that make up an installed requirement and all it needs.

    None where part of it is not installed, is for other Pythons than that one, or is compiled: then an index has to be
    asked.
    """
    found: dict[str, Distribution] = {}
    if not _collect(Requirement(requirement), python, found):
        return ()
    entries: dict[str, Path] = {}
    for package in found.values():
        for name in _entries(package):
            if name in entries:
                return ()
            entries[name] = Path(str(package.locate_file(name)))
    return tuple(entries[name] for name in sorted(entries))


def _collect(requirement: Requirement, python: Interpreter, found: dict[str, Distribution]) -> bool:
    """Add the package and what it needs to `found`. False where one of them does not do."""
    try:
        package = found.get(requirement.name) or distribution(requirement.name)
    except PackageNotFoundError:
        return False
    if package.version not in requirement.specifier or not _suits(package, python):
        return False
    if requirement.name in found:
        return True
    found[requirement.name] = package
    markers = {"python_version": python.version, "python_full_version": python.release, "extra": ""}
    needed = [Requirement(line) for line in package.requires or []]
    return all(_collect(one, python, found) for one in needed if not one.marker or one.marker.evaluate(markers))


def _suits(package: Distribution, python: Interpreter) -> bool:
    wheel = package.read_text("WHEEL") or ""
    here_as_files = package.files and not package.read_text("direct_url.json")
    takes = SpecifierSet(package.metadata["Requires-Python"] or "")
    return bool(here_as_files) and "Root-Is-Purelib: true" in wheel and python.release in takes


def _entries(package: Distribution) -> set[str]:
    """What the package has in site-packages itself; its commands lie elsewhere."""
    firsts = {file.parts[0] for file in package.files or ()}
    return firsts - {"..", "__pycache__"}
