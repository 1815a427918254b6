"""What the package promises: its names, its documentation, its Python."""

import ast
import inspect
from pathlib import Path

import pytest

import glue_ingest
from glue_ingest import arguments, errors

PACKAGE = Path(__file__).resolve().parents[1]
MODULES = [*sorted((PACKAGE / "src" / "glue_ingest").rglob("*.py")), PACKAGE / "glue" / "ingest_raw.py"]


def test_the_public_names() -> None:
    assert glue_ingest.__all__ == ["Log", "Outcome", "Request", "ingest", "main"]
    assert all(inspect.getdoc(getattr(glue_ingest, name)) for name in glue_ingest.__all__)


def test_the_readme_tells_of_every_argument_error_and_metadata_key() -> None:
    readme = (PACKAGE / "README.md").read_text(encoding="utf-8")
    classes = [name for name, kind in vars(errors).items() if inspect.isclass(kind)]
    keys = ("source-url", "source-etag", "source-last-modified", "execution", "rows")
    told = [*(f"--{name}" for name in arguments.OPTIONS), *classes, *keys, arguments.TLC_URL]
    assert [name for name in told if f"`{name}" not in readme] == []


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawn = [line for line in (errors.__doc__ or "").splitlines() if "──" in line]
    classes = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}
    names = {line.replace("│", " ").split("── ")[1].split()[0]: line.index("──") for line in drawn}
    assert set(names) == set(classes) - {"IngestError"}
    depths = sorted(set(names.values()))
    for name, indent in names.items():
        assert len(classes[name].__mro__) == len(errors.IngestError.__mro__) + 1 + depths.index(indent)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_every_module_is_python_3_9(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"), feature_version=(3, 9))
    unions = [n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.BitOr)]
    futures = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module == "__future__"]
    assert futures or not unions, "X | Y in an annotation needs `from __future__ import annotations` before 3.10"
