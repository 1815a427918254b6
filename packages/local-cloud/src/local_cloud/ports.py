"""Who listens on a port, as far as the system tells."""

from __future__ import annotations

import contextlib
from pathlib import Path

_LISTEN = "0A"


def holder(port: int) -> str:
    """ "name (pid 123)" of the process that listens on a TCP port, "" when that cannot be seen.

    proc(5): /proc/net/tcp has local address, state and inode; /proc/<pid>/fd has links to `socket:[inode]`.
    """
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == _LISTEN:
                    inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in inodes:
                        return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return ""
