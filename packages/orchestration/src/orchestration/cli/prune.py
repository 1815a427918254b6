"""`elt local prune` and `elt release prune`: what nothing needs any more goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.cli.options import print_json

if TYPE_CHECKING:
    from orchestration.releases.bucket.store import Store

#: Kinds of what is freed, beside local_cloud's own.
RELEASES, DOWNLOADS = "superseded development releases", "downloaded wheels that no checkout has used for 30 days"


def releases(store: Store, *, dry_run: bool) -> int:
    """Delete superseded development releases from the artifact bucket; the bytes freed, or to be freed.

    Errors: DeployError.
    """
    from orchestration import environments
    from orchestration.releases.bucket import pruning

    found = pruning.find_superseded(store, environments.names())
    if not dry_run:
        pruning.delete(store, found)
    return found.size


def downloads(size_of: Callable[[Path], int], *, dry_run: bool) -> int:
    """Delete superseded wheels from the user's cache; the bytes freed, or to be freed. `size_of` measures a folder."""
    import shutil

    from orchestration.project import find_root
    from orchestration.releases.building import wheelhouse

    freed = 0
    for folder in wheelhouse.find_superseded(find_root()):
        freed += size_of(folder)
        if not dry_run:
            shutil.rmtree(folder)
    return freed


def show(freed: Mapping[str, int], *, dry_run: bool, as_json: bool) -> None:
    """Print how much each kind freed."""
    from orchestration.progress import size

    if as_json:
        print_json({"dry_run": dry_run, "bytes": dict(freed)})
        return
    for kind, count in freed.items():
        click.echo(f"{size(count):>12}  {kind}")
    total = size(sum(freed.values()))
    click.echo(f"{total} would be freed" if dry_run else f"freed {total}", err=True)
