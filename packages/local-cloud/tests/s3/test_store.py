"""The store under kills: whatever step a process dies at, the next one finds the old state or the new."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from local_cloud.services.s3.storage.catalog import Attributes, Catalog, Version
from local_cloud.services.s3.storage.store import Content, Store

BUCKET = "bucket"


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it, no clean-up runs."""


class Kill:
    """Dies just before the n-th step that changes files or rows."""

    STEPS: tuple[tuple[Any, str], ...] = (
        (Path, "replace"),
        (Path, "unlink"),
        (Path, "mkdir"),
        (Path, "rmdir"),
        (os, "link"),
        (os, "utime"),
        (Catalog, "add"),
        (Catalog, "remove"),
        (Catalog, "add_aside"),
        (Catalog, "remove_aside"),
    )

    def __init__(self, patch: pytest.MonkeyPatch, at: int) -> None:
        self.left = at
        self.dead = False
        for owner, name in self.STEPS:
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if self.left == 0:
                self.dead = True
            if self.dead:
                raise Killed
            self.left -= 1
            return step(*args, **kwargs)

        return counted


def opened(root: Path, versioning: str) -> Store:
    store = Store(root, versioning=lambda bucket: versioning)
    store.create_bucket(BUCKET)
    return store


def put(store: Store, key: str, body: bytes) -> Version:
    with store.stage() as staged:
        staged.file.write(body)
        staged.file.flush()
        return store.put(BUCKET, key, staged.path, content=Content(body.decode(), Attributes(), {}))


def read(store: Store, key: str) -> bytes | None:
    version = store.current(BUCKET, key)
    if version is None:
        return None
    assert version.etag.encode() == content(store, version)
    return content(store, version)


def content(store: Store, version: Version) -> bytes:
    file = store.open(version)
    assert file is not None
    with file:
        return file.read()


def history(store: Store, key: str) -> list[tuple[str, bytes | None]]:
    return [
        (version.version_id, None if version.is_delete_marker else content(store, version))
        for version, _ in store.versions(BUCKET, key)
    ]


ACTIONS: dict[str, Callable[[Store], object]] = {
    "put": lambda store: put(store, "k", b"new"),
    "put beside": lambda store: put(store, "k/below", b"new"),
    "put above": lambda store: put(store, "deep/er", b"new"),
    "delete": lambda store: store.delete(BUCKET, "k"),
    "delete aside": lambda store: store.delete(BUCKET, "deep"),
    "delete null version": lambda store: store.delete_version(BUCKET, "k", "null"),
    "delete newest version": lambda store: store.delete_version(
        BUCKET, "k", store.versions(BUCKET, "k")[0][0].version_id
    ),
}

KEYS = ("k", "k/below", "deep", "deep/er", "deep/er/still")


def prepare(root: Path, versioning: str) -> None:
    """Each key with one version from before versioning, some with more, one hidden."""
    store = opened(root, "")
    for key in ("k", "deep/er/still", "deep"):
        put(store, key, b"null " + key.encode())
    store.catalog.close()
    if versioning:
        store = opened(root, "Enabled")
        put(store, "k", b"second")
        put(store, "k", b"third")
        store.catalog.close()


def state(root: Path, versioning: str) -> dict[str, tuple[bytes | None, list[bytes | None]]]:
    store = opened(root, versioning)
    try:
        listed = {key: version.etag.encode() for key, version in store.objects(BUCKET)}
        found = {}
        for key in KEYS:
            body = read(store, key)
            assert listed.get(key) == body, f"the listing and the object of {key} disagree"
            found[key] = (body, [body for _, body in history(store, key)])
        return found
    finally:
        store.catalog.close()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("versioning", ["", "Enabled", "Suspended"])
def test_a_kill_at_any_step_leaves_the_old_state_or_the_new(tmp_path: Path, action: str, versioning: str) -> None:
    def run(root: Path, kill_at: int | None) -> bool:
        """Prepare, act, and die at a step. True when the action came to its end."""
        prepare(root, versioning)
        store = opened(root, versioning)
        with pytest.MonkeyPatch.context() as patch:
            kill = Kill(patch, kill_at if kill_at is not None else 10**9)
            try:
                ACTIONS[action](store)
            except Killed:
                return False
            finally:
                kill.dead = False
                kill.left = 10**9
        store.catalog.close()
        return True

    prepare(tmp_path / "before", versioning)
    before = state(tmp_path / "before", versioning)
    assert run(tmp_path / "after", None)
    after = state(tmp_path / "after", versioning)
    steps = 0
    while not run(tmp_path / str(steps), steps):
        found = state(tmp_path / str(steps), versioning)
        for key in KEYS:
            assert found[key][0] in (before[key][0], after[key][0]), (key, steps)
            assert set(found[key][1]) - {None} <= set(before[key][1]) | set(after[key][1]), (key, steps)
            kept = set(before[key][1]) & set(after[key][1]) - {None}
            assert kept <= set(found[key][1]), (key, steps)
        steps += 1
    assert steps >= 2


def test_two_stores_in_a_row_see_the_same(tmp_path: Path) -> None:
    prepare(tmp_path, "Enabled")
    assert state(tmp_path, "Enabled") == state(tmp_path, "Enabled")


class Model(RuleBasedStateMachine):
    """Versioned and plain buckets against a list of versions, with reopening at any time."""

    keys = st.sampled_from(["a", "a/b", "a/b/c", "b", "b/", "..", "c//d"])
    bodies = st.integers(0, 10**6).map(lambda n: str(n).encode())

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.versioning = ""
        self.model: dict[str, list[tuple[str, bytes | None]]] = {}
        self.store = self.open()

    def open(self) -> Store:
        store = Store(Path(self.folder.name), versioning=lambda bucket: self.versioning)
        store.create_bucket(BUCKET)
        return store

    def teardown(self) -> None:
        self.store.catalog.close()
        self.folder.cleanup()

    def record(self, key: str, version_id: str, body: bytes | None) -> None:
        rest = [v for v in self.model.get(key, []) if not (version_id == "null" and v[0] == "null")]
        self.model[key] = [(version_id, body), *rest]

    @rule(key=keys, body=bodies)
    def put(self, key: str, body: bytes) -> None:
        self.record(key, put(self.store, key, body).version_id, body)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        deleted = self.store.delete(BUCKET, key)
        if self.versioning:
            self.record(key, deleted.version_id, None)
        else:
            self.model.pop(key, None)

    @rule(key=keys, number=st.integers(0, 3))
    def delete_version(self, key: str, number: int) -> None:
        versions = self.model.get(key, [])
        if number < len(versions):
            self.store.delete_version(BUCKET, key, versions[number][0])
            self.model[key] = versions[:number] + versions[number + 1 :]

    @rule(on=st.booleans())
    def set_versioning(self, on: bool) -> None:
        self.versioning = "Enabled" if on else "Suspended" if self.versioning else ""

    @rule()
    def reopen(self) -> None:
        self.store.catalog.close()
        self.store = self.open()

    @invariant()
    def agrees(self) -> None:
        for key, versions in self.model.items():
            assert history(self.store, key) == versions
            assert read(self.store, key) == (versions[0][1] if versions else None)
        expected = sorted(key for key, versions in self.model.items() if versions and versions[0][1] is not None)
        assert [key for key, _ in self.store.objects(BUCKET)] == expected
        everything = sorted(key for key, versions in self.model.items() if versions)
        assert list(self.store.all_keys(BUCKET)) == everything


Model.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
TestModel = Model.TestCase
