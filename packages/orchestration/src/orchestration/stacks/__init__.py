"""The three stacks: their names, and the files that their templates are written in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestration.stacks import sharing, template

_PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stack:
    """One stack: its name in CloudFormation, and the files its template is written in, with what is `written` beside.

    `url` is where the template lies in S3; "" sends it with the request, which takes no more than 51,200 bytes.
    Items of lists are repeated for each of `datasets`.
    One that is `stateless` holds no data: whatever is left of it may be deleted, to be made again.
    """

    name: str
    files: tuple[Path, ...]
    url: str = ""
    stateless: bool = False
    written: str = ""
    datasets: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        return template.join(self.files, written=self.written, datasets=self.datasets)

    @property
    def outputs(self) -> list[str]:
        return template.entries(self.files, "Outputs")


@dataclass(frozen=True)
class Change:
    """One resource that a deployment would touch.

    `action` is Add, Modify or Remove; `resource` its name in the template, `kind` its type, `name` what it is called
    where it lives, "" if that is known only once it is there. Of a Modify, `properties` are those that change, and
    `replacement` is True, False or Conditional (CloudFormation finds out when it does it). `kept` is whether what
    is removed or replaced stays, no longer managed.
    """

    stack: str
    action: str
    resource: str
    kind: str
    name: str = ""
    replacement: str = "False"
    kept: bool = False
    properties: tuple[str, ...] = ()


def artifacts_stack() -> Stack:
    return Stack("elt-artifacts", _files("artifacts", _PACKAGE))


def data_stack(environment: str, *, url: str = "") -> Stack:
    datasets = sharing.list_datasets(_PACKAGE / "pipelines")
    return Stack(f"elt-{environment}-data", _files("data", _PACKAGE), url, datasets=datasets)


def pipelines_stack(environment: str, *, url: str = "") -> Stack:
    files, written = _files("pipelines", _PACKAGE), sharing.write_part(_PACKAGE / "pipelines")
    return Stack(f"elt-{environment}-pipelines", files, url, stateless=True, written=written)


def templates(package: Path) -> dict[str, str]:
    """Join each stack's template, by name, from the orchestration package's sources in a folder."""
    written = {"pipelines": sharing.write_part(package / "pipelines")}
    datasets = sharing.list_datasets(package / "pipelines")
    return {
        name: template.join(_files(name, package), written=written.get(name, ""), datasets=datasets)
        for name in ("artifacts", "data", "pipelines")
    }


def _files(name: str, package: Path) -> tuple[Path, ...]:
    """List what a template is written in: one file, or what pipelines share and then each pipeline's own."""
    folder = package / "stacks"
    if name != "pipelines":
        return (folder / f"{name}.yaml",)
    shared = sorted((folder / name).glob("*.yaml"), key=lambda file: (file.name != "stack.yaml", file.name))
    return (*shared, *sorted((package / "pipelines").glob("*/stack.yaml")))
