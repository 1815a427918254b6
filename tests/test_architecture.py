"""The rules of the house that no type checker knows."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from laptop import BIN, ROOT

MODULES = {
    "glue-ingest": "glue_ingest",
    "glue-transform": "glue_transform",
    "rs-query": "rs_query",
    "trigger": "trigger",
    "orchestration": "orchestration",
    "local-cloud": "local_cloud",
}
#: Who may import whom: orchestration runs SQL through rs_query, and only `elt local` starts local_cloud.
ALLOWED = {("orchestration", "rs_query"): None, ("orchestration", "local_cloud"): "cli/local.py"}


def imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("package", MODULES)
def test_nobody_imports_a_sibling(package: str) -> None:
    source = ROOT / "packages" / package / "src" / MODULES[package]
    for file in source.rglob("*.py"):
        for sibling in imports(file) & (set(MODULES.values()) - {MODULES[package]}):
            where = file.relative_to(source).as_posix()
            assert (package, sibling) in ALLOWED, f"{where} imports {sibling}"
            assert ALLOWED[package, sibling] in (None, where), f"{where} imports {sibling}"


@pytest.mark.parametrize("package", ["glue-ingest", "glue-transform", "rs-query", "trigger"])
def test_jobs_need_no_more_than_python_3_9(package: str) -> None:
    """The Glue Python Shell runs 3.9 and nothing newer; vermin knows when each piece of syntax and library came."""
    checked = subprocess.run(
        [
            *(str(BIN / "vermin"), "--target=3.9-", "--violations", "--no-tips"),
            *(str(folder) for folder in (ROOT / "packages" / package).iterdir() if folder.name in ("src", "glue")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("package", MODULES)
def test_every_package_is_complete(package: str) -> None:
    folder = ROOT / "packages" / package
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", f"src/{MODULES[package]}/py.typed"):
        assert (folder / name).is_file(), name
    assert list((folder / "tests").rglob("test_*.py"))
