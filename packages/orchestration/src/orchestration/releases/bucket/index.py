"""A package index as objects in the artifact bucket: `simple/<project>/`, in HTML (PEP 503) and JSON (PEP 691).

Links are relative, from `simple/<project>/` to the wheels where they were published, so that the pages hold wherever
the bucket is reached: by `elt release serve`, a synced copy, or a distribution in front of it.
https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError
from packaging.utils import canonicalize_name, parse_wheel_filename

from orchestration.releases.bucket.store import Store
from orchestration.releases.building.manifest import WHEELHOUSE, Release

FOLDER = "simple"
HTML, JSON = "index.html", "index.json"
CONTENT_TYPES = {HTML: "text/html; charset=utf-8", JSON: "application/vnd.pypi.simple.v1+json"}

Pages = dict[str, bytes]


@dataclass(frozen=True)
class File:
    """A published wheel in the bucket."""

    key: str
    sha256: str

    @property
    def name(self) -> str:
        return _name(self.key)


def refresh(store: Store, release: Release) -> None:
    """Rewrite the pages of a release's projects, and the list of projects, from what the bucket holds."""
    projects = sorted({_project(key) for key in release.objects if key.endswith(".whl")})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda project: _rewrite(store, f"{FOLDER}/{project}/", partial(_of, store, project)), projects))
    _rewrite(store, f"{FOLDER}/", lambda: root_pages(_projects(store)))


def project_pages(project: str, files: Iterable[File]) -> Pages:
    """Return the two pages of a project."""
    files = sorted(files, key=lambda file: file.key)
    links = [(f"../../{file.key}#sha256={file.sha256}", file.name) for file in files]
    document = {
        "meta": {"api-version": "1.0"},
        "name": project,
        "files": [
            {"filename": file.name, "url": f"../../{file.key}", "hashes": {"sha256": file.sha256}} for file in files
        ],
    }
    return {HTML: _html(f"Links for {project}", links), JSON: _json(document)}


def root_pages(projects: Iterable[str]) -> Pages:
    """Return the two pages that list the projects."""
    projects = sorted(projects)
    document = {"meta": {"api-version": "1.0"}, "projects": [{"name": project} for project in projects]}
    return {HTML: _html("Simple index", [(f"{project}/", project) for project in projects]), JSON: _json(document)}


def files_of(store: Store, project: str) -> list[File]:
    """List the wheels of a project that are published."""
    keys = [key for prefix in (project, WHEELHOUSE) for key, _ in store.keys(f"{prefix}/") if _is_published(key)]
    mine = [key for key in keys if _project(key) == project]
    return [File(key, digest or "") for key, digest in store.checksums(mine).items()]


def _of(store: Store, project: str) -> Pages:
    """Return a project's pages as they should be now."""
    return project_pages(project, files_of(store, project))


def _projects(store: Store) -> set[str]:
    return {key.split("/")[1] for key, _ in store.keys(f"{FOLDER}/") if key.count("/") == 2}


def _rewrite(store: Store, prefix: str, pages: Callable[[], Pages]) -> None:
    """Write a folder's pages where they differ from what is there.

    Publishers at the same time lose no file: the bucket is listed after a page's ETag is read, and the page is only
    replaced (`If-Match`) while it has that ETag; else it is all done again.
    """
    for name in (HTML, JSON):
        while not _replace(store, prefix + name, lambda name=name: pages()[name], CONTENT_TYPES[name]):  # type: ignore[misc]
            pass


def _replace(store: Store, key: str, wanted: Callable[[], bytes], content_type: str) -> bool:
    """Write an object unless it is the same; False where somebody else wrote it in the meantime."""
    try:
        there = store.s3.get_object(Bucket=store.bucket, Key=key)
        body, condition = there["Body"].read(), {"IfMatch": there["ETag"]}
    except store.s3.exceptions.NoSuchKey:
        body, condition = None, {"IfNoneMatch": "*"}
    new = wanted()
    if new == body:
        return True
    try:
        store.s3.put_object(Bucket=store.bucket, Key=key, Body=new, ContentType=content_type, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict"):
            return False
        raise
    return True


def _is_published(key: str) -> bool:
    """Whether a key is a wheel of the wheelhouse, or of a package under its own version."""
    folder, name = key.rsplit("/", 1)
    if not name.endswith(".whl"):
        return False
    return folder == WHEELHOUSE or folder == f"{_project(key)}/{parse_wheel_filename(name)[1]}"


def _project(key: str) -> str:
    return canonicalize_name(parse_wheel_filename(_name(key))[0])


def _name(key: str) -> str:
    return key.rsplit("/", 1)[-1]


def _html(title: str, links: Iterable[tuple[str, str]]) -> bytes:
    lines = "".join(f'    <a href="{html.escape(address)}">{html.escape(text)}</a><br>\n' for address, text in links)
    return f"""<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.0">
    <title>{html.escape(title)}</title>
  </head>
  <body>
{lines}  </body>
</html>
""".encode()


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
