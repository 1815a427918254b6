"""Scripts, wheels and zips from S3, kept in the cache by what they contain, never by name alone."""

from __future__ import annotations

import hashlib
import io
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from packaging.specifiers import SpecifierSet

from local_cloud.objects import Objects
from local_cloud.permissions.errors import AccessDenied
from local_cloud.processes import wheels
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
        target = self.folder / "files" / digest(body) / Path(key).name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{secrets.token_hex(4)}.part")
            part.write_bytes(body)
            part.replace(target)
        return target

    def unzip(self, archive: Path | bytes) -> Path:
        """The content of a zip (a fetched file, or bytes) as a folder. PackageError when it is not a zip."""

        def extract(folder: Path) -> None:
            try:
                with zipfile.ZipFile(io.BytesIO(archive) if isinstance(archive, bytes) else archive) as opened:
                    opened.extractall(folder)
            except zipfile.BadZipFile as error:
                name = "the code" if isinstance(archive, bytes) else archive.name
                raise PackageError(f"{name} is not a zip file ({error})") from None

        if isinstance(archive, Path) and archive.is_relative_to(self.folder / "files"):
            return self._once(archive.parent.name, extract)
        return self._once(digest(archive if isinstance(archive, bytes) else archive.read_bytes()), extract)

    def unpack_wheel(self, wheel: Path, *, python: Interpreter) -> Path:
        """One wheel, without its dependencies, as a folder for sys.path.

        PackageError, in pip's words, for a wheel that this Python could not install.
        """
        if not wheels.fits(wheel, python.version):
            raise PackageError(f"{wheel.name} is not a supported wheel on this platform, for Python {python.version}")
        metadata = wheels.metadata(wheel)
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


def digest(body: bytes) -> str:
    """The name of what a file holds, in the cache."""
    return hashlib.sha256(body).hexdigest()[:20]
