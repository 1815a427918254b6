"""Scripts, wheels and zips from S3, kept in the cache by what they contain, never by name alone."""

from __future__ import annotations

import functools
import hashlib
import re
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from local_cloud.authorization import AccessDenied
from local_cloud.objects import Objects
from local_cloud.processes.errors import PackageError
from local_cloud.processes.interpreters import Interpreter


class Packages:
    """The cache of one local cloud: `files/<digest>/<name>` as downloaded, `unpacked/<digest>/` as directories."""

    def __init__(self, folder: Path, objects: Objects) -> None:
        self.folder = folder
        self._objects = objects

    def fetch(self, uri: str, *, allow: Callable[[str], None]) -> Path:
        """The object at `s3://bucket/key` as a file with the key's own name.

        `allow` is asked about the object's ARN first. PackageError when that raises AccessDenied, or nothing is there.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket or not key or key.endswith("/"):
            raise PackageError(f"{uri!r} is not the S3 location of a file: give s3://bucket/key")
        try:
            allow(f"arn:aws:s3:::{bucket}/{key}")
            body = self._objects.read(bucket, key)
        except AccessDenied as error:
            raise PackageError(f"{uri} may not be read: {error}") from None
        except KeyError:
            raise PackageError(f"{uri} does not exist: upload it, or correct the location") from None
        target = self.folder / "files" / _digest(body) / Path(key).name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{secrets.token_hex(4)}.part")
            part.write_bytes(body)
            part.replace(target)
        return target

    def unzip(self, archive: Path | bytes) -> Path:
        """A zip's content as a folder. PackageError when it is not a zip."""
        body = archive if isinstance(archive, bytes) else archive.read_bytes()

        def extract(folder: Path) -> None:
            part = folder.with_suffix(".zip")
            part.write_bytes(body)
            try:
                with zipfile.ZipFile(part) as opened:
                    opened.extractall(folder)
            except zipfile.BadZipFile as error:
                name = "the code" if isinstance(archive, bytes) else archive.name
                raise PackageError(f"{name} is not a zip file ({error})") from None
            finally:
                part.unlink()

        return self._once(_digest(body), extract)

    def unpack_wheel(self, wheel: Path, *, python: Interpreter) -> Path:
        """One wheel, without its dependencies, as a folder for sys.path.

        PackageError, in pip's words, for a wheel that this Python could not install.
        """
        try:
            tags = parse_wheel_filename(wheel.name)[3]
        except InvalidWheelFilename:
            raise _no_wheel_name(wheel) from None
        if tags.isdisjoint(_supported_tags(python.version)):
            raise PackageError(f"{wheel.name} is not a supported wheel on this platform, for Python {python.version}")
        metadata = _metadata(wheel)
        wanted = metadata.get("Requires-Python", "")
        if not SpecifierSet(wanted).contains(python.release, prereleases=True):
            name = metadata["Name"]
            raise PackageError(f"Package {name!r} requires a different Python: {python.release} not in {wanted!r}")
        folder = self.unzip(wheel)
        for part in folder.glob("*.data/*lib"):  # purelib and platlib: where a build put modules apart
            shutil.copytree(part, folder, dirs_exist_ok=True)
        return folder

    def _once(self, name: str, fill: Callable[[Path], None]) -> Path:
        target = self.folder / "unpacked" / name
        if target.exists():
            return target
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
        try:
            fill(part)
            part.replace(target)
        except OSError:
            if not target.exists():  # else somebody else was faster, with the same content
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return target


def wheel_requirements(wheels: list[Path]) -> list[str]:
    """What pip would install beside these wheels: their declared dependencies, without those among themselves.

    Extras are left out, as nobody asked for them. PackageError for a file that is no wheel.
    """
    names = {_wheel_name(wheel) for wheel in wheels}
    wanted = [Requirement(line) for wheel in wheels for line in _metadata(wheel).get_all("Requires-Dist", [])]
    return [
        str(requirement)
        for requirement in wanted
        if canonicalize_name(requirement.name) not in names
        and not (requirement.marker and "extra" in str(requirement.marker))
    ]


def without_implied(requirements: list[str], *, pins: list[str]) -> list[str]:
    """The requirements that `pins` ("duckdb==1.4.5") do not fulfil already; those with conditions are all kept.

    So that jobs which pin the same versions share an environment, whatever their wheels ask for beside.
    """
    pinned = {}
    for pin in pins:
        if found := re.fullmatch(r"([\w.-]+)==([\w.]+)", pin):
            pinned[canonicalize_name(found[1])] = found[2]
    wanted = [Requirement(requirement) for requirement in requirements]
    return [
        str(r)
        for r in wanted
        if r.marker or r.extras or r.url or not _contains(r, pinned.get(canonicalize_name(r.name)))
    ]


def _contains(requirement: Requirement, version: str | None) -> bool:
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _wheel_name(wheel: Path) -> str:
    try:
        return parse_wheel_filename(wheel.name)[0]
    except InvalidWheelFilename:
        raise _no_wheel_name(wheel) from None


def _no_wheel_name(wheel: Path) -> PackageError:
    return PackageError(f"{wheel.name} is not a valid wheel filename: keep the name that the build gave it")


@functools.cache
def _supported_tags(python_version: str) -> frozenset[Tag]:
    """What wheels a CPython of that version takes on this machine."""
    major, minor = map(int, python_version.split("."))
    interpreter = f"cp{major}{minor}"
    return frozenset({*cpython_tags((major, minor)), *compatible_tags((major, minor), interpreter)})


def _metadata(wheel: Path) -> Message:
    try:
        with zipfile.ZipFile(wheel) as opened:
            name = next(n for n in opened.namelist() if n.endswith(".dist-info/METADATA") and n.count("/") == 1)
            return HeaderParser().parsestr(opened.read(name).decode("utf-8", "replace"))
    except (zipfile.BadZipFile, StopIteration):
        raise PackageError(f"{wheel.name} is not a wheel: build it again and upload it") from None


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:20]
