"""Make a release of a checkout: build it, put its bytes into the artifact bucket, write its manifest last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestration import pipelines
from orchestration.releases import checkout, history, index, manifest, wheelhouse
from orchestration.releases.build import PACKAGES, Build, build_all
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store

#: What of a checkout a release is made of.
SOURCES = [*(f"packages/{name}" for name in PACKAGES), wheelhouse.LOCK.as_posix()]


def prepare(root: Path, out: Path, *, development: bool) -> tuple[Release, dict[str, Path]]:
    """Build the checkout at `root` into `out`: the release it is, and the files of it by their keys.

    Errors: PublishError; UsageError for a checkout that differs from its commit, unless it is for `development`.
    """
    commit = checkout.read(root, paths=SOURCES)
    if not development:
        checkout.require_clean(commit)
    builds = build_all(root, out)
    release = manifest.make(builds, commit, settings=_settings(root), development=development)
    return release, _files(release, builds)


def upload(store: Store, release: Release, files: Mapping[str, Path]) -> list[str]:
    """Put what the bucket does not hold yet; the keys that were new. Errors: PublishError.

    Keys are write-once: the same bytes again are fine, others under a published version are refused.
    """
    new = store.put_files(files)
    if not release.development:
        index.refresh(store, release)
    history.save_release(store, release)
    return new


def _files(release: Release, builds: Mapping[str, Build]) -> dict[str, Path]:
    own = {
        release.packages[name].key(file): path for name, build in builds.items() for file, path in build.files.items()
    }
    others = {f"{manifest.WHEELHOUSE}/{one.file}": one.path for build in builds.values() for one in build.modules}
    return own | others


def _settings(root: Path) -> dict[str, str]:
    """The parameters that the pipelines of a checkout bring to their stack."""
    folder = root / "packages" / "orchestration" / "src" / "orchestration" / "pipelines"
    return {name: value for one in pipelines.all_pipelines(folder) for name, value in one.stack_parameters.items()}
