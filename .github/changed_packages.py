#!/usr/bin/env python3
"""Which packages a change touches, whether their versions say so, and what a tag stands for.

    changed_packages.py list  --base REF       a JSON list for a matrix: [{"package": …, "pythons": […]}, …]
    changed_packages.py check --base REF       exit 1, and a line for each package whose version or changelog lags
    changed_packages.py tag NAME-vX.Y.Z        {"package", "version", "notes"}; exit 1 unless it is what is checked out
                                               --notes FILE: what the changelog says of it, as a file too

A change is what HEAD has and the common ancestor of REF and HEAD has not. Needs git and nothing else.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

#: Pythons that CI tests on, where a package's requires-python admits them.
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
#: What is inside a published artifact; README.md is in the wheel's metadata. A change here needs a new version,
#: because what is published under a version never changes.
SHIPPED = re.compile(r"(src/.+|glue/.+|pyproject\.toml|README\.md)")
#: What the jobs install, which their packages' bills of materials name.
INSTALLED = "requirements/glue.txt"
#: Where the build backend is pinned that every wheel names.
BACKEND = "requirements/demo.txt"
#: What every package is checked with: a change here puts all of them to the test.
SHARED = re.compile(r"(pyproject\.toml|Makefile|requirements/.+|\.ci/.+|\.github/.+)")
#: What GitHub sends as the state before the first push of a branch.
NOTHING_BEFORE = re.compile(r"0{40}|0{64}")
VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
TAG = re.compile(r"(?P<package>[a-z][a-z0-9-]*)-v(?P<version>\d+\.\d+\.\d+)")


class Refused(Exception):
    """What is asked for cannot be answered, or the answer is no; `str()` says why and what to do."""


@dataclass(frozen=True)
class Package:
    """What a package's pyproject.toml says of it. `needs` are names of packages, ours and others', extras' too."""

    name: str
    version: str
    requires_python: str
    needs: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> Package:
        project = tomllib.loads(text)["project"]
        extras = project.get("optional-dependencies", {}).values()
        requirements = [*project.get("dependencies", ()), *(one for extra in extras for one in extra)]
        return cls(
            name=project["name"],
            version=project["version"],
            requires_python=project["requires-python"],
            needs=frozenset(re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in requirements),
        )

    @property
    def pythons(self) -> list[str]:
        """Those of PYTHONS that the package supports, oldest first."""
        oldest = re.fullmatch(r">=3\.(\d+)", self.requires_python)
        if not oldest:
            raise Refused(f"{self.name}: requires-python is {self.requires_python!r}; write it as >=3.N")
        return [python for python in PYTHONS if int(python.partition(".")[2]) >= int(oldest[1])]


class Checkout:
    """A git checkout of the monorepo."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Refused(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def packages(self) -> dict[str, Package]:
        files = sorted(self.root.glob("packages/*/pyproject.toml"))
        return {file.parent.name: Package.parse(file.read_text(encoding="utf-8")) for file in files}

    def ancestor(self, base: str) -> str | None:
        """The commit that HEAD grew from; None if there was nothing before."""
        if NOTHING_BEFORE.fullmatch(base):
            return None
        try:
            return self.git("merge-base", "--end-of-options", base, "HEAD").strip()
        except Refused as error:
            raise Refused(f"{error}; fetch the whole history and give --base a commit in it") from error

    def changed(self, ancestor: str | None) -> list[str]:
        """Paths that differ between a commit and HEAD; all of them for None."""
        if ancestor is None:
            return [path for path in self.git("ls-files", "-z").split("\0") if path]
        paths = self.git("diff", "--name-only", "--no-renames", "-z", ancestor, "HEAD")
        return [path for path in paths.split("\0") if path]

    def package_at(self, ancestor: str | None, name: str) -> Package | None:
        """A package as it was; None where it was not."""
        path = f"packages/{name}/pyproject.toml"
        if ancestor is None or not self.git("ls-tree", "--name-only", ancestor, path):
            return None
        return Package.parse(self.git("show", f"{ancestor}:{path}"))

    def backend_at(self, commit: str | None) -> str:
        """The pin of the build backend; "" where there is none."""
        if commit is None or not self.git("ls-tree", "--name-only", commit, BACKEND):
            return ""
        pin = re.search(r"^hatchling==\S+", self.git("show", f"{commit}:{BACKEND}"), re.MULTILINE)
        return pin[0] if pin else ""

    def notes(self, name: str, version: str) -> str:
        """What the changelog says of a version; "" if nothing."""
        file = self.root / "packages" / name / "CHANGELOG.md"
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        heading = rf"^## \[?{re.escape(version)}\]?(?: - [^\n]*)?[ \t]*$"
        section = re.search(rf"{heading}(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        return section[1].strip() if section else ""


def to_test(checkout: Checkout, base: str) -> list[Package]:
    """The packages that a change touches, and those that depend on them, directly or not."""
    packages = checkout.packages()
    paths = checkout.changed(checkout.ancestor(base))
    if any(SHARED.fullmatch(path) for path in paths):
        return list(packages.values())
    touched = {name for name in packages if any(path.startswith(f"packages/{name}/") for path in paths)}
    while dependents := {name for name, one in packages.items() if one.needs & touched} - touched:
        touched |= dependents
    return [package for name, package in packages.items() if name in touched]


def lagging(checkout: Checkout, base: str) -> list[str]:
    """A line for each package whose shipped files changed while its version or changelog did not follow.

    What is shipped comes from elsewhere, too: a wheel says what it was built by, a job's bill what it installs.
    """
    ancestor = checkout.ancestor(base)
    paths = checkout.changed(ancestor)
    rebuilt = [BACKEND] if checkout.backend_at(ancestor) != checkout.backend_at("HEAD") else []
    lines = []
    for name, package in checkout.packages().items():
        prefix = f"packages/{name}/"
        shipped = [path for path in paths if path.startswith(prefix) and SHIPPED.fullmatch(path.removeprefix(prefix))]
        if INSTALLED in paths and any((checkout.root / prefix / "glue").glob("*.py")):
            shipped.append(INSTALLED)
        shipped += rebuilt
        if shipped:
            lines += _complaints(checkout, package, before=checkout.package_at(ancestor, name), changed=shipped)
    return lines


def _complaints(checkout: Checkout, package: Package, *, before: Package | None, changed: list[str]) -> list[str]:
    name, what = package.name, changed[0] + (f" and {len(changed) - 1} more changed" if changed[1:] else " changed")
    if before and _numbers(package) <= _numbers(before):
        return [
            f"{name}: {what}, but the version went from {before.version} to {package.version}; raise it in "
            f"packages/{name}/pyproject.toml and say why in packages/{name}/CHANGELOG.md"
        ]
    if not checkout.notes(name, package.version):
        return [
            f"{name}: {what}, but packages/{name}/CHANGELOG.md says nothing of version {package.version}; "
            f'add "## {package.version}" with what changed for its users'
        ]
    return []


def _numbers(package: Package) -> tuple[int, ...]:
    match = VERSION.fullmatch(package.version)
    if not match:
        raise Refused(f"{package.name}: version {package.version!r} is not of the form X.Y.Z")
    return tuple(int(number) for number in match.groups())


def released(checkout: Checkout, tag: str) -> dict[str, str]:
    """What a tag stands for, once it is proven to be the version that is checked out."""
    match = TAG.fullmatch(tag)
    packages = checkout.packages()
    if not match or match["package"] not in packages:
        raise Refused(f"{tag} is no tag of a release; write PACKAGE-vX.Y.Z, PACKAGE one of {', '.join(packages)}")
    package = packages[match["package"]]
    if match["version"] != package.version:
        raise Refused(
            f"{tag} differs from the version in packages/{package.name}/pyproject.toml, {package.version}; "
            f"delete the tag and set {package.name}-v{package.version} on the commit that has it"
        )
    notes = checkout.notes(package.name, package.version)
    if not notes:
        raise Refused(f"packages/{package.name}/CHANGELOG.md says nothing of {package.version}; say what it brings")
    return {"package": package.name, "version": package.version, "notes": notes}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the checkout (default: the working directory)")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("list", "check"):
        commands.add_parser(name).add_argument("--base", required=True, help="a commit, branch or tag to compare with")
    tag = commands.add_parser("tag")
    tag.add_argument("tag", metavar="NAME-vX.Y.Z")
    tag.add_argument("--notes", type=Path, metavar="FILE", help="write the changelog's section here")
    arguments = parser.parse_args(argv)
    checkout = Checkout(arguments.root)
    try:
        if arguments.command == "list":
            tested = to_test(checkout, arguments.base)
            print(json.dumps([{"package": one.name, "pythons": one.pythons} for one in tested]))
        elif arguments.command == "tag":
            found = released(checkout, arguments.tag)
            print(json.dumps(found))
            if arguments.notes:
                arguments.notes.write_text(found["notes"] + "\n", encoding="utf-8")
        elif lines := lagging(checkout, arguments.base):
            raise Refused("\n".join(lines))
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
