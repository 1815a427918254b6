"""A release: which bytes of every package belong together. Made once, it is deployed, promoted and rolled back to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestration.errors import DeployError, UsageError
from orchestration.releases.building.build import Build
from orchestration.releases.building.checkout import Commit

#: Releases from before they were named by their content have the day of their commit in front.
_ID = re.compile(r"(dev|rel|\d{4}-\d\d-\d\d)-[0-9a-f]{12}")
WHEELHOUSE = "wheelhouse"
#: Of the document. A later `elt` may add to it: what is not known is not read. Other changes are another format.
_FORMAT = 1


@dataclass(frozen=True)
class Package:
    """One package of a release. `files` maps a name under `prefix`, in the artifact bucket, to its sha256.

    `modules` are the keys of the wheels that its job installs, in that order, its own last; () for what is no Glue job.
    """

    version: str
    prefix: str
    files: Mapping[str, str]
    modules: tuple[str, ...]

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}"

    @property
    def folder(self) -> str:
        """The version, in development with the digest."""
        return self.prefix.rsplit("/", 1)[-1]

    @property
    def wheel(self) -> str:
        """The wheel's key."""
        return self.key(next(name for name in self.files if name.endswith(".whl")))

    @property
    def script(self) -> str:
        """The Glue entry script's key; a package has at most one."""
        return self.key(next(name for name in self.files if name.endswith(".py")))

    def modules_in(self, bucket: str) -> str:
        """Write the modules as --additional-python-modules has them: S3 locations, with commas between."""
        return ",".join(f"s3://{bucket}/{key}" for key in self.modules)


@dataclass(frozen=True)
class Release:
    """`commit` is that of which it was first built, "" where there was no git; `dirty` where what was built differs
    from it. A `development` release is one that nobody published: it lies under keys of its own and is not promoted.

    `wheelhouse` maps the keys of other people's wheels to their sha256. `settings` are parameters of the pipelines
    stack that the pipelines themselves bring.
    """

    id: str
    commit: str
    dirty: bool
    development: bool
    packages: Mapping[str, Package]
    wheelhouse: Mapping[str, str]
    settings: Mapping[str, str]

    @property
    def content_id(self) -> str:
        """The id that it has by what it is made of: many commits are the same release."""
        content = {name: value for name, value in self.as_json().items() if name not in ("id", "commit", "dirty")}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
        return f"{'dev' if self.development else 'rel'}-{digest}"

    @property
    def objects(self) -> dict[str, str]:
        """Every object of the release in the artifact bucket: key and sha256."""
        own = {
            package.key(name): digest for package in self.packages.values() for name, digest in package.files.items()
        }
        return own | dict(self.wheelhouse)

    def parameters(self, bucket: str) -> dict[str, str]:
        """Return what the pipelines stack takes from a release in `bucket`: keys, modules and settings."""
        ingest, transform, query = (self.packages[name] for name in ("glue-ingest", "glue-transform", "rs-query"))
        return {
            "GlueIngestScript": ingest.script,
            "GlueIngestModules": ingest.modules_in(bucket),
            "GlueTransformScript": transform.script,
            "GlueTransformModules": transform.modules_in(bucket),
            "GlueTransformWheel": transform.wheel,
            "RsQueryScript": query.script,
            "RsQueryModules": query.modules_in(bucket),
            "TriggerWheel": self.packages["trigger"].wheel,
            "Code": self.packages["orchestration"].prefix,
            **self.settings,
        }

    def template(self, stack: str) -> str:
        """Return the key of a stack's template."""
        return self.packages["orchestration"].key(f"stacks/{stack}.yaml")

    def as_json(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "id": self.id,
            "commit": self.commit,
            "dirty": self.dirty,
            "development": self.development,
            "packages": {
                name: {
                    "version": one.version,
                    "prefix": one.prefix,
                    "files": dict(one.files),
                    "modules": list(one.modules),
                }
                for name, one in self.packages.items()
            },
            "wheelhouse": dict(self.wheelhouse),
            "settings": dict(self.settings),
        }


def make(builds: Mapping[str, Build], commit: Commit, *, settings: Mapping[str, str], development: bool) -> Release:
    """Return the release that these builds are. The same builds have the same id, whatever commit they are of.

    Published packages lie under `<package>/<version>/`. A development release leaves versions alone: its packages lie
    under `<package>/<version>-<digest>/`, so that a checkout is deployed as often as it changes.
    """
    packages = {}
    for name, build in builds.items():
        prefix = f"{name}/{build.version}" + (f"-{build.digest[:12]}" if development else "")
        own = [f"{prefix}/{next(file for file in build.files if file.endswith('.whl'))}"] if build.modules else []
        modules = (*(f"{WHEELHOUSE}/{wheel.file}" for wheel in build.modules), *own)
        packages[name] = Package(build.version, prefix, build.digests, modules)
    release = Release(
        id="",
        commit=commit.id,
        dirty=bool(commit.changed),
        development=development,
        packages=packages,
        wheelhouse={f"{WHEELHOUSE}/{one.file}": one.sha256 for build in builds.values() for one in build.modules},
        settings=settings,
    )
    return replace(release, id=release.content_id)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def check_id(text: str) -> str:
    """Return the text, if it can be a release's id. Errors: UsageError."""
    if not is_id(text):
        raise UsageError(f"{text!r} is not a release; `elt release list` names them, such as rel-3fa9c1d2e0b4")
    return text


def parse(document: Mapping[str, Any], *, where: str) -> Release:
    """Return a release from its manifest, which lies `where`.

    Errors: DeployError for one of another format, or of none.
    """
    if document.get("format") != _FORMAT:
        raise DeployError(
            f"{where} has the format {document.get('format')!r}, this elt reads {_FORMAT}: take the elt that wrote it"
        )
    try:
        return Release(
            id=document["id"],
            commit=document["commit"],
            dirty=document["dirty"],
            development=document["development"],
            packages={
                name: Package(one["version"], one["prefix"], one["files"], tuple(one["modules"]))
                for name, one in document["packages"].items()
            },
            wheelhouse=document["wheelhouse"],
            settings=document["settings"],
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise DeployError(
            f"{where} is no manifest of a release ({error!r}): find out who wrote it, and delete it"
        ) from error
