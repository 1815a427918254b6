"""Build every package's wheel and gather what is published beside it: entry script, definitions, SQL, stacks, bill."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from orchestration import stacks
from orchestration.errors import PublishError, UsageError
from orchestration.pipelines import asl, sql
from orchestration.releases.building import sbom, wheelhouse
from orchestration.releases.building.wheels import Wheel, closure

#: Every package, in the order they are listed to people: those whose artifacts AWS runs, then what people install.
PACKAGES = ("glue-ingest", "glue-transform", "rs-query", "trigger", "orchestration", "local-cloud")
#: Extras that a package's job takes.
EXTRAS = {"glue-transform": ("duckdb",)}
#: Where the packages' folder has the datasets, whose columns are written into the SQL.
DATASETS = "glue-transform/src/glue_transform/datasets"
SUMS = "SHA256SUMS"
SBOM = "sbom.cdx.json"


@dataclass(frozen=True)
class Build:
    """One package as built. `files` maps the name under the package's prefix to the file on disk.

    `modules` are the wheels that a job installs before the package's own, in that order.
    """

    package: str
    version: str
    files: dict[str, Path]
    modules: tuple[Wheel, ...] = ()

    @cached_property
    def digests(self) -> dict[str, str]:
        """The sha256 of each file."""
        return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in self.files.items()}

    @property
    def digest(self) -> str:
        """The sha256 over all names and contents: two builds of the same tree have the same."""
        return hashlib.sha256(_sums(self.digests)).hexdigest()


def build_all(root: Path, out: Path, *, only: Collection[str] = PACKAGES) -> dict[str, Build]:
    """Build the packages of the checkout at `root` into `out`.

    There is a folder for each, and one for the wheelhouse. Errors: PublishError; UsageError for a package there is not.
    """
    if unknown := [name for name in only if name not in PACKAGES]:
        raise UsageError(f"there is no package {unknown[0]!r} to release; there are: {', '.join(PACKAGES)}")
    wanted = [name for name in PACKAGES if name in only]
    with ThreadPoolExecutor(max_workers=3) as pool:
        house = pool.submit(wheelhouse.fetch, root)
        wheels = [*pool.map(lambda name: build_wheel(root / "packages" / name, out / name), wanted)]
    builds = {
        name: gather(root / "packages" / name, wheel, out=out / name, house=house.result())
        for name, wheel in zip(wanted, wheels, strict=True)
    }
    modules = {wheel.file: wheel.path for build in builds.values() for wheel in build.modules}
    (out / "wheelhouse").mkdir(parents=True, exist_ok=True)
    for file, path in modules.items():
        shutil.copyfile(path, out / "wheelhouse" / file)
    return builds


def gather(package: Path, wheel: Wheel, *, out: Path, house: dict[str, Wheel]) -> Build:
    """Put beside the wheel in `out` all that is published with it."""
    scripts = sorted((package / "glue").glob("*.py"))
    extras = EXTRAS.get(package.name, ())
    modules = closure(wheel, extras, house) if scripts else []
    source = package / "src" / "orchestration"
    texts = {script.name: script.read_bytes() for script in scripts}
    for name, file in asl.find(source / "pipelines").items():
        texts[f"pipelines/{name}"] = asl.read(file).encode()
    if source.is_dir():
        for name, text in sql.render_all(source / "pipelines", package.parent / DATASETS).items():
            texts[f"pipelines/{name}"] = text.encode()
        texts |= {f"stacks/{name}.yaml": body.encode() for name, body in stacks.templates(source).items()}
    texts[SBOM] = sbom.write(wheel, extras, sorted(modules, key=lambda module: module.name))
    for name, body in texts.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(body)
    files = {wheel.file: wheel.path} | {name: out / name for name in texts}
    digests = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}
    (out / SUMS).write_bytes(_sums(digests))
    return Build(package.name, wheel.version, files | {SUMS: out / SUMS}, tuple(modules))


def build_wheel(package: Path, out: Path) -> Wheel:
    """Build a wheel by hatchling, hatch's own backend, in this process. Errors: PublishError."""
    from hatchling.builders.wheel import WheelBuilder

    try:
        (wheel,) = WheelBuilder(str(package)).build(directory=str(out), versions=["standard"])
    except Exception as error:
        raise PublishError(f"the wheel of {package.name} could not be built: {error}") from error
    return Wheel(Path(wheel))


def _sums(digests: dict[str, str]) -> bytes:
    """Write digests as sha256sum writes and checks them."""
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items())).encode()
