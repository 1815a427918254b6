"""Start a command, wait for the moment, kill, and try again as a user would."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from campaign.problem import Problem
from campaign.processes import FUNCTION, JOB, below, kill
from campaign.world import World

_SCRIPTS = {"job": JOB, "function": FUNCTION}
_TIMEOUT = 300.0
#: What a message names as the next step; a suggestion to delete everything is none.
_ADVICE = re.compile(
    r"(?:follow it|do what is missing|restore with|run|again|finish it(?: with)?): `?(elt [^`;\n]+)|`(elt [^`\n]+)`"
)


@dataclass(frozen=True)
class Moment:
    """So many seconds after a line that holds `text` (the start, for ""); `target` is elt, cloud, job or function."""

    target: str
    text: str
    delay: float
    signal: int = signal.SIGKILL

    @classmethod
    def draw(cls, moments: Mapping[str, float], targets: Sequence[str], dice: random.Random) -> Moment:
        target, text = dice.choice(targets), dice.choice(sorted(moments))
        gentle = target == "elt" and dice.random() < 0.25
        how = dice.choice((signal.SIGINT, signal.SIGTERM)) if gentle else signal.SIGKILL
        return cls(target, text, round(dice.uniform(0, moments[text]), 3), how)


@dataclass
class Struck:
    """`hit` is False where the command was over before its moment came."""

    hit: bool
    code: int | None
    lines: list[str]
    problems: list[Problem] = field(default_factory=list)


def strike(world: World, command: Sequence[str], moment: Moment, dice: random.Random) -> Struck:
    """Run the command in a process of its own, and kill the target at the moment."""
    running = _Running(world, command)
    if not running.reached(moment.text):
        return Struck(hit=False, code=running.end(), lines=running.lines)
    time.sleep(moment.delay)
    pid = running.target(moment.target, dice)
    if pid is None or not kill(pid, moment.signal):
        return Struck(hit=False, code=running.end(), lines=running.lines)
    code = running.end()
    problems = [] if code is not None else [Problem("stuck", f"{' '.join(command)} did not end after the kill")]
    problems += [Problem("retry", f"a traceback: {line}") for line in running.lines if line.startswith("Traceback")]
    return Struck(hit=True, code=code, lines=running.lines, problems=problems)


def again(world: World, command: Sequence[str]) -> tuple[list[str], list[Problem]]:
    """Bring the cloud up if it is down, and try the command again: what was tried, and what is wrong with that.

    It must succeed at once, or name a next step after which it does.
    """
    tried: list[str] = []

    def once(*words: str) -> str | None:
        done = world.run(*words)
        last = (done.stderr.strip().splitlines() or [""])[-1]
        tried.append(f"{' '.join(words)} -> {done.returncode} {last[:400]}")
        return None if done.returncode == 0 else done.stderr

    if not world.is_up and (failure := once("elt", "local", "up")) is not None:
        return tried, [Problem("retry", f"the cloud does not start again: {failure[-400:]}")]
    failure = once(*command)
    if failure is None:
        return tried, []
    advice = _ADVICE.search(failure.strip().splitlines()[-1] if failure.strip() else "")
    words = (advice[1] or advice[2]).split() if advice else []
    if words and words != list(command) and "destroy" not in words and not any("ID" in word for word in words):
        once(*words)
        failure = once(*command)
        if failure is None:
            return tried, []
    problems = [Problem("retry", failure.strip()[-500:])]
    if once(*command) is not None:
        problems.append(Problem("stuck", "nor does it succeed at the next try"))
    return tried, problems


class _Running:
    """A command whose lines on stderr are read as they come."""

    def __init__(self, world: World, command: Sequence[str]) -> None:
        self._world = world
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            command,
            env=world.env,
            cwd=world.checkout,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job ignores Ctrl-C, and so would what it starts.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - it takes no lock
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def reached(self, text: str) -> bool:
        """Wait for a line with the text; False where the command ends without one."""

        def there() -> bool:
            return not text or any(text in line for line in self.lines) or self._process.poll() is not None

        with self._news:
            while not there():
                self._news.wait(0.2)
        return self._process.poll() is None

    def target(self, name: str, dice: random.Random) -> int | None:
        """The process to kill; None where the command ends before there is one."""
        while self._process.poll() is None:
            if name == "elt":
                return self._process.pid
            found = [self._world.machine.pid] if name == "cloud" else below(self._world, _SCRIPTS[name])
            if found:
                return dice.choice(found)
            time.sleep(0.01)
        return None

    def end(self) -> int | None:
        """The exit code; None where it did not end by itself."""
        try:
            code: int | None = self._process.wait(_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            code = None
        self._reader.join(5)
        return code
