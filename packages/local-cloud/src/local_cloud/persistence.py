"""State that survives a restart, under `<state>/control-plane/`, one file a service.

What an API call changed is on disk before its answer goes out: `save` is called between the two. A file is
written beside the old one and renamed over it, so it is there whole or as before, also after a kill -9. (It is
not fsynced: a power cut may take the last seconds.) A part that did not change is not written.

A write that fails is tried again (see `saving`), and until it has worked `check` refuses every further change: what
was acknowledged is never more than one failed write away from the disk.

A file begins with a line of JSON: the versions that wrote it and a checksum, so that damage is one clear error at the
start instead of a strange failure later, and another version's state is set aside. Then comes a pickle; the folder is
the user's own and readable by nobody else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import moto

from local_cloud import moto_state, snapshot
from local_cloud.errors import StateNotSaved, StateUnusable
from local_cloud.files import set_aside, write_whole
from local_cloud.inventory import holds
from local_cloud.saving import LONGEST_PAUSE, Saving
from local_cloud.version import __version__

log = logging.getLogger("local_cloud.persistence")

#: Seconds that changes outside of requests may wait, so that a burst of them is one write.
DELAY = 0.1

#: The form of what is saved: a new number whenever an older version's files could not be used as they are. The other
#: half of it is moto's version, whose objects the files hold.
FORMAT = 1

#: Names of all parts that were saved, so that one that is missing is noticed.
_CONTENTS = "contents"

DEPLOY_AGAIN = "Objects, tables and mail are kept: deploy again, and make again what no stack made"

_Save = Callable[[], Any]
_Restore = Callable[[Any], None]


class _Part:
    """One file's worth of state: the lock that orders its writes, and what was last written."""

    def __init__(self, save: Callable[[], bytes | None] | Callable[[], None]) -> None:
        self.save = save
        self.lock = threading.Lock()
        self.asked = 0
        self.done = 0
        self.digest = b""


class Persistence:
    """Saves what services register, and gives it back at the next start.

    moto's backends need no registration: each is saved when a request may have changed it, and restored when it
    is first touched.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saving = Saving()
        self.unsavable: dict[str, str] = {}
        """Parts that a defect keeps from being saved, with its words."""
        self.notices: list[str] = []
        """What happened to the state when it was read: one line each."""
        self._parts: dict[str, _Part] = {}
        self._waiting: dict[str, bytes] = {}
        self._after_restore: dict[str, list[Callable[[Iterable[Any]], None]]] = {}
        self._left_out: dict[str, frozenset[str]] = {}
        self._not_after: dict[str, frozenset[str]] = {}
        self._lock = threading.Lock()
        self._changes: set[str] = set()
        self._wake = threading.Condition()
        self._writer: threading.Thread | None = None
        self._stopping = False

    # what is kept

    def register(self, name: str, *, save: _Save, restore: _Restore) -> None:
        """Keep one part of the state under `name` (a file name), and restore it now if it was saved before.

        `save()` returns something picklable that holds no lock, thread or open file.
        """
        self._parts[name] = _Part(lambda: snapshot.dumps(save()))
        if name in self._waiting:
            restore(snapshot.loads(self._waiting.pop(name)))

    def register_elsewhere(self, name: str, *, write: Callable[[], None], adopt: _Restore) -> None:
        """Keep one part of the state, which grows, in a file of its own: `write()` brings that up to date, durably.

        `adopt` is given what an earlier version saved as `<name>.state`, which then goes.
        """
        self._parts[name] = _Part(write)
        if name in self._waiting:
            adopt(snapshot.loads(self._waiting.pop(name)))
            _forget(self.folder / f"{name}.state")

    def register_moto(self, service: str, *, without: Iterable[str] = (), not_after: Iterable[str] = ()) -> None:
        """Say what of a moto service is kept elsewhere; without that its backends are kept whole.

        `service` is the name of moto's package ("awslambda", "stepfunctions"), `without` names attributes of its
        backends, `not_after` operations that change nothing but those.
        """
        self._left_out[service] = frozenset(without)
        self._not_after[service] = frozenset(not_after)

    def after_restore(self, service: str, hook: Callable[[Iterable[Any]], None]) -> None:
        """Call `hook(backends)` when a moto service's backends have been restored."""
        self._after_restore.setdefault(service, []).append(hook)

    # reading

    def load(self) -> None:
        """Read and check every file. StateUnusable when one is damaged or missing.

        What another version wrote in a form that this one cannot read is set aside, all of it: parts of a whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            for file in files(self.folder):
                self._waiting[file.stem] = state = read(file)
                if _header(file).get("code") != _code():
                    _write(file, state, hashlib.sha256(state).hexdigest())  # it was checked, and is not again
        except OtherVersion as error:
            self._waiting.clear()
            place = set_aside(self.folder.parent, self.folder)
            self.folder.mkdir()
            self.notice(f"{error.problem}. All control planes are set aside as {place}. {DEPLOY_AGAIN}")
        snapshot.on_first_touch(self._restore_backends)

    def notice(self, line: str) -> None:
        """Something happened to the state that the user has to know."""
        log.warning("%s", line)
        self.notices.append(line)

    def set_aside(self, file: Path, why: str) -> None:
        """A record that nothing depends on cannot be read: it is moved out of the way, and that is said."""
        place = set_aside(self.folder.parent, file)
        self.notice(f"{file} is damaged; it held {holds(file)}. Set aside as {place} ({why})")

    def _restore_backends(self, service: str, backends: Any) -> None:
        """A moto service is touched for the first time (moto's backend lock is held)."""
        if service not in self._waiting:
            return
        try:
            restored = snapshot.restore_backends(backends, self._waiting[service])
        except Exception as error:
            backends.clear()  # so that the next touch fails too, and nothing is saved over the file
            file = self.folder / f"{service}.state"
            raise StateUnusable(f"{file} cannot be read: {error}; it held {holds(file)}") from error
        for hook in self._after_restore.get(service, ()):
            hook(restored)
        del self._waiting[service]

    # writing

    def check(self, *, patient: bool = False) -> None:
        """Before a change. Raises StateNotSaved while an earlier one is not on disk; tries that once more first.

        `patient` waits instead, as long as the cloud runs.
        """
        for name in self.saving.waiting():
            if name in self._parts:
                with contextlib.suppress(StateNotSaved):
                    self.save(name)
        if patient and self.saving.settled():
            return
        if problem := self.saving.problem():
            raise StateNotSaved(
                f"{problem.cause} (since {problem.since:%Y-%m-%d %H:%M:%S} UTC, for {', '.join(problem.what)}); "
                "nothing is changed until that is saved"
            )

    def save(self, name: str, *, patient: bool = False) -> None:
        """Write a part now, if it changed. Calls that meet share one write.

        Raises StateNotSaved when the disk refuses; the part is then written as soon as it can be. `patient` waits for
        that, as long as the cloud runs.
        """
        if patient:
            self.saving.until_done(name, lambda: self.save(name))
            return
        part = self._part(name)
        if part is None or name in self._waiting:
            return  # not a state file, or not touched since the start
        with self._lock:
            part.asked += 1
            mine = part.asked
        with moto_state.released(), part.lock:
            if part.done >= mine:
                return  # somebody's snapshot began after we asked: it holds our change
            covered = part.asked
            try:
                self.saving.attempt(name, lambda: self._write(name, part))
            except StateNotSaved:
                self.changed(name)
                raise
            part.done = covered

    def save_after(self, operation: Callable[[], str], name: str, *, patient: bool = False) -> None:
        """Write a part now if the operation (asked for only where that matters) may have changed it."""
        kept_elsewhere = self._not_after.get(name)
        if not kept_elsewhere or operation() not in kept_elsewhere:
            self.save(name, patient=patient)

    def changed(self, name: str) -> None:
        """Tell that a part changed outside an API request (a job ended): it is written within DELAY seconds."""
        with self._wake:
            self._changes.add(name)
            if self._writer is None and not self._stopping:
                self._writer = threading.Thread(target=self._run, name="persistence", daemon=True)
                self._writer.start()
            self._wake.notify()

    def close(self) -> None:
        """Write what is still waiting, before the process ends in good order."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self.saving.stop()
        if self._writer:
            self._writer.join(10)
        for name in sorted(self._changes):
            with contextlib.suppress(StateNotSaved):
                self.save(name)
        if problem := self.saving.problem():
            log.error("stopped with changes that could not be saved: %s: %s", ", ".join(problem.what), problem.cause)

    def _run(self) -> None:
        pause = DELAY
        while not self._stopping:
            with self._wake:
                self._wake.wait_for(lambda: self._changes or self._stopping)
                self._wake.wait_for(lambda: self._stopping, pause)
                names, self._changes = self._changes, set()
            for name in sorted(names):
                with contextlib.suppress(StateNotSaved):  # it is among the changes again
                    self.save(name)
            pause = min(2 * pause, LONGEST_PAUSE) if self._changes & names else DELAY

    def _part(self, name: str) -> _Part | None:
        with self._lock:
            if name not in self._parts:
                backends = snapshot.moto_backends(name)
                if backends is None:
                    return None
                left_out = self._left_out.get(name, frozenset())
                self._parts[name] = _Part(lambda: snapshot.dump_backends(backends, without=left_out))
            return self._parts[name]

    def _write(self, name: str, part: _Part) -> None:
        try:
            state = part.save()
        except (OSError, StateNotSaved):
            raise
        except Exception as error:
            # The answer is right, only its survival is not: the status says so, and the log has the traceback.
            if name not in self.unsavable:
                log.exception("the state of %s could not be saved and will be lost at the next stop", name)
            self.unsavable[name] = f"{type(error).__name__}: {error}"
            return
        self.unsavable.pop(name, None)
        if state is None:
            return
        digest = hashlib.sha256(state).digest()
        if digest != part.digest:
            _write(self.folder / f"{name}.state", state, digest.hex())
            part.digest = digest


class OtherVersion(StateUnusable):
    """A file of another version's form."""


def files(folder: Path) -> list[Path]:
    """All parts that were ever saved, whether they are still there or not."""
    contents = folder / _CONTENTS
    names = contents.read_text("utf-8", "replace").split() if contents.exists() else []
    return sorted({*folder.glob("*.state"), *(folder / f"{name}.state" for name in names)})


def read(file: Path) -> bytes:
    """The checked pickle of a file, not yet unpickled. StateUnusable, or OtherVersion."""
    try:
        header, _, state = file.read_bytes().partition(b"\n")
    except FileNotFoundError:
        raise StateUnusable(f"{file} is missing; it held {holds(file)}") from None
    try:
        about = json.loads(header)
        versions = f"local-cloud {about['local_cloud']} with moto {about['moto']}"
        wanted = about.get("format", 1), about["moto"]
        sound = about["sha256"] == hashlib.sha256(state).hexdigest()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StateUnusable(f"{file} is damaged; it held {holds(file)}") from None
    if wanted != (FORMAT, moto.__version__):
        mine = f"local-cloud {__version__} with moto {moto.__version__}"
        raise OtherVersion(f"{file.parent} was written by {versions}, which {mine} cannot read")
    if not sound:
        raise StateUnusable(f"{file} is damaged; it held {holds(file)}")
    if about.get("code") != _code():
        try:
            snapshot.check(state)
        except Exception as error:
            raise OtherVersion(f"{file} was written by another version and cannot be read: {error}") from error
    return state


def _header(file: Path) -> dict[str, Any]:
    with file.open("rb") as opened:
        about: dict[str, Any] = json.loads(opened.readline())
    return about


@functools.cache
def _code() -> str:
    """Stands for this program as it is installed: another one may lack what a pickle names."""
    folder = Path(__file__).parent
    looks = ((path.relative_to(folder), path.stat()) for path in sorted(folder.rglob("*.py")))
    text = "".join(f"{path} {look.st_size} {look.st_mtime_ns}\n" for path, look in looks)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _forget(file: Path) -> None:
    """Remove a part for good."""
    contents = file.parent / _CONTENTS
    if contents.exists():
        names = [name for name in contents.read_text("utf-8", "replace").split() if name != file.stem]
        write_whole(contents, "".join(f"{name}\n" for name in names).encode())
    file.unlink()


def _write(file: Path, state: bytes, digest: str) -> None:
    versions = {"format": FORMAT, "local_cloud": __version__, "moto": moto.__version__, "code": _code()}
    header = json.dumps({**versions, "sha256": digest}).encode()
    new = not file.exists()
    write_whole(file, header, b"\n", state)
    if new:
        with (file.parent / _CONTENTS).open("a") as contents:
            contents.write(f"{file.stem}\n")
