"""Which file of a package imports which, read from the text: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Set
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Graph = Mapping[str, Set[str]]


def import_graph(package: Path) -> Graph:
    """Files, as paths in the package's folder, each with the files that it imports.

    Every import statement counts, wherever it stands: one under `if TYPE_CHECKING:` or in a function ties two files as
    one at the top does, as neither can be understood, or moved, without the other. What does not count: a module that
    is imported by a name made at run time, and the `__init__.py` of the folders that a module lies in.
    """
    files = {_module(file, package): file.relative_to(package).as_posix() for file in package.rglob("*.py")}
    return {
        path: {files[name] for name in _imports(package / path, module, known=files)} - {path}
        for module, path in files.items()
    }


def find_circle(graph: Graph) -> list[str]:
    """The files of a circle, where each imports the next and the last is the first; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _module(file: Path, package: Path) -> str:
    """The name that Python imports a file by."""
    inner = file.relative_to(package.parent).with_suffix("")
    return ".".join(inner.parent.parts if inner.name == "__init__" else inner.parts)


def _imports(file: Path, module: str, *, known: Mapping[str, str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            origin = _absolute(node, module, is_folder=file.name == "__init__.py")
            for alias in node.names:
                # `from package import module` imports the module, `from module import name` the module too.
                inner = f"{origin}.{alias.name}"
                if inner in known or origin in known:
                    yield inner if inner in known else origin


def _absolute(node: ast.ImportFrom, module: str, *, is_folder: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    folder = parts[: len(parts) - node.level + is_folder]
    return ".".join([*folder, *filter(None, [node.module])])
