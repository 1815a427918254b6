"""What a wheel says of itself: its name and version, which Pythons take it, what it needs beside it."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Iterable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import BuildTag, InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from local_cloud.processes.errors import PackageError
from local_cloud.processes.interpreters import Interpreter

#: The newest C library that Glue's machines have: Amazon Linux 2023's, 2.34.
#: https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2-python.html
_GLIBC_MINOR_OF_GLUE = 34
_PLATFORMS_OF_GLUE = [
    *(f"manylinux_2_{minor}_x86_64" for minor in range(_GLIBC_MINOR_OF_GLUE, 4, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
]


def fits(wheel: Path, python_version: str) -> bool:
    """Whether a CPython of that version ("3.9") on this machine takes the wheel. PackageError where it is no wheel."""
    return not _parsed(wheel)[3].isdisjoint(_supported_tags(python_version))


def fits_glue(wheel: Path, python_version: str) -> bool:
    """The same of the machines that Glue runs jobs on."""
    return not _parsed(wheel)[3].isdisjoint(_supported_tags(python_version, on_glue=True))


def pin(wheel: Path) -> str:
    """The wheel as a requirement: "duckdb==1.4.5"."""
    name, version, _, _ = _parsed(wheel)
    return f"{name}=={version}"


def requirements(wheels: Iterable[Path], *, python: Interpreter) -> list[str]:
    """What pip would install beside these wheels: their declared dependencies, without those among themselves.

    Extras are left out, as nobody asked for them, and so is what other Pythons than this one need. PackageError for
    a file that is no wheel.
    """
    wheels = list(wheels)
    names = {_parsed(wheel)[0] for wheel in wheels}
    markers = {"python_version": python.version, "python_full_version": python.release, "extra": ""}
    wanted = [Requirement(line) for wheel in wheels for line in metadata(wheel).get_all("Requires-Dist", [])]
    return [
        str(requirement).partition(";")[0].strip()
        for requirement in wanted
        if canonicalize_name(requirement.name) not in names
        and (requirement.marker is None or requirement.marker.evaluate(markers))
    ]


def without_implied(requirements: list[str], *, pins: list[str]) -> list[str]:
    """The requirements that `pins` ("duckdb==1.4.5") do not fulfil already; those with conditions are all kept.

    So that jobs which pin the same versions share an environment, whatever their wheels ask for beside.
    """
    pinned = {}
    for one in pins:
        if found := re.fullmatch(r"([\w.-]+)==([\w.+!-]+)", one):
            pinned[canonicalize_name(found[1])] = found[2]
    wanted = [Requirement(requirement) for requirement in requirements]
    return [
        str(r)
        for r in wanted
        if r.marker or r.extras or r.url or not _contains(r, pinned.get(canonicalize_name(r.name)))
    ]


def metadata(wheel: Path) -> Message:
    """The wheel's METADATA. PackageError for a file that is no wheel."""
    try:
        with zipfile.ZipFile(wheel) as opened:
            name = next(n for n in opened.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
            return HeaderParser().parsestr(opened.read(name).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, StopIteration):
        raise PackageError(f"{wheel.name} is not a wheel: build it again and upload it") from None


def _contains(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _parsed(wheel: Path) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    try:
        return parse_wheel_filename(wheel.name)
    except InvalidWheelFilename:
        message = f"{wheel.name} is not a valid wheel filename: keep the name that the build gave it"
        raise PackageError(message) from None


@functools.cache
def _supported_tags(python_version: str, *, on_glue: bool = False) -> frozenset[Tag]:
    """What wheels a CPython of that version takes on this machine, or on Glue's."""
    major, minor = map(int, python_version.split("."))
    platforms = _PLATFORMS_OF_GLUE if on_glue else None
    interpreter = f"cp{major}{minor}"
    return frozenset(
        {
            *cpython_tags((major, minor), platforms=platforms),
            *compatible_tags((major, minor), interpreter, platforms=platforms),
        }
    )
