"""LocalStack's tests of Step Functions that pass against this cloud, each with what AWS was recorded to answer.

`recorded.txt` has the ids of those whose whole recording was the same, and nothing else of them; a recording that AWS
answers otherwise by now, by a later one, is not among them. Run the tests from a
checkout of https://github.com/localstack/localstack against a cloud (TEST_TARGET=AWS_CLOUD, AWS_ENDPOINT_URL) with
`--junitxml=report.xml`; then `LOCALSTACK_REPORT=.../report.xml pytest
packages/local-cloud/tests/stepfunctions/test_recorded.py` names what no longer passes. A report of some of the files is
compared as far as it goes.
"""

from __future__ import annotations

import os
from pathlib import Path
from xml.etree import ElementTree

import pytest

RECORDED = Path(__file__).with_name("recorded.txt")


def results(report: str) -> dict[str, bool]:
    """Read whether each test of a JUnit report passed, by `file::class::name`; all phases of a test have to."""
    found: dict[str, bool] = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        *folders, file, kind = case.attrib["classname"].split(".")
        test = f"{'/'.join([*folders, file])}.py::{kind}::{case.attrib['name']}"
        passed = not any(child.tag in ("error", "failure", "skipped") for child in case)
        found[test] = passed and found.get(test, True)
    return found


def test_a_report_says_of_each_test_whether_it_passed():
    report = """<testsuites><testsuite>
        <testcase classname="tests.v2.test_base.TestBase" name="test_passes"/>
        <testcase classname="tests.v2.test_base.TestBase" name="test_fails[a.b]"><failure message="m"/></testcase>
        <testcase classname="tests.v2.test_base.TestBase" name="test_ends_badly"/>
        <testcase classname="tests.v2.test_base.TestBase" name="test_ends_badly"><error message="m"/></testcase>
        <testcase classname="tests.v2.test_base.TestBase" name="test_waits"><skipped message="m"/></testcase>
    </testsuite></testsuites>"""
    assert results(report) == {
        "tests/v2/test_base.py::TestBase::test_passes": True,
        "tests/v2/test_base.py::TestBase::test_fails[a.b]": False,
        "tests/v2/test_base.py::TestBase::test_ends_badly": False,
        "tests/v2/test_base.py::TestBase::test_waits": False,
    }


def test_the_recorded_list_is_sorted_and_names_each_test_once():
    tests = RECORDED.read_text(encoding="utf-8").splitlines()
    assert tests == sorted(set(tests))


@pytest.mark.skipif("LOCALSTACK_REPORT" not in os.environ, reason="LOCALSTACK_REPORT names no report of such a run")
def test_what_once_passed_against_recordings_of_aws_still_does():
    found = results(Path(os.environ["LOCALSTACK_REPORT"]).read_text(encoding="utf-8"))
    tests = [test for test in RECORDED.read_text(encoding="utf-8").splitlines() if test in found]
    assert tests, "the report has none of the tests that are listed"
    assert [test for test in tests if not found[test]] == []
