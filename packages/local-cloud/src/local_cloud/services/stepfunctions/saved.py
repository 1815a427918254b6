"""Machines, their versions and activities in a SQLite database, a row each.

A version never changes, so a deployment writes its own and none of those before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local_cloud.database import Database

from .model import Activity, Alias, Machine, Revision, Version

_SCHEMA = """
CREATE TABLE IF NOT EXISTS machine (arn TEXT PRIMARY KEY, record TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS version (machine TEXT, number INTEGER, record TEXT NOT NULL, PRIMARY KEY (machine, number));
CREATE TABLE IF NOT EXISTS activity (arn TEXT PRIMARY KEY, record TEXT NOT NULL);
"""


class Saved:
    """Not thread-safe: its user holds a lock."""

    def __init__(self, file: Path) -> None:
        self._database = Database(file, _SCHEMA)
        self._written: dict[str, dict[Any, str]] = {"machine": {}, "activity": {}}
        self._versions: set[tuple[str, int]] = set()

    def load(self) -> tuple[dict[str, Machine], dict[str, Activity]]:
        """Machines and activities by ARN, in the order they were made."""
        rows = self._database.rows
        for table, written in self._written.items():
            written.update(rows(f"SELECT arn, record FROM {table} ORDER BY rowid"))  # noqa: S608 - our own names
        machines = {arn: _machine(json.loads(record)) for arn, record in self._written["machine"].items()}
        for arn, number, record in rows("SELECT machine, number, record FROM version ORDER BY machine, number"):
            self._versions.add((arn, number))
            machines[arn].versions[number] = _version(json.loads(record))
        activities = {arn: Activity(**json.loads(record)) for arn, record in self._written["activity"].items()}
        return machines, activities

    def save(self, machines: Mapping[str, Machine], activities: Mapping[str, Activity]) -> None:
        """Write what has changed since the last time, and delete what is gone, all or none."""
        now = {
            "machine": {arn: json.dumps(_fields(machine)) for arn, machine in machines.items()},
            "activity": {arn: json.dumps(asdict(activity)) for arn, activity in activities.items()},
        }
        versions = {
            (arn, number): version for arn, each in machines.items() for number, version in each.versions.items()
        }
        added = [
            ("INSERT INTO version VALUES (?, ?, ?)", (*key, json.dumps(asdict(version))))
            for key, version in versions.items()
            if key not in self._versions
        ]
        removed = [
            ("DELETE FROM version WHERE machine = ? AND number = ?", key) for key in self._versions - versions.keys()
        ]
        changed = [change for table in now for change in _changes(table, self._written[table], now[table])]
        if statements := [*removed, *changed, *added]:
            self._database.transaction(statements)
        self._written, self._versions = now, set(versions)


def _changes(table: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for arn in before.keys() - now.keys():
        yield f"DELETE FROM {table} WHERE arn = ?", (arn,)  # noqa: S608 - our own names
    for arn, record in now.items():
        if before.get(arn) != record:
            upsert = "ON CONFLICT (arn) DO UPDATE SET record = excluded.record"
            yield f"INSERT INTO {table} VALUES (?, ?) {upsert}", (arn, record)  # noqa: S608 - our own names


def _fields(machine: Machine) -> dict[str, Any]:
    """A machine but for its versions, which have rows of their own."""
    return {
        **{name: value for name, value in vars(machine).items() if name != "versions"},
        "revision": asdict(machine.revision),
        "aliases": {name: asdict(alias) for name, alias in machine.aliases.items()},
    }


def _machine(fields: dict[str, Any]) -> Machine:
    aliases = {name: Alias(**alias) for name, alias in fields["aliases"].items()}
    return Machine(**{**fields, "revision": Revision(**fields["revision"]), "aliases": aliases})


def _version(fields: dict[str, Any]) -> Version:
    return Version(**{**fields, "revision": Revision(**fields["revision"])})
