"""A laptop with the environments local, dev and prod in one cloud, and what must be true of it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaign import truth
from campaign.truth import Rows
from laptop import Laptop
from orchestration.generate import reviews, yellow_month
from orchestration.pipelines import Month
from scratch import commit, copy_checkout, ready_environment

CATEGORIES = ("Books", "Music", "Toys")
_QUERY_JOB = "packages/rs-query/glue/rs_query_job.py"
_CHECKOUTS_MARK = "packages/orchestration/src/orchestration/pipelines/trips/sql/load_month.sql"


@dataclass
class World:
    """`months`, `reviews` and `live` are what the next truth expects: rows, and the release of each environment."""

    folder: Path
    machine: Laptop
    months: dict[str, Rows] = field(default_factory=dict)
    reviews: dict[str, Rows] = field(default_factory=dict)
    live: dict[str, str | None] = field(default_factory=dict)
    releases: list[str] = field(default_factory=list)
    changes: int = 0

    @property
    def checkout(self) -> Path:
        return self.folder / "project"

    @property
    def trips(self) -> Path:
        return self.folder / "tlc"

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    @property
    def env(self) -> dict[str, str]:
        path = f"{self.checkout / '.venv' / 'bin'}{os.pathsep}{self.machine.env['PATH']}"
        return self.machine.env | self.machine.sdk | {"PATH": path, "TMPDIR": str(self.temporary)}

    @property
    def is_up(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.machine.port), 5).close()
        except OSError:
            return False
        return True

    def run(self, *command: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """A command in the checkout. Errors: TimeoutExpired."""
        return subprocess.run(
            command, env=self.env, cwd=self.checkout, capture_output=True, text=True, timeout=timeout, check=False
        )

    def elt(self, *arguments: str) -> str:
        """What a command prints that must succeed."""
        done = self.run("elt", *arguments)
        assert done.returncode == 0, f"elt {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def elt_json(self, *arguments: str) -> Any:
        return json.loads(self.elt(*arguments, "--json"))

    def trip_month(self, month: str, *, rows: int, seed: int) -> Rows:
        """Write a month's file, in the place of any other; the rows that the table is to have of it."""
        self.trips.mkdir(exist_ok=True)
        return truth.month_of(yellow_month(self.trips, month=Month.parse(month), rows=rows, seed=seed), month)

    def delivery(self, *, rows: int, seed: int) -> tuple[Path, Mapping[str, Rows]]:
        """A folder of reviews, and what the table is to have of each category."""
        folder = reviews(self.folder / "amazon", categories=CATEGORIES, rows=rows, seed=seed)
        return folder, truth.reviews_of(folder)

    def change_checkout(self) -> None:
        """Make the checkout another release: its jobs read another object."""
        self.changes += 1
        file = self.checkout / _CHECKOUTS_MARK
        text = re.sub(r"\n-- change \d+\n$", "\n", file.read_text(encoding="utf-8"))
        file.write_text(f"{text}-- change {self.changes}\n", encoding="utf-8")

    def commit_version(self) -> None:
        """Commit another version of the query job, which is to be published."""
        self.changes += 1
        job, project = self.checkout / _QUERY_JOB, self.checkout / "packages/rs-query/pyproject.toml"
        subprocess.run(("git", "checkout", "--quiet", "."), cwd=self.checkout, check=True)
        text = project.read_text(encoding="utf-8")
        project.write_text(re.sub('version = ".*?"', f'version = "0.9.{self.changes}"', text), encoding="utf-8")
        job.write_text(f"{job.read_text(encoding='utf-8')}# change {self.changes}\n", encoding="utf-8")
        commit(self.checkout)


def build(folder: Path, machine: Laptop, *, with_releases: bool) -> World:
    """The checkout is deployed to local; if asked for, two releases are tried, the first being live in dev and prod."""
    world = World(folder, machine)
    world.checkout.mkdir(parents=True)
    world.temporary.mkdir()
    copy_checkout(world.checkout)
    ready_environment(world.checkout)  # so that nobody's edits during a campaign are part of it
    world.live["local"] = str(world.elt_json("deploy")["release"])
    if with_releases:
        for _ in range(2):
            world.commit_version()
            world.releases.append(world.elt("release", "publish", "--env", "dev"))
        for release in reversed(world.releases):
            world.elt("deploy", "--env", "dev", "--release", release)
            world.elt("smoke", "--env", "dev")
            world.elt("promote", "--from", "dev", "--to", "prod")  # prod has had both: either can be rolled back to
        world.live |= dict.fromkeys(("dev", "prod"), world.releases[0])
    return world


class Kept:
    """A world as it was built, so that one that a kill has damaged does not spoil the kills after it."""

    def __init__(self, world: World) -> None:
        self._folders = {
            folder: folder.with_name(f"{folder.name}.kept") for folder in (world.folder, world.machine.state)
        }
        self._world = world
        self._live, self._releases, self._changes = dict(world.live), list(world.releases), world.changes
        world.elt("local", "down")
        for folder, copy in self._folders.items():
            _copy(folder, copy)
        world.elt("local", "up")

    def restore(self) -> World:
        """The world as it was, under the same paths. What runs of the damaged one is stopped by its cloud."""
        subprocess.run(("elt", "local", "down"), env=self._world.env, cwd=self._world.checkout, capture_output=True)
        for folder, copy in self._folders.items():
            shutil.rmtree(folder)
            _copy(copy, folder)
        world = World(
            self._world.folder,
            self._world.machine,
            live=dict(self._live),
            releases=list(self._releases),
            changes=self._changes,
        )
        world.machine.clients.clear()
        world.elt("local", "up")
        self._world = world
        return world


def _copy(source: Path, target: Path) -> None:
    subprocess.run(("cp", "--archive", "--reflink=auto", str(source), str(target)), check=True)
