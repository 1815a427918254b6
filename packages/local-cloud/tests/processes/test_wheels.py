from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from local_cloud.processes import wheels
from local_cloud.processes.errors import PackageError
from local_cloud.processes.interpreters import Interpreter

PYTHON = Interpreter(Path("python"), "3.9.18")


def wheel(folder: Path, name: str, *requires: str) -> Path:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requires)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\n{lines}")
    return path


def test_a_wheels_requirements_are_its_own_for_its_python_without_extras_and_each_other(tmp_path):
    built = [
        wheel(tmp_path, "one", "two>=1", "boto3>=1.40", 'wire>=2; extra == "wire"'),
        wheel(tmp_path, "two", 'tomli; python_version < "3.11"'),
    ]
    for release, needed in (("3.9.18", ["boto3>=1.40", "tomli"]), ("3.11.7", ["boto3>=1.40"])):
        assert wheels.requirements(built, python=Interpreter(Path("python"), release)) == needed


def test_a_wheel_that_is_none_is_said(tmp_path):
    broken = tmp_path / "one-1.0-py3-none-any.whl"
    broken.write_bytes(b"no zip")
    with pytest.raises(PackageError, match=r"one-1\.0-py3-none-any\.whl is not a wheel"):
        wheels.requirements([broken], python=PYTHON)
    renamed = wheel(tmp_path, "two").rename(tmp_path / "two.whl")
    with pytest.raises(PackageError, match=r"two\.whl is not a valid wheel filename"):
        wheels.requirements([renamed], python=PYTHON)


@pytest.mark.parametrize(
    ("requirements", "pins", "left"),
    [
        (["boto3", "boto3>=1.40"], ["boto3==1.42.97"], []),
        (["boto3>=1.43"], ["boto3==1.42.97"], ["boto3>=1.43"]),
        (["boto3", "duckdb>=1.4"], ["DuckDB==1.4.5"], ["boto3"]),
        (["boto3"], ["boto3>=1.40", "/cache/x/boto3-1.42.97-py3-none-any.whl"], ["boto3"]),
        (["boto3[crt]"], ["boto3==1.42.97"], ["boto3[crt]"]),
        (['boto3; python_version < "3.10"'], ["boto3==1.42.97"], ['boto3; python_version < "3.10"']),
        (["pre>=1"], ["pre==2.0rc1"], []),
    ],
)
def test_what_a_pin_fulfils_need_not_be_asked_for_again(requirements, pins, left):
    assert wheels.without_implied(requirements, pins=pins) == left


@pytest.mark.parametrize(
    ("name", "python", "on_glue"),
    [
        ("one-1.0-py3-none-any.whl", "3.9", True),
        ("duckdb-1.4.5-cp39-cp39-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl", "3.9", True),
        ("duckdb-1.4.5-cp39-cp39-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl", "3.11", False),
        ("one-1.0-cp39-abi3-manylinux2014_x86_64.whl", "3.11", True),
        ("one-1.0-cp39-cp39-manylinux_2_39_x86_64.whl", "3.9", False),
        ("one-1.0-cp39-cp39-macosx_11_0_arm64.whl", "3.9", False),
        ("one-1.0-cp39-cp39-musllinux_1_2_x86_64.whl", "3.9", False),
    ],
)
def test_what_glue_takes(name, python, on_glue):
    assert wheels.fits_glue(Path(name), python) is on_glue


def test_a_wheel_is_a_pin():
    assert wheels.pin(Path("python_dateutil-2.9.0.post0-py2.py3-none-any.whl")) == "python-dateutil==2.9.0.post0"
