"""Changed packages, versions that lag, tags: the script CI asks, on small repositories of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from laptop import ROOT
from orchestration.releases.building.build import PACKAGES

SCRIPT = ROOT / ".github" / "changed_packages.py"
ALL = ["3.9", "3.10", "3.11", "3.12", "3.13"]
NEW = ["3.11", "3.12", "3.13"]


class Repository:
    """A monorepo of four packages: base; middle needs base; top needs middle for an extra; lone needs nobody."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "test")
        self.git("config", "user.email", "test@example.com")
        self.package("base", "0.1.0")
        self.package("middle", "1.9.0", dependencies=["Base>=0.1", "click"])
        self.package("top", "0.3.1", extras={"local": ["middle[all]>=1 ; python_version < '4'"]}, python=">=3.11")
        self.package("lone", "2.0.0")
        self.write("docs/page.md", "A page.\n")
        self.start = self.commit()

    def package(
        self,
        name: str,
        version: str,
        *,
        dependencies: list[str] | None = None,
        extras: dict[str, list[str]] | None = None,
        python: str = ">=3.9",
    ) -> None:
        self.write(
            f"packages/{name}/pyproject.toml",
            f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = "{python}"\n'
            f"dependencies = {json.dumps(dependencies or [])}\n[project.optional-dependencies]\n"
            + "".join(f"{extra} = {json.dumps(needs)}\n" for extra, needs in (extras or {}).items()),
        )
        self.write(f"packages/{name}/CHANGELOG.md", f"# Changelog\n\n## {version}\n\n### Added\n\n- First version.\n")
        self.write(f"packages/{name}/src/{name}/__init__.py", "")
        self.write(f"packages/{name}/tests/test_it.py", "")

    def bump(self, name: str, old: str, new: str, *, changelog: str | None = None) -> None:
        file = self.root / "packages" / name / "pyproject.toml"
        file.write_text(file.read_text().replace(f'version = "{old}"', f'version = "{new}"'))
        if changelog is not None:
            self.write(f"packages/{name}/CHANGELOG.md", changelog)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def ask(self, *arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, str(SCRIPT), "--root", str(self.root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def listed(self, base: str) -> dict[str, list[str]]:
        code, out, err = self.ask("list", "--base", base)
        assert (code, err) == (0, "")
        return {one["package"]: one["pythons"] for one in json.loads(out)}

    def checked(self, base: str) -> tuple[int, list[str]]:
        code, out, err = self.ask("check", "--base", base)
        assert out == ""
        return code, err.splitlines()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


@pytest.mark.parametrize(
    ("path", "packages"),
    [
        ("packages/lone/src/lone/job.py", {"lone": ALL}),
        ("packages/lone/tests/test_more.py", {"lone": ALL}),
        ("packages/top/README.md", {"top": NEW}),
        ("packages/middle/src/middle/x.py", {"middle": ALL, "top": NEW}),
        ("packages/base/glue/job.py", {"base": ALL, "middle": ALL, "top": NEW}),
        ("docs/page.md", {}),
        ("tests/test_all.py", {}),
        ("Makefile", {"base": ALL, "lone": ALL, "middle": ALL, "top": NEW}),
        (".ci/package", {"base": ALL, "lone": ALL, "middle": ALL, "top": NEW}),
        ("requirements/dev.txt", {"base": ALL, "lone": ALL, "middle": ALL, "top": NEW}),
        ("packages/a folder\twith ünusual\nname/x", {}),
    ],
)
def test_what_is_tested(repository: Repository, path: str, packages: dict[str, list[str]]) -> None:
    repository.write(path, "changed\n")
    repository.commit()
    assert repository.listed(repository.start) == packages


def test_a_moved_file_changes_both_packages(repository: Repository) -> None:
    repository.write("packages/lone/src/lone/long.py", "x = 1\n" * 50)
    before = repository.commit()
    repository.git("mv", "packages/lone/src/lone/long.py", "packages/top/src/top/long.py")
    repository.commit()
    assert repository.listed(before) == {"lone": ALL, "top": NEW}


def test_only_what_head_has_and_the_base_has_not(repository: Repository) -> None:
    """main moved on while the branch was written: its changes are not the branch's."""
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write("packages/top/src/top/x.py", "x = 1\n")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.write("packages/lone/src/lone/x.py", "x = 1\n")
    repository.commit()
    repository.git("checkout", "--quiet", "feature")
    assert repository.listed("main") == {"top": NEW}


def test_the_first_push_of_a_branch_is_all_change(repository: Repository) -> None:
    assert set(repository.listed("0" * 40)) == {"base", "lone", "middle", "top"}
    assert repository.checked("0" * 40) == (0, [])


def test_without_a_change_nothing_is_listed_or_checked(repository: Repository) -> None:
    assert repository.listed("HEAD") == {}
    assert repository.checked("HEAD") == (0, [])


LAGS = (
    "lone: packages/lone/{file}{more} changed, but the version went from 2.0.0 to {version}; raise it in "
    "packages/lone/pyproject.toml and say why in packages/lone/CHANGELOG.md"
)


@pytest.mark.parametrize("file", ["src/lone/__init__.py", "glue/job.py", "README.md"])
def test_a_shipped_file_changed_and_the_version_did_not(repository: Repository, file: str) -> None:
    repository.write(f"packages/lone/{file}", "changed = True\n")
    repository.commit()
    assert repository.checked(repository.start) == (1, [LAGS.format(file=file, more="", version="2.0.0")])


@pytest.mark.parametrize(
    ("path", "before", "after", "packages"),
    [
        ("requirements/glue.txt", "duckdb==1.4.5\n", "duckdb==1.4.6\n", ["lone"]),
        ("requirements/demo.txt", "hatchling==1.33.0\nrich==14\n", "hatchling==1.34.0\nrich==14\n", "all"),
        ("requirements/demo.txt", "hatchling==1.33.0\nrich==14\n", "hatchling==1.33.0\nrich==15\n", []),
        ("requirements/dev.txt", "pytest==9\n", "pytest==10\n", []),
    ],
)
def test_what_is_shipped_from_elsewhere(
    repository: Repository, path: str, before: str, after: str, packages: list[str] | str
) -> None:
    """A job's bill of materials names what it installs, and every wheel what it was built by."""
    repository.write("packages/lone/glue/job.py", "")
    repository.write(path, before)
    start = repository.commit()
    repository.write(path, after)
    repository.commit()
    named = ["base", "lone", "middle", "top"] if packages == "all" else packages
    code, lines = repository.checked(start)
    assert (code, [line.partition(",")[0] for line in lines]) == (
        1 if named else 0,
        [f"{name}: {path} changed" for name in named],
    )
    for name, old, new in (("base", "0.1.0", "0.1.1"), ("lone", "2.0.0", "2.0.1")):
        repository.bump(name, old, new, changelog=f"# Changelog\n\n## {new}\n\n- Other wheels.\n")
    repository.commit()
    left = [line.partition(":")[0] for line in repository.checked(start)[1]]
    assert left == [name for name in named if name in ("middle", "top")]


def test_a_version_that_goes_back(repository: Repository) -> None:
    repository.bump("lone", "2.0.0", "1.10.0")
    repository.commit()
    assert repository.checked(repository.start) == (
        1,
        [LAGS.format(file="pyproject.toml", more="", version="1.10.0")],
    )


def test_versions_are_numbers(repository: Repository) -> None:
    repository.bump("middle", "1.9.0", "1.10.0", changelog="# Changelog\n\n## 1.10.0\n\n- Ten is more than nine.\n")
    repository.commit()
    assert repository.checked(repository.start) == (0, [])


@pytest.mark.parametrize(
    "changelog",
    ["# Changelog\n\n## 2.0.0\n\n- First version.\n", "# Changelog\n\n## 2.1.0\n\n## 2.0.0\n\n- First version.\n", ""],
)
def test_a_version_the_changelog_does_not_know(repository: Repository, changelog: str) -> None:
    repository.write("packages/lone/src/lone/x.py", "x = 1\n")
    repository.bump("lone", "2.0.0", "2.1.0", changelog=changelog)
    repository.commit()
    assert repository.checked(repository.start) == (
        1,
        [
            "lone: packages/lone/pyproject.toml and 1 more changed, but packages/lone/CHANGELOG.md says nothing of "
            'version 2.1.0; add "## 2.1.0" with what changed for its users'
        ],
    )


@pytest.mark.parametrize("heading", ["## 2.1.0", "## [2.1.0] - 2026-11-21", "## 2.1.0 - 2026-11-21"])
def test_a_version_with_its_entry(repository: Repository, heading: str) -> None:
    repository.write("packages/lone/src/lone/x.py", "x = 1\n")
    repository.bump("lone", "2.0.0", "2.1.0", changelog=f"# Changelog\n\n{heading}\n\n### Added\n\n- It does x.\n")
    repository.commit()
    assert repository.checked(repository.start) == (0, [])


def test_what_is_not_shipped_needs_no_version(repository: Repository) -> None:
    repository.write("packages/lone/tests/test_more.py", "")
    repository.write("packages/lone/CHANGELOG.md", "# Changelog\n\n## 2.0.0\n\n- First version, better said.\n")
    repository.commit()
    assert repository.checked(repository.start) == (0, [])


def test_every_package_that_lags_is_named(repository: Repository) -> None:
    for name in ("base", "lone"):
        repository.write(f"packages/{name}/src/{name}/x.py", "x = 1\n")
    repository.commit()
    code, lines = repository.checked(repository.start)
    assert (code, [line.partition(":")[0] for line in lines]) == (1, ["base", "lone"])


def test_a_new_package_needs_an_entry_and_a_removed_one_nothing(repository: Repository) -> None:
    repository.package("fresh", "0.1.0")
    repository.git("rm", "-r", "--quiet", "packages/lone")
    repository.commit()
    assert repository.checked(repository.start) == (0, [])
    assert repository.listed(repository.start) == {"fresh": ALL}


def test_a_tag_that_is_the_version(repository: Repository) -> None:
    code, out, err = repository.ask("tag", "top-v0.3.1")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"package": "top", "version": "0.3.1", "notes": "### Added\n\n- First version."}


def test_what_a_tag_brings_as_a_file(repository: Repository, tmp_path: Path) -> None:
    """The changelog's section of that version, and of no other."""
    changelog = (
        "# Changelog\n\n## Unreleased\n\n- Later.\n\n## [0.3.1] - 2026-11-21\n\n- *Now*.\n\n## 0.3.0\n\n- Before.\n"
    )
    repository.write("packages/top/CHANGELOG.md", changelog)
    assert repository.ask("tag", "top-v0.3.1", "--notes", str(tmp_path / "notes.md"))[0] == 0
    assert (tmp_path / "notes.md").read_text() == "- *Now*.\n"


def silent_changelog(repository: Repository) -> None:
    repository.write("packages/top/CHANGELOG.md", "# Changelog\n")


@pytest.mark.parametrize(
    ("tag", "change", "line"),
    [
        (
            "top-v0.3.2",
            None,
            "top-v0.3.2 differs from the version in packages/top/pyproject.toml, 0.3.1; "
            "delete the tag and set top-v0.3.1 on the commit that has it",
        ),
        ("v0.3.1", None, "v0.3.1 is no tag of a release; write PACKAGE-vX.Y.Z, PACKAGE one of base, lone, middle, top"),
        ("tip-v1.0.0", None, "tip-v1.0.0 is no tag of a release; write PACKAGE-vX.Y.Z, PACKAGE one of base, lone, "),
        ("top-v0.3", None, "top-v0.3 is no tag of a release; "),
        ("top-v0.3.1; id", None, "top-v0.3.1; id is no tag of a release; "),
        ("top-v0.3.1", silent_changelog, "packages/top/CHANGELOG.md says nothing of 0.3.1; say what it brings"),
    ],
)
def test_a_tag_that_is_not(
    repository: Repository, tag: str, change: Callable[[Repository], None] | None, line: str
) -> None:
    if change:
        change(repository)
    code, out, err = repository.ask("tag", tag)
    assert (code, out) == (1, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_a_base_that_is_not_there(repository: Repository) -> None:
    for base in ("f" * 40, "nowhere", "--help"):
        code, out, err = repository.ask("list", f"--base={base}")
        assert (code, out) == (1, "")
        assert "fetch the whole history and give --base a commit in it" in err


def test_a_python_that_cannot_be_read(repository: Repository) -> None:
    repository.package("lone", "2.0.0", python="~=3.9")
    repository.commit()
    code, _, err = repository.ask("list", "--base", repository.start)
    assert (code, err) == (1, "lone: requires-python is '~=3.9'; write it as >=3.N\n")


def test_the_packages_of_this_repository() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "list", "--base", "0" * 40], cwd=ROOT, capture_output=True, text=True, check=True
    )
    folders = sorted(file.parent.name for file in (ROOT / "packages").glob("*/pyproject.toml"))
    assert [one["package"] for one in json.loads(done.stdout)] == folders
    assert sorted(PACKAGES) == folders, "a tag of any of them is published"
