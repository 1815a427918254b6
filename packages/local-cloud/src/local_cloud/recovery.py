"""Sets aside what cannot be read of a state folder, so that the rest of it can be used again.

Objects, tables, mail and histories stand each for itself. The control planes do not: a stack says that its roles and
buckets are there. So one of them that cannot be read takes all of them along; what was deployed is deployed again.
Nothing is deleted: everything lies under `set-aside/`, by the time it was moved there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from local_cloud import lifetime, persistence
from local_cloud.database import Database
from local_cloud.errors import CommitsLost, StateUnusable
from local_cloud.files import set_aside
from local_cloud.inventory import is_history
from local_cloud.services.redshift.engine.warehouse import Warehouse
from local_cloud.settings import Settings

#: What helps after a file was set aside, by the end of its name.
_NEXT = {".duckdb": ". Load its tables again", "catalog.sqlite": ". The objects themselves are kept"}
_GOES_ON = "Goes on without them: load or make again what they held"


@dataclass(frozen=True)
class Damage:
    """One file that cannot be read, or lacks its last commits."""

    file: Path
    error: StateUnusable


def find(settings: Settings) -> list[Damage]:
    """Read every file once. Nobody else may work on the folder."""
    state = settings.state_dir
    control, catalog = state / "control-plane", state / "s3" / ".local-cloud"
    warehouse = _warehouse(state)
    found = [
        *_damages(persistence.files(control), persistence.read),
        *_damages(_databases(catalog) + _databases(control), _check_database),
        *_damages(warehouse.files(), warehouse.check),
    ]
    warehouse.close()
    return found


def recover(settings: Settings) -> list[str]:
    """Set aside what is damaged. One line for each thing done; none where nothing is wrong. StateInUse, OSError."""
    state, control = settings.state_dir, settings.state_dir / "control-plane"
    if not state.is_dir():
        return []
    with lifetime.holding(settings):
        damages = find(settings)
        fatal = [d for d in damages if d.file.parent == control and not (_is_lost(d) or is_history(d.file))]
        lines = [_recover_one(state, damage) for damage in damages if not (fatal and damage.file.parent == control)]
        if fatal:
            problems = "; ".join(damage.error.problem for damage in fatal)
            place = set_aside(state, control)
            lines.append(f"{problems}. All control planes are set aside as {place}. {persistence.DEPLOY_AGAIN}")
        return lines


def _recover_one(state: Path, damage: Damage) -> str:
    file, error = damage.file, damage.error
    if isinstance(error, CommitsLost):
        error.accept()
        return f"{error.problem}. {_GOES_ON}"
    log = file.with_name(f"{file.name}.wal")
    if file.suffix == ".duckdb" and log.exists():
        place = set_aside(state, log)
        (*left,) = _damages([file], _warehouse(state).check)
        if all(map(_is_lost, left)):
            for lost in left:
                _recover_one(state, lost)
            return f"{error.problem}. Its log is set aside as {place}. Goes on without it: load again what it held"
    step = next((step for end, step in _NEXT.items() if file.name.endswith(end)), "")
    return f"{error.problem}. Set aside as {set_aside(state, file)}{step}"


def _damages(files: Iterable[Path], read: Callable[[Path], object]) -> Iterator[Damage]:
    for file in files:
        try:
            read(file)
        except StateUnusable as error:
            yield Damage(file, error)


def _databases(folder: Path) -> list[Path]:
    """SQLite's files that are there, or were: their counters are left."""
    counters = {file.with_suffix("") for file in folder.glob("*.sqlite.commits")}
    return sorted({*folder.glob("*.sqlite"), *counters})


def _check_database(file: Path) -> None:
    database = Database(file, "")
    try:
        database.check()
    finally:
        database.close()


def _warehouse(state: Path) -> Warehouse:
    return Warehouse(state / "warehouse", temp_dir=state / "cache" / "warehouse")


def _is_lost(damage: Damage) -> bool:
    return isinstance(damage.error, CommitsLost)
