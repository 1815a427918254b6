"""The command gh on this machine, with what the workflows ask of GitHub by it and not an option more.

What it is told is kept in a folder, as GitHub would keep it. https://cli.github.com/manual/
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = "GH_STUB_FOLDER"
Kept = dict[str, Any]


@dataclass(frozen=True)
class Release:
    """A release on GitHub; `files` are the sha256 of what is attached to it, by name."""

    tag: str
    files: Mapping[str, str]
    notes: str


@dataclass(frozen=True)
class PullRequest:
    head: str
    base: str
    title: str
    body: str


class Stub:
    """A folder with the program, and with what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "gh"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
        program.chmod(0o755)

    def on(self, machine: Mapping[str, str]) -> dict[str, str]:
        """The variables of a machine that has the program."""
        return {**machine, "PATH": os.pathsep.join([str(self.folder), machine["PATH"]]), FOLDER: str(self.folder)}

    def releases(self) -> list[Release]:
        """Those that are not drafts."""
        kept = _read(self.folder)["releases"]
        return [Release(tag, one["files"], one["notes"]) for tag, one in kept.items() if not one["draft"]]

    def keep_draft(self, tag: str) -> None:
        """As a run that was cut short leaves it."""
        kept = _read(self.folder)
        kept["releases"][tag] = {"files": {}, "notes": "", "draft": True}
        _write(self.folder, kept)

    def pull_requests(self) -> list[PullRequest]:
        return [PullRequest(**one) for one in _read(self.folder)["pulls"]]

    def dispatched(self) -> list[list[str]]:
        """The workflows that were set off, and the branches."""
        found: list[list[str]] = _read(self.folder)["dispatched"]
        return found


def _read(folder: Path) -> Kept:
    file = folder / "kept.json"
    empty: Kept = {"releases": {}, "pulls": [], "dispatched": []}
    return json.loads(file.read_text()) if file.exists() else empty


def _write(folder: Path, kept: Kept) -> None:
    (folder / "kept.json").write_text(json.dumps(kept))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gh", allow_abbrev=False)
    groups = parser.add_subparsers(required=True)

    def command(group: Any, name: str, run: Any, *options: str, positional: tuple[str, ...] = ()) -> None:
        one = group.add_parser(name, allow_abbrev=False)
        one.set_defaults(run=run)
        for argument in positional:
            one.add_argument(argument, nargs="*" if argument == "files" else None)
        for option in options:
            flag = option in ("--yes", "--verify-tag")
            one.add_argument(option, **({"action": "store_true", "required": True} if flag else {"required": True}))

    group = groups.add_parser("auth").add_subparsers(required=True)
    command(group, "setup-git", lambda given, kept: 0)
    group = groups.add_parser("release").add_subparsers(required=True)
    command(group, "view", _view, "--json", "--jq", positional=("tag",))
    command(group, "delete", lambda given, kept: kept["releases"].pop(given.tag) and 0, "--yes", positional=("tag",))
    command(group, "create", _release, "--verify-tag", "--title", "--notes-file", positional=("tag", "files"))
    group = groups.add_parser("pr").add_subparsers(required=True)
    command(group, "list", _list, "--head", "--state", "--json", "--jq")
    command(group, "edit", _edit, "--body-file", positional=("head",))
    command(group, "create", _create, "--base", "--head", "--title", "--body-file")
    group = groups.add_parser("workflow").add_subparsers(required=True)
    command(group, "run", _dispatch, "--ref", positional=("file",))
    return parser


def _view(given: Any, kept: Kept) -> int:
    assert (given.json, given.jq) == ("isDraft", ".isDraft")
    if given.tag not in kept["releases"]:
        return _refused("release not found")
    print(json.dumps(kept["releases"][given.tag]["draft"]))
    return 0


def _release(given: Any, kept: Kept) -> int:
    if given.tag in kept["releases"]:
        return _refused(f"a release with the same tag name already exists: {given.tag}")
    files = {Path(file).name: hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in given.files}
    kept["releases"][given.tag] = {"files": files, "notes": Path(given.notes_file).read_text(), "draft": False}
    return 0


def _list(given: Any, kept: Kept) -> int:
    assert (given.state, given.json, given.jq) == ("open", "number", ".[].number")
    for number, one in enumerate(kept["pulls"], start=1):
        if one["head"] == given.head:
            print(number)
    return 0


def _edit(given: Any, kept: Kept) -> int:
    (one,) = (one for one in kept["pulls"] if one["head"] == given.head)
    one["body"] = Path(given.body_file).read_text()
    return 0


def _create(given: Any, kept: Kept) -> int:
    if any(one["head"] == given.head for one in kept["pulls"]):
        return _refused(f'a pull request for branch "{given.head}" into branch "{given.base}" already exists')
    body = Path(given.body_file).read_text()
    kept["pulls"].append({"head": given.head, "base": given.base, "title": given.title, "body": body})
    return 0


def _dispatch(given: Any, kept: Kept) -> int:
    kept["dispatched"].append([given.file, given.ref])
    return 0


def _refused(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


def main() -> int:
    given, folder = _parser().parse_args(), Path(os.environ[FOLDER])
    if not os.environ.get("GH_TOKEN"):
        return _refused("gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.")
    kept = _read(folder)
    code: int = given.run(given, kept)
    _write(folder, kept)
    return code


if __name__ == "__main__":
    sys.exit(main())
