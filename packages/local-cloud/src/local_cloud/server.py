"""The server process: the gateway on one port of the loopback interface, until it is stopped."""

from __future__ import annotations

import errno
import importlib
import logging
import logging.handlers
import os
import signal
import socket
import sys
import threading
from types import FrameType
from typing import Any

from local_cloud import caches, lifetime, ports
from local_cloud.cloud import Cloud
from local_cloud.errors import PortInUse, StateNotSaved
from local_cloud.files import UMASK, check_room, unwritable
from local_cloud.persistence import Persistence
from local_cloud.services import SERVICES
from local_cloud.settings import HOST, Settings

log = logging.getLogger("local_cloud.server")

#: How long a stop waits for requests in work, in seconds.
PATIENCE = 5.0


def create_app(cloud: Cloud) -> Any:
    """The WSGI application: state read back, our services installed, moto for the rest."""
    os.environ["MOTO_ACCOUNT_ID"] = cloud.settings.account_id
    cloud.persistence.load()
    for name in SERVICES:
        importlib.import_module(f"local_cloud.services.{name}").install(cloud)
    cache = cloud.settings.state_dir / "cache"
    cloud.route(caches.PATH, lambda body: caches.respond(cache, cloud.cache_users, body))
    cloud.on_start(cloud.upkeep.start)
    cloud.on_stop(cloud.upkeep.stop)
    from local_cloud.gateway import Gateway

    return Gateway(cloud)


def serve(settings: Settings, *, detached: bool = False) -> None:
    """Serve until SIGTERM or Ctrl-C.

    `detached`: log to the state folder's own file. PortInUse, StateInUse, StateUnusable before anything changed.
    """
    os.umask(UMASK)  # of the jobs and functions it starts, too
    try:
        with lifetime.holding(settings), _listen(settings.port) as listener:
            check_room(settings.state_dir)
            _log_to(settings, detached=detached)
            _forget_the_users_aws()
            cloud = Cloud(settings, Persistence(settings.state_dir / "control-plane"))
            _serve(cloud, listener, detached=detached)
    except (OSError, StateNotSaved) as error:
        raise unwritable(settings.state_dir, error) from error


def _serve(cloud: Cloud, listener: socket.socket, *, detached: bool) -> None:
    from local_cloud.httpd import Server

    server = Server(listener, create_app(cloud))

    def stop(signum: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="accept")
    thread.start()
    try:
        for hook in cloud.start_hooks:
            hook()
        lifetime.announce(cloud.settings)
        log.info("serving %s from %s", cloud.settings.endpoint, cloud.settings.state_dir)
        if detached:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads it any more
        while thread.is_alive():
            # Not one long wait: a signal that the kernel gives to another thread does not wake this one, and only
            # this one runs its handler.
            thread.join(0.5)
    finally:
        server.shutdown()
        server.server_close()
        cloud.persistence.saving.stop()  # nobody waits for a full disk any longer
        if not server.wait_idle(PATIENCE):
            log.warning("stopping although requests are still in work")
        for hook in reversed(cloud.stop_hooks):
            try:
                hook()
            except Exception:  # one service must not keep the others from stopping
                log.exception("a service did not stop in good order")
        cloud.persistence.close()
        lifetime.withdraw(cloud.settings)
        log.info("stopped")


def _listen(port: int) -> socket.socket:
    """Bind the loopback port before anything slow is imported. PortInUse when it is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise PortInUse(f"Port {port} cannot be used: {error.strerror}. Choose another port.") from error
        holder = ports.holder(port)
        by = f" by {holder}" if holder else ""
        raise PortInUse(f"Port {port} is in use{by}. Stop that, or choose another port.") from None
    return listener


def _log_to(settings: Settings, *, detached: bool) -> None:
    handler: logging.Handler = logging.StreamHandler()
    if detached:
        handler = logging.handlers.RotatingFileHandler(
            settings.state_dir / "local-cloud.log", maxBytes=1_000_000, backupCount=1, encoding="utf-8"
        )
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        handlers=[handler],
        force=True,
    )
    logging.raiseExceptions = False  # a line that a full disk does not take is lost, and nothing with it
    if detached:
        sys.stdout = sys.stderr = _Lines()  # what moto prints; the file's size stays bounded


class _Lines:
    """A text stream whose lines go to the log."""

    encoding = "utf-8"

    def write(self, text: str) -> int:
        if text.strip():
            logging.getLogger("output").info("%s", text.rstrip())
        return len(text)

    def flush(self) -> None:
        """Every line is out already."""

    def isatty(self) -> bool:
        return False


def _forget_the_users_aws() -> None:
    """Profiles, keys and endpoints of the user's shell are not for this process, nor for the jobs it starts."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
