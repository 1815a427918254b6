"""What the package declares is all that the warehouse needs: tests bring more, which nobody's environment has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = '''
import importlib.abc, sys, tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

def closure(requirements, extras, seen):
    """The distributions that are asked for, and those that they ask for."""
    for line in requirements:
        wanted = Requirement(line)
        environments = [{"extra": extra} for extra in ("", *extras)]
        key = (canonicalize_name(wanted.name), frozenset(wanted.extras))
        if key in seen or (wanted.marker and not any(wanted.marker.evaluate(e) for e in environments)):
            continue
        seen.add(key)
        closure(distribution(wanted.name).requires or [], wanted.extras, seen)
    return {name for name, _ in seen}

project = tomllib.loads(Path(sys.argv[3]).read_text())["project"]
declared = closure(project["dependencies"], (), set()) | {"local-cloud"}
owners = {module: {canonicalize_name(d) for d in found} for module, found in packages_distributions().items()}

class Declared(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if "." not in name and owners.get(name) and not owners[name] & declared:
            raise ModuleNotFoundError(f"No module named {name!r}: not declared", name=name)

sys.meta_path.insert(0, Declared())

from local_cloud.services.redshift.engine.executor import Executor
from local_cloud.services.redshift.engine.services import CloudServices
from local_cloud.services.redshift.engine.session import Session
from local_cloud.services.redshift.engine.statement import Rows
from local_cloud.services.redshift.engine.warehouse import Warehouse

folder = Path(sys.argv[1])
services = CloudServices(objects=lambda role: None, glue=lambda role: None, first_database="dev", scratch=folder)
warehouse = Warehouse(folder / "warehouse", temp_dir=folder / "temp")
session = Session(warehouse, namespace="ns", database="dev", user="admin", services=services, process=1)
rows = Rows(1)
Executor(session).execute(sys.argv[2], query_id=1, sink=rows)
print(rows.rows[0])
'''

VALUES = (
    "1::smallint, 1::bigint, 1.5::numeric(3,1), 1.5::real, 1.5::float, true, 'a'::varchar(1), 'a'::char(2),"
    " date '2024-09-01', timestamp '2024-09-01 10:00:00', timestamptz '2024-09-01 10:00:00+00', time '10:00:00',"
    " timetz '10:00:00+00', interval '1 day', json_parse('{}'), 'a'::varbyte"
)


def test_a_result_of_every_type_needs_declared_packages_alone(tmp_path: Path) -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), f"select {VALUES}", str(project)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr == ""
    assert "datetime.datetime(2024, 9, 1, 10, 0, tzinfo=<UTC>)" in done.stdout
