"""A copy of this working tree in a folder of its own, with an environment that has its code."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from laptop import BIN, ROOT


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def copy_checkout(target: Path) -> None:
    """What git knows of the working tree, or would if it were told; as one commit."""
    for path in filter(None, git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0")):
        if (ROOT / path).is_file():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, target / path)
    git(target, "init", "--quiet", "--initial-branch=main")
    git(target, "config", "user.name", "test")
    git(target, "config", "user.email", "test@example.com")
    commit(target)


def commit(folder: Path) -> str:
    """Commit all there is, and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    return git(folder, "rev-parse", "HEAD").strip()


def ready_environment(workspace: Path) -> None:
    """`.venv` as `make` would leave it, without an installation: this Python's packages, and the checkout's own code.

    The stamps that `make` goes by are set, so that its targets find the environment up to date.
    """
    if not (workspace / "Makefile").is_file():
        return
    venv = workspace / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (site,) = venv.glob("lib/python3.*/site-packages")
    (real,) = BIN.parent.glob("lib/python3.*/site-packages")
    sources = sorted(workspace.glob("packages/*/src"))
    (site / "checkout.pth").write_text("\n".join(map(str, [*sources, real])))
    for command in BIN.iterdir():
        target = venv / "bin" / command.name
        if target.exists() or not command.is_file():
            continue
        head, _, rest = command.read_bytes().partition(b"\n")
        if head == f"#!{BIN / 'python'}".encode() or head.startswith(f"#!{BIN}/python3".encode()):
            target.write_bytes(f"#!{venv / 'bin' / 'python'}\n".encode() + rest)
            target.chmod(0o755)
        else:
            target.symlink_to(command)
    for stamp in (".demo", ".dev"):
        (venv / stamp).touch()
