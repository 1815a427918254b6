"""Virtual environments under the cache: one for each interpreter and exact set of requirements, built once.

An environment is made without pip and filled by the local cloud's own pip (`pip --python`), so that the index,
proxies and certificates the user's pip is set up with hold. It is built in a folder of its own and appears under
its key in one rename of a symbolic link: a build that died half-way is never taken for an environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from local_cloud.processes import children
from local_cloud.processes.errors import EnvironmentBuildError
from local_cloud.processes.interpreters import Interpreter

#: Problems only, no questions, and no byte code: Python compiles what a job imports, when it does.
PIP_INSTALL = ("install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-compile")


@dataclass(frozen=True)
class EnvironmentSpec:
    """What an environment holds: pip requirements (or paths of wheels).

    `modules` are installed after `requirements` where they come with pip `options` of their own. `links` are files and
    folders of packages that are installed already (`installed.find`).
    """

    interpreter: Interpreter
    requirements: tuple[str, ...]
    modules: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    links: tuple[Path, ...] = ()

    @property
    def key(self) -> str:
        lists = [sorted({*map(_identity, part)}) for part in (self.requirements, self.modules)] + [[*self.options]]
        parts = [str(self.interpreter.path), self.interpreter.version, *lists, *map(str, self.links)]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        return f"py{self.interpreter.version}-{digest}"


class Environments:
    """The environments of one cache folder. Callers that want the same one wait for one build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._building: dict[str, Future[Path]] = {}
        self._lock = threading.Lock()

    def prepare(self, spec: EnvironmentSpec, *, log: Callable[[str], None]) -> Future[Path]:
        """The environment's `bin/python`, at once or when its build is done. `log` gets pip's lines."""
        with self._lock:
            future = self._building.get(spec.key)
            if future is None or (future.done() and not _is_usable(future)):
                future = self._building[spec.key] = Future()
                threading.Thread(
                    target=self._fill, args=(future, spec, log), name=f"venv {spec.key}", daemon=True
                ).start()
            return future

    def _fill(self, future: Future[Path], spec: EnvironmentSpec, log: Callable[[str], None]) -> None:
        try:
            future.set_result(self._build_once(spec, log))
        except Exception as error:
            future.set_exception(error)

    def _build_once(self, spec: EnvironmentSpec, log: Callable[[str], None]) -> Path:
        link = self.folder / spec.key
        python = link / "bin" / "python"
        if python.exists():
            return python
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{spec.key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not python.exists():
                for abandoned in self.folder.glob(f"{spec.key}-*"):
                    shutil.rmtree(abandoned, ignore_errors=True)
                built = self._build(spec, log)
                new_link = built.with_suffix(".link")
                new_link.symlink_to(built.name)
                new_link.replace(link)
        return python

    def _build(self, spec: EnvironmentSpec, log: Callable[[str], None]) -> Path:
        folder = self.folder / f"{spec.key}-{secrets.token_hex(4)}"
        venv = [str(spec.interpreter.path), "-m", "venv", "--without-pip", str(folder)]
        done = subprocess.run(venv, capture_output=True, text=True, check=False)
        if done.returncode:
            raise EnvironmentBuildError(
                f"{spec.interpreter.path} cannot make a virtual environment: {_last_line(done.stderr or done.stdout)}"
            )
        python = folder / "bin" / "python"
        for link in spec.links:
            (folder / "lib" / f"python{spec.interpreter.version}" / "site-packages" / link.name).symlink_to(link)
        names = ", ".join(sorted({Path(r).name for r in (*spec.requirements, *spec.modules)}))
        if names:
            log(f"Making an environment of Python {spec.interpreter.version} with {names}; later runs find it ready")
        if spec.options:
            installs = [sorted({*spec.requirements}), [*spec.options, *spec.modules]]
        else:
            installs = [sorted({*spec.requirements, *spec.modules})]
        for arguments in filter(None, installs):
            pip_install(python, arguments, log=log)
        return folder


def pip_install(python: Path, arguments: list[str], *, log: Callable[[str], None]) -> None:
    """Install into the environment of `python`. `log` gets pip's lines; EnvironmentBuildError says its last error."""
    bound = [sys.executable, str(children.CHILD_PATH / "bound.py")]
    command = [*bound, "pip", "--python", str(python), *PIP_INSTALL, *arguments]
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    errors: list[str] = []
    with tempfile.TemporaryDirectory(prefix="local-cloud-pip-") as folder:
        pip = children.spawn(command, folder=Path(folder), env=env, stderr=subprocess.STDOUT)
        assert pip.process.stdout is not None
        with pip.process.stdout as output:
            for line in output:
                text = line.decode("utf-8", "replace").rstrip()
                log(text)
                if text.startswith("ERROR: "):
                    errors.append(text.removeprefix("ERROR: "))
        pip.process.wait()
        pip.close()
    if pip.process.returncode:
        wanted = " ".join(a for a in arguments if not a.startswith("-"))
        reason = errors[-1] if errors else f"pip ended with exit code {pip.process.returncode}"
        raise EnvironmentBuildError(f"pip could not install {wanted}: {reason}")


def _identity(requirement: str) -> str:
    """A requirement; of a downloaded file its digest and name (`Packages.fetch`), wherever the cache is."""
    return "/".join(Path(requirement).parts[-2:]) if requirement.startswith("/") else requirement


def _is_usable(future: Future[Path]) -> bool:
    return future.exception() is None and future.result().exists()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no output"])[-1]
