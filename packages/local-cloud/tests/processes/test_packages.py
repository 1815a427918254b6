from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from local_cloud.permissions.errors import AccessDenied
from local_cloud.processes.errors import PackageError
from local_cloud.processes.interpreters import Interpreter
from local_cloud.processes.packages import Packages


class Objects(dict):
    """S3 as far as `Packages` reads it."""

    def read(self, bucket: str, key: str) -> bytes:
        return self[bucket, key]


def allow(resource: str) -> None:
    """Whoever reads may read."""


def zipped(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return body.getvalue()


def wheel(folder: Path, name: str, *requires: str, tag: str = "py3-none-any", python: str = "", **files: str) -> Path:
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    lines += f"Requires-Python: {python}\n" if python else ""
    path = folder / f"{name}-1.0-{tag}.whl"
    metadata = {f"{name}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\n{lines}"}
    path.write_bytes(zipped({**metadata, **files}))
    return path


def test_a_wheel_is_unpacked_with_what_its_build_put_apart(tmp_path):
    python39 = Interpreter(Path("python"), "3.9.18")
    built = wheel(tmp_path, "one", **{"one.py": "1", "one-1.0.data/purelib/two.py": "2"})
    folder = Packages(tmp_path / "cache", Objects()).unpack_wheel(built, python=python39)
    assert ((folder / "one.py").read_text(), (folder / "two.py").read_text()) == ("1", "2")
    assert (folder / "one-1.0.dist-info" / "METADATA").exists()


@pytest.mark.parametrize(
    ("tag", "python", "version", "message"),
    [
        ("py3-none-any", ">=3.9", "3.9", None),
        ("py2.py3-none-any", "", "3.13", None),
        ("cp39-none-any", "", "3.9", None),
        ("py3-none-any", "!=3.9.0,!=3.9.1,>=3.8", "3.9", None),
        ("py3-none-any", ">=3.11", "3.9", "Package 'one' requires a different Python: 3.9.18 not in '>=3.11'"),
        ("py2-none-any", "", "3.9", "one-1.0-py2-none-any.whl is not a supported wheel on this platform"),
        ("cp310-none-any", "", "3.9", "is not a supported wheel on this platform, for Python 3.9"),
        ("cp39-cp39-win_amd64", "", "3.9", "is not a supported wheel on this platform, for Python 3.9"),
    ],
)
def test_a_wheel_fits_a_python_or_it_is_said(tmp_path, tag, python, version, message):
    packages = Packages(tmp_path / "cache", Objects())
    built = wheel(tmp_path, "one", tag=tag, python=python)
    interpreter = Interpreter(Path("python"), f"{version}.18")
    if message is None:
        assert packages.unpack_wheel(built, python=interpreter).is_dir()
        return
    with pytest.raises(PackageError) as raised:
        packages.unpack_wheel(built, python=interpreter)
    assert message in str(raised.value)


def test_a_file_keeps_its_name_and_is_found_again_by_its_content(tmp_path):
    objects = Objects({("b", "k/job.py"): b"one", ("b", "copy/job.py"): b"one"})
    packages = Packages(tmp_path, objects)
    first = packages.fetch("s3://b/k/job.py", allow=allow)
    assert (first.name, first.read_bytes()) == ("job.py", b"one")
    assert packages.fetch("s3://b/copy/job.py", allow=allow) == first
    objects["b", "k/job.py"] = b"two"
    second = packages.fetch("s3://b/k/job.py", allow=allow)
    assert (first.read_bytes(), second.read_bytes()) == (b"one", b"two")


@pytest.mark.parametrize("uri", ["job.py", "s3://b", "s3://b/", "s3:///k", "s3://b/folder/", "https://b/k"])
def test_what_is_no_location_of_a_file_is_said(tmp_path, uri):
    with pytest.raises(PackageError, match="is not the S3 location of a file"):
        Packages(tmp_path, Objects()).fetch(uri, allow=allow)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(PackageError, match="s3://b/k does not exist"):
        Packages(tmp_path, Objects()).fetch("s3://b/k", allow=allow)


def test_what_may_not_be_read_is_said(tmp_path):
    def refuse(resource: str) -> None:
        raise AccessDenied(f"the role may not s3:GetObject on {resource}")

    packages = Packages(tmp_path, Objects({("b", "k"): b"secret"}))
    with pytest.raises(PackageError) as raised:
        packages.fetch("s3://b/k", allow=refuse)
    assert str(raised.value) == "s3://b/k may not be read: the role may not s3:GetObject on arn:aws:s3:::b/k"
    assert list(tmp_path.rglob("k")) == []


def test_a_zip_is_unpacked_once_and_whole(tmp_path):
    packages = Packages(tmp_path, Objects())
    folder = packages.unzip(zipped({"a.py": "1", "b/c.py": "2"}))
    assert sorted(str(p.relative_to(folder)) for p in folder.rglob("*.py")) == ["a.py", "b/c.py"]
    assert packages.unzip(zipped({"a.py": "1", "b/c.py": "2"})) == folder
    with pytest.raises(PackageError, match="the code is not a zip file"):
        packages.unzip(b"no zip")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name], "nothing half-done is left"


def test_a_zip_cannot_write_outside_its_folder(tmp_path):
    folder = Packages(tmp_path / "cache", Objects()).unzip(zipped({"../../../evil.py": "1"}))
    assert [p.name for p in tmp_path.rglob("evil.py")] == ["evil.py"]
    assert (folder / "evil.py").exists()
