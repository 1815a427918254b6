"""Assemble a release of a checkout: its bytes, and its manifest.

What is published need not be built by the same process: on machines that trust each other with nothing but the bytes,
`write_folder` leaves them in a folder, with the manifest as release.json, and `read_folder` takes them from there where
they are what it says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from orchestration import pipelines
from orchestration.errors import PublishError, UsageError
from orchestration.releases.building import checkout, manifest, wheelhouse
from orchestration.releases.building.build import PACKAGES, Build, build_all
from orchestration.releases.building.manifest import Release

#: What of a checkout a release is made of.
SOURCES = [*(f"packages/{name}" for name in PACKAGES), wheelhouse.LOCK.as_posix()]
#: The manifest in a folder that a release was built into.
MANIFEST = "release.json"


def assemble(root: Path, out: Path, *, development: bool) -> tuple[Release, dict[str, Path]]:
    """Build the checkout at `root` into `out`: the release it is, and the files of it by their keys.

    Errors: PublishError; UsageError for a checkout that differs from its commit, unless it is for `development`.
    """
    commit = checkout.read(root, paths=SOURCES)
    if not development:
        checkout.require_clean(commit)
    builds = build_all(root, out)
    release = manifest.make(builds, commit, settings=_settings(root), development=development)
    return release, _files(release, builds)


def write_folder(root: Path, out: Path) -> tuple[Release, dict[str, Build]]:
    """Build the checkout at `root` into `out`, to be published from there. Errors: PublishError.

    A checkout that differs from its commit is built, too; `read_folder` refuses what came of it.
    """
    builds = build_all(root, out)
    commit = checkout.read(root, paths=SOURCES)
    release = manifest.make(builds, commit, settings=_settings(root), development=False)
    (out / MANIFEST).write_text(json.dumps(release.as_json(), indent=2) + "\n", encoding="utf-8")
    return release, builds


def read_folder(folder: Path) -> tuple[Release, dict[str, Path]]:
    """Read the release that `write_folder` left in a folder, and its files by their keys.

    Errors: UsageError where there is none, or one of no commit; PublishError for a file without the manifest's sha256.
    """
    file = folder / MANIFEST
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no {file}: `elt release build --out {folder}` makes it") from None
    except ValueError as error:
        raise PublishError(f"{file} is no JSON ({error}): build it again") from error
    release = manifest.parse(document, where=str(file))
    if release.id != release.content_id:
        raise PublishError(f"{file} says {release.id}, and what it lists is {release.content_id}: build it again")
    if release.dirty or not release.commit:
        what = f"a changed checkout of commit {release.commit[:12]}" if release.commit else "no git checkout"
        raise UsageError(f"{release.id} in {folder} was built of {what}: commit, and build it again")
    files = {one.key(name): folder / package / name for package, one in release.packages.items() for name in one.files}
    files |= {key: folder / key for key in release.wheelhouse}
    for key, path in files.items():
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
        if found != release.objects[key]:
            raise PublishError(f"{path} is not what {file} says: sha256 {release.objects[key]}, found {found}")
    return release, files


def _files(release: Release, builds: Mapping[str, Build]) -> dict[str, Path]:
    own = {
        release.packages[name].key(file): path for name, build in builds.items() for file, path in build.files.items()
    }
    others = {f"{manifest.WHEELHOUSE}/{one.file}": one.path for build in builds.values() for one in build.modules}
    return own | others


def _settings(root: Path) -> dict[str, str]:
    """Return the parameters that the pipelines of a checkout bring to their stack."""
    folder = root / "packages" / "orchestration" / "src" / "orchestration" / "pipelines"
    return {name: value for one in pipelines.all_pipelines(folder) for name, value in one.stack_parameters.items()}
