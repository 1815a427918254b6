"""The rules of the house that no type checker knows."""

from __future__ import annotations

import ast
import itertools
import subprocess
from pathlib import Path

import pytest

from import_graph import find_circle, import_graph
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
    source = source_of(package)
    for file in source.rglob("*.py"):
        for sibling in imports(file) & (set(MODULES.values()) - {MODULES[package]}):
            where = file.relative_to(source).as_posix()
            assert (package, sibling) in ALLOWED, f"{where} imports {sibling}"
            assert ALLOWED[package, sibling] in (None, where), f"{where} imports {sibling}"


@pytest.mark.parametrize("package", MODULES)
def test_no_imports_form_a_circle(package: str) -> None:
    circle = find_circle(import_graph(source_of(package)))
    assert not circle, ", ".join(f"{one} imports {other}" for one, other in itertools.pairwise(circle))


def source_of(package: str) -> Path:
    return ROOT / "packages" / package / "src" / MODULES[package]


#: What any service may use of another: where logs, metrics and events go.
SHARED = ("logs", "cloudwatch", "events")
#: The arrow that the rules below forbid and that is still there. This only gets shorter.
REMAINING = {("recovery.py", "services/redshift/engine/warehouse.py")}
#: Who starts services, and offers the command of one.
COMPOSERS = ("server.py", "cli.py", "__init__.py")


def rule_against(importer: str, imported: str) -> str:
    """Why a file of local-cloud may not import another one; empty where it may."""
    mine, other = service_of(importer), service_of(imported)
    if other and mine != other and other not in SHARED and importer not in COMPOSERS:
        return "a service reaches another by its API" if mine else "what serves all services knows none of them"
    return rule_of_redshift(*(path.removeprefix("services/redshift/") for path in (importer, imported)))


def service_of(path: str) -> str:
    parts = Path(path).with_suffix("").parts
    return parts[1] if parts[0] == "services" and len(parts) > 1 else ""


def rule_of_redshift(importer: str, imported: str) -> str:
    """`sql` reads statements, `engine` runs them, `data_api` and `serverless` are how they come in."""
    if importer.startswith("sql/") and imported.startswith(("engine/", "data_api/", "serverless/")):
        return "sql is below the engine"
    if importer.startswith("engine/") and imported.startswith(("data_api/", "serverless/")):
        return "the engine knows no API"
    runs = ("engine/executor.py", "engine/commands.py", "engine/session.py")
    if importer.startswith("engine/") and importer not in runs and imported in runs:
        return "a handler knows the Context that it runs in, and not what runs it"
    return ""


def test_arrows_of_the_local_cloud_keep_its_rules() -> None:
    graph = import_graph(source_of("local-cloud"))
    forbidden = {
        (importer, imported): rule
        for importer, files in graph.items()
        for imported in files
        if (rule := rule_against(importer, imported))
    }
    wrong = [
        f"{one} imports {other}: {rule}" for (one, other), rule in forbidden.items() if (one, other) not in REMAINING
    ]
    assert not wrong, "\n".join(wrong)
    gone = REMAINING - forbidden.keys()
    assert not gone, f"no longer there, so take it out of REMAINING: {sorted(gone)}"


def test_only_commands_and_their_entry_point_know_commands() -> None:
    graph = import_graph(source_of("orchestration"))
    wrong = [
        f"{importer} imports {imported}"
        for importer, files in graph.items()
        for imported in files
        if imported.startswith("cli/") and not importer.startswith(("cli/", "entry.py"))
    ]
    assert not wrong, "\n".join(wrong)


#: The rooms of releases/, each of which may import those before it.
ROOMS = ("building", "bucket", "environment")


def test_a_release_goes_one_way_from_building_to_bucket_to_environment() -> None:
    wrong = [
        f"{importer} imports {imported}"
        for importer, files in import_graph(source_of("orchestration")).items()
        for imported in files
        if room_of(importer) and room_of(imported) and ROOMS.index(room_of(imported)) > ROOMS.index(room_of(importer))
    ]
    assert not wrong, "\n".join(wrong)


def room_of(path: str) -> str:
    """The room of a file of orchestration, "" for one outside of releases/. Errors: ValueError for one in no room."""
    parts = Path(path).parts
    if parts[0] != "releases" or parts == ("releases", "__init__.py"):
        return ""
    return ROOMS[ROOMS.index(parts[1])]


def test_a_release_is_built_without_aws() -> None:
    building = source_of("orchestration") / "releases" / "building"
    asking = [file.name for file in building.glob("*.py") if imports(file) & {"boto3", "botocore"}]
    assert not asking


@pytest.mark.parametrize(
    ("modules", "circle"),
    [
        pytest.param({"a": "from package import b", "b": ""}, [], id="none"),
        pytest.param({"a": "import package.b", "b": "from package.a import x"}, ["a.py", "b.py"], id="names"),
        pytest.param(
            {"a": "def f():\n    from package import b", "b": "from . import a"}, ["a.py", "b.py"], id="in a function"
        ),
        pytest.param(
            {"a": "if TYPE_CHECKING:\n    from .b import B", "b": "from .a import A"}, ["a.py", "b.py"], id="for types"
        ),
        pytest.param(
            {"a": "from .inner import f", "inner/__init__": "from .c import f", "inner/c": "from ..a import x"},
            ["a.py", "inner/__init__.py", "inner/c.py"],
            id="through a folder",
        ),
        pytest.param({"inner/__init__": "from .c import f", "inner/c": "import os"}, [], id="a folder and its file"),
    ],
)
def test_a_circle_is_found_wherever_its_imports_stand(
    modules: dict[str, str], circle: list[str], tmp_path: Path
) -> None:
    for name, text in {"__init__": "", **modules}.items():
        file = tmp_path / "package" / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    found = find_circle(import_graph(tmp_path / "package"))
    assert sorted(set(found)) == circle
    assert len(found) == len(circle) + bool(circle)


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
