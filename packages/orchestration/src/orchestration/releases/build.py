"""Build every package's wheel and gather what is deployed beside it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import tomllib

from orchestration.errors import PublishError

#: Packages whose artifacts AWS runs, in the order they are listed to people.
PACKAGES = ("glue-ingest", "glue-transform", "rs-query", "trigger", "orchestration")


@dataclass(frozen=True)
class Build:
    """One package as built. `files` maps the name under the package's prefix to the file on disk.

    `digest` is the sha256 over all names and contents, so that two builds of the same tree are the same.
    """

    package: str
    version: str
    files: dict[str, Path]
    digest: str

    @property
    def prefix(self) -> str:
        """Where the files go in the artifact bucket. The digest keeps every build apart from the others."""
        return f"{self.package}/{self.version}-{self.digest[:12]}"

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    @property
    def wheel(self) -> str:
        """The wheel's key."""
        return self.key(next(name for name in self.files if name.endswith(".whl")))

    @property
    def script(self) -> str:
        """The Glue entry script's key; a package has at most one."""
        return self.key(next(name for name in self.files if name.endswith(".py")))


def build_all(root: Path, out: Path) -> dict[str, Build]:
    """Build every deployable package of the checkout at `root`, wheels into `out`. Errors: PublishError."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        builds = pool.map(lambda name: build(root / "packages" / name, out), PACKAGES)
        return {build.package: build for build in builds}


def build(package: Path, out: Path) -> Build:
    """Build one package folder. Errors: PublishError."""
    metadata = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = _build_wheel(package, out)
    files = {wheel.name: wheel}
    files |= {script.name: script for script in sorted((package / "glue").glob("*.py"))}
    pipelines = package / "src" / "orchestration" / "pipelines"
    files |= {
        f"pipelines/{file.relative_to(pipelines).as_posix()}": file
        for pattern in ("*/*.asl.json", "*/sql/*.sql")
        for file in sorted(pipelines.glob(pattern))
    }
    digest = hashlib.sha256()
    for name, file in files.items():
        digest.update(name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return Build(package=package.name, version=metadata["version"], files=files, digest=digest.hexdigest())


def _build_wheel(package: Path, out: Path) -> Path:
    """hatchling, hatch's own build backend, called in this process: no environment to make for each wheel."""
    from hatchling.builders.wheel import WheelBuilder

    try:
        (wheel,) = WheelBuilder(str(package)).build(directory=str(out / package.name), versions=["standard"])
    except Exception as error:
        raise PublishError(f"the wheel of {package.name} could not be built: {error}") from error
    return Path(wheel)
