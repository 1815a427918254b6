"""Where one local cloud lives: its port, its folder, its account."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from local_cloud.errors import SettingsError

DEFAULT_PORT = 4566
DEFAULT_STATE_DIR = Path(".elt")
HOST = "127.0.0.1"

#: All that a local cloud keeps in its state folder. A reset deletes these names and nothing else.
STATE_NAMES = (
    "s3",
    "warehouse",
    "mail",
    "control-plane",
    "cache",
    "set-aside",
    "local-cloud.json",
    "local-cloud.lock",
    "local-cloud.log",
    "local-cloud.log.1",
)


@dataclass(frozen=True)
class Typed:
    """What the user typed, so that advice can name the same command: its program, and options as they were given."""

    program: str = "local-cloud"
    state: str = ""
    port: str = ""

    def command(self, verb: str) -> str:
        """The command line for a verb ("up"). Only some verbs take a port."""
        words = [self.program, verb]
        if self.state:
            words += ["--state", shlex.quote(self.state)]
        if self.port and verb in ("up", "env"):
            words += ["--port", self.port]
        return " ".join(words)


@dataclass(frozen=True)
class Settings:
    """The settings of a server process. Paths are absolute.

    The state folder holds all that survives a restart::

        s3/<bucket>/<key>      objects, as plain files
        warehouse/             one DuckDB file per Redshift Serverless namespace
        mail/                  what SNS sent to email subscriptions, as .eml files
        control-plane/         the services' own state
        cache/                 job environments and unpacked wheels; can be deleted at any time
        set-aside/             what could not be read, by the time it was moved here
        local-cloud.json       the running process: pid, port, endpoint
        local-cloud.lock       held by the running process
        local-cloud.log        what went wrong; a second megabyte in local-cloud.log.1
    """

    state_dir: Path
    port: int = DEFAULT_PORT
    region: str = "us-east-1"
    account_id: str = "123456789012"
    typed: Typed = Typed()

    @classmethod
    def create(
        cls, *, state_dir: Path | str | None = None, port: int | None = None, typed: Typed | None = None
    ) -> Settings:
        """Settings from arguments, else LOCAL_CLOUD_STATE and LOCAL_CLOUD_PORT, else the defaults.

        `typed` is how advice names commands, by default `local-cloud` with the arguments as options.
        SettingsError for a port that is none, and a folder that is a file.
        """
        typed = typed or Typed(state=str(state_dir or ""), port=str(port or ""))
        folder = Path(state_dir or os.environ.get("LOCAL_CLOUD_STATE") or DEFAULT_STATE_DIR).expanduser().resolve()
        if folder.exists() and not folder.is_dir():
            raise SettingsError(f"{folder} is a file: give LOCAL_CLOUD_STATE, or --state, a folder.")
        if port is None:
            text = os.environ.get("LOCAL_CLOUD_PORT") or str(DEFAULT_PORT)
            port = int(text) if text.isascii() and text.isdigit() else 0
            if not 1 <= port <= 65535:
                raise SettingsError(f"LOCAL_CLOUD_PORT is {text!r}: give a port from 1 to 65535.")
        elif not 1 <= port <= 65535:
            raise SettingsError(f"{port} is no port: give one from 1 to 65535.")
        return cls(state_dir=folder, port=port, typed=typed)

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"
