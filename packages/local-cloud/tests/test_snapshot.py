"""Pickles of what moto holds, and the files they lie in."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from local_cloud import persistence, snapshot
from local_cloud.errors import StateNotSaved, StateUnusable
from local_cloud.persistence import Persistence


class Rooms(defaultdict):  # type: ignore[type-arg]
    """As moto's ParameterDict: a defaultdict whose constructor wants more."""

    def __init__(self, owner: str) -> None:
        super().__init__(list)
        self.owner = owner


def made_inside() -> Any:
    first, second = lambda: "first", lambda: "second"
    return first, second


def inner_factory() -> Any:
    return lambda: {"made": "inside"}


class Thing:
    pass


def test_locks_threads_and_references_become_new() -> None:
    thing = Thing()
    back = snapshot.loads(
        snapshot.dumps(
            {
                "lock": threading.Lock(),
                "rlock": threading.RLock(),
                "event": threading.Event(),
                "condition": threading.Condition(),
                "thread": threading.Thread(),
                "ref": weakref.ref(thing),
                "kept": thing,
                "weak": weakref.WeakValueDictionary({"a": thing}),
            }
        )
    )
    for name in ("lock", "rlock"):
        assert back[name].acquire(blocking=False)
    assert (back["event"].is_set(), back["thread"], back["ref"]) == (False, None, None)
    assert isinstance(back["condition"], threading.Condition)
    assert back["weak"]["a"] is back["kept"]


def test_functions_made_inside_others_are_found_again() -> None:
    rooms = defaultdict(inner_factory(), {"a": {"b": 1}})
    back = snapshot.loads(snapshot.dumps(rooms))
    assert (back, back["new"]) == ({"a": {"b": 1}, "new": {"made": "inside"}}, {"made": "inside"})


def test_a_function_that_holds_variables_is_refused() -> None:
    name = "held"
    with pytest.raises(Exception, match="holds variables"):
        snapshot.dumps(lambda: name)


def test_dictionaries_with_a_constructor_of_their_own() -> None:
    rooms = Rooms("me")
    rooms["a"].append(1)
    back = snapshot.loads(snapshot.dumps(rooms))
    assert (type(back), back.owner, dict(back), back["b"]) == (Rooms, "me", {"a": [1]}, [])


def test_a_private_key_survives_a_snapshot() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    back = snapshot.loads(snapshot.dumps(key))
    assert back.private_numbers() == key.private_numbers()


def test_a_backend_is_a_name_in_another_ones_file() -> None:
    from moto.sns.models import sns_backends
    from moto.sqs.models import sqs_backends

    sns = sns_backends["111111111111"]["us-east-1"]
    sns.create_topic("alerts")
    sns.held = [sqs_backends["111111111111"]["us-east-1"], sqs_backends]  # type: ignore[attr-defined]
    state = snapshot.dump_backends(sns_backends, without=())
    assert b"queues" not in state
    back = snapshot.loads(state)["111111111111", "us-east-1"]
    assert back["held"] == [sqs_backends["111111111111"]["us-east-1"], sqs_backends]
    assert list(back["topics"]) == ["arn:aws:sns:us-east-1:111111111111:alerts"]
    assert back["topics"]["arn:aws:sns:us-east-1:111111111111:alerts"].sns_backend is sns
    left = snapshot.loads(snapshot.dump_backends(sns_backends, without=["topics"]))
    assert "topics" not in left["111111111111", "us-east-1"]


def test_changes_while_it_is_saved(tmp_path: Path) -> None:
    """Many writers: the file always holds what was there when each was answered."""
    value: dict[str, int] = {}
    keeper = Persistence(tmp_path)
    keeper.load()
    keeper.register("part", save=lambda: dict(value), restore=value.update)

    def work(number: int) -> None:
        for step in range(20):
            value[f"{number}-{step}"] = step
            keeper.save("part")
            _, _, state = (tmp_path / "part.state").read_bytes().partition(b"\n")
            assert f"{number}-{step}" in snapshot.loads(state)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    failed: list[Any] = []
    hook, threading.excepthook = threading.excepthook, failed.append
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        threading.excepthook = hook
    assert failed == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["contents", "part.state"]


def test_changes_outside_of_requests_are_written_by_themselves_or_at_the_end(tmp_path: Path) -> None:
    keeper = Persistence(tmp_path)
    keeper.load()
    keeper.register("part", save=lambda: 1, restore=lambda value: None)
    keeper.changed("part")
    keeper.close()
    again = Persistence(tmp_path)
    again.load()
    seen: list[int] = []
    again.register("part", save=lambda: 1, restore=seen.append)
    assert seen == [1]


def test_a_write_that_fails_is_tried_again_and_refuses_changes_until_then(tmp_path: Path) -> None:
    """Any OSError: here the folder is gone for a while."""
    folder, value = tmp_path / "control-plane", [1]
    keeper = Persistence(folder)
    keeper.load()
    keeper.register("part", save=lambda: value[0], restore=lambda value: None)
    keeper.changed("part")
    wait_until((folder / "part.state").exists)
    folder.rename(tmp_path / "away")
    value[0] = 2
    keeper.changed("part")
    wait_until(lambda: keeper.saving.problem() is not None)
    problem = keeper.saving.problem()
    assert problem
    assert problem.what == ("part",)
    assert problem.cause == f"No such file or directory ({folder / 'part.new'})"
    for refused in (keeper.check, lambda: keeper.save("part")):
        with pytest.raises(StateNotSaved, match="No such file or directory"):
            refused()
    (tmp_path / "away").rename(folder)
    keeper.check()
    assert keeper.saving.problem() is None
    value[0] = 3
    keeper.changed("part")
    keeper.close()
    again, seen = Persistence(folder), list[int]()
    again.load()
    again.register("part", save=lambda: 0, restore=seen.append)
    assert seen == [3]


def test_what_cannot_be_saved_at_the_end_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Persistence(tmp_path / "control-plane")
    keeper.load()
    keeper.register("part", save=lambda: 1, restore=lambda value: None)
    keeper.folder.rmdir()
    keeper.changed("part")
    keeper.close()
    assert "stopped with changes that could not be saved: part: No such file or directory" in caplog.text


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_state_that_cannot_be_saved_is_said_and_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = Persistence(tmp_path)
    keeper.load()
    keeper.register("part", save=lambda: (name for name in "generators are not picklable"), restore=lambda value: None)
    keeper.save("part")
    assert "the state of part could not be saved" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_service_whose_state_cannot_be_read_stays_closed(tmp_path: Path) -> None:
    """The checksum is right, the contents are not: nothing may be saved over them. In a process of its own."""
    file = tmp_path / "ssm.state"
    state = snapshot.dumps({("123456789012", "us-east-1"): "no attributes"})
    persistence._write(file, state, hashlib.sha256(state).hexdigest())
    before = file.read_bytes()
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from local_cloud.errors import StateNotSaved, StateUnusable
        from local_cloud.persistence import Persistence
        keeper = Persistence(Path(sys.argv[1]))
        keeper.load()
        from moto.ssm.models import ssm_backends
        for _ in range(2):
            try:
                ssm_backends["123456789012"]["us-east-1"]
            except StateUnusable as error:
                print(str(error).partition("ssm.state ")[2][:15])
            keeper.save("ssm")
        """
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("cannot be read:\n" * 2, "")
    assert file.read_bytes() == before


@pytest.mark.parametrize("text", [b"", b"junk", b'{"moto": "1"}\n', b"[]\n", b'"a"\nx'])
def test_files_that_are_no_state(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "iam.state").write_bytes(text)
    with pytest.raises(StateUnusable, match=r"iam\.state is damaged"):
        Persistence(tmp_path).load()


def test_every_name_in_a_pickle_is_looked_up_and_nothing_is_made() -> None:
    from moto.sns.models import sns_backends

    sns_backends["222222222222"]["us-east-1"].create_topic("alerts")
    state = snapshot.dump_backends(sns_backends, without=())
    snapshot.check(state)
    with pytest.raises(AttributeError, match="Tropic"):
        snapshot.check(state.replace(b"\x05Topic", b"\x06Tropic"))


def test_state_that_names_what_this_version_lacks_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "control-plane"
    keeper = Persistence(folder)
    keeper.load()
    for name, value in (("thing", Thing()), ("other", 1)):
        keeper.register(name, save=lambda value=value: value, restore=lambda saved: None)  # type: ignore[misc]
        keeper.save(name)
    file = folder / "thing.state"
    header, _, state = file.read_bytes().partition(b"\n")
    state = state.replace(b"\x05Thing", b"\x05Thong")
    about = json.loads(header) | {"code": "another", "sha256": hashlib.sha256(state).hexdigest()}
    file.write_bytes(json.dumps(about).encode() + b"\n" + state)
    again = Persistence(folder)
    again.load()
    (notice,) = again.notices
    assert notice.startswith(f"{file} was written by another version and cannot be read: Can't get attribute 'Thong'")
    assert sorted(path.name for path in tmp_path.rglob("*.state")) == ["other.state", "thing.state"]
    assert list(folder.iterdir()) == []
