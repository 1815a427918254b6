"""Python Shell jobs: real processes, driven by boto3."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

REPORT_EVERYTHING = """
    import json, os, sys
    print(json.dumps({
        "argv": sys.argv[1:],
        "script": os.path.basename(sys.argv[0]),
        "name": __name__,
        "python": "%d.%d" % sys.version_info[:2],
        "folder": os.getcwd(),
        "environ": dict(os.environ),
    }))
"""


def wheel(name: str, version: str, files: dict[str, str], requires: tuple[str, ...] = ()) -> bytes:
    """A pure wheel, as a build makes it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {r}\n" for r in requires)
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
        f"{len(text.encode())}\n"
        for path, text in content.items()
    )
    return zipped({**content, f"{info}/RECORD": record + f"{info}/RECORD,,\n"})


def zipped(files: dict[str, str]) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)  # no time in it: the same bytes every time
    return body.getvalue()


def test_a_run_succeeds_and_its_record_says_all(glue):
    job = glue.job("print('hello')\nprint('world')", Timeout=7)
    run = glue.run(job, {"--month": "09"})
    times = run.pop("StartedOn"), run.pop("LastModifiedOn"), run.pop("CompletedOn")
    assert times[0] < times[1] == times[2]
    assert re.fullmatch("jr_[0-9a-f]{64}", run["Id"])
    assert glue.lines(run) == ["hello", "world"]
    del run["Id"]
    assert run == {
        "Attempt": 0,
        "JobName": job,
        "JobRunState": "SUCCEEDED",
        "Arguments": {"--month": "09"},
        "PredecessorRuns": [],
        "ExecutionTime": run["ExecutionTime"],
        "Timeout": 7,
        "MaxCapacity": 0.0625,
        "LogGroupName": "/aws-glue/python-jobs",
    }


def test_the_script_sees_its_arguments_its_role_and_nothing_of_the_users(new_cloud, glue_of, monkeypatch):
    monkeypatch.setenv("SOME_TOKEN", "secret")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@example.invalid/simple")
    cloud = new_cloud()
    cloud.start()
    glue = glue_of(cloud)
    job = glue.job(REPORT_EVERYTHING, DefaultArguments={"--a": "1", "--b": "1", "--enable-metrics": ""})
    run = glue.run(job, {"--b": "two words", "--c": "-1"})
    said = json.loads(glue.lines(run)[0])
    environ = said.pop("environ")
    assert said == {
        "argv": [
            *("--a", "1"),
            *("--b", "two words"),
            "--enable-metrics",
            *("--c", "-1"),
            *("--scriptLocation", f"s3://artifacts/scripts/{job}.py"),
        ],
        "script": f"{job}.py",
        "name": "__main__",
        "python": said["python"],
        "folder": said["folder"],
    }
    assert environ["AWS_ENDPOINT_URL"] == cloud.endpoint
    assert environ["AWS_ACCESS_KEY_ID"] not in ("test", "")
    assert environ["AWS_SESSION_TOKEN"]
    assert environ["HOME"] == said["folder"]
    assert "secret" not in json.dumps(environ)
    assert not {name for name in environ if name.startswith("PIP_")}
    cloud.stop()


def test_the_folder_of_a_run_goes_with_it(glue, cloud):
    job = glue.job("import os, tempfile; print(tempfile.mkdtemp()); print(os.getcwd())")
    run = glue.run(job)
    temporary, folder = glue.lines(run)
    assert temporary.startswith(folder)
    assert folder.endswith(run["Id"])
    assert list((cloud.state_dir / "cache" / "glue-runs").iterdir()) == []


def test_boto3_is_there_and_finds_this_cloud(glue):
    job = glue.job("import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']])")
    run = glue.run(job)
    assert (run["JobRunState"], glue.lines(run)) == ("SUCCEEDED", ["['artifacts']"])


@pytest.mark.parametrize(
    ("script", "message", "in_log"),
    [
        ("raise ValueError('no such month: 2024-13')", "ValueError: no such month: 2024-13", "ValueError"),
        (
            "class LoadError(Exception): pass\nraise LoadError('what\\n  where\\n  what to do')",
            "LoadError: what where what to do",
            "LoadError: what",
        ),
        ("raise KeyError('x')", "KeyError: 'x'", "KeyError: 'x'"),
        ("raise RuntimeError", "RuntimeError", "RuntimeError"),
        ("import nosuch", "ModuleNotFoundError: No module named 'nosuch'", "ModuleNotFoundError"),
        ("def (", "SyntaxError: invalid syntax", "SyntaxError"),
        ("import sys; sys.exit(3)", "Command failed with exit code 3", None),
        ("import sys; sys.exit('no month given')", "Command failed with exit code 1", "no month given"),
        ("import os; os._exit(7)", "Command failed with exit code 7", None),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "Command was killed by signal 9 (SIGKILL): the machine may have run out of memory",
            None,
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "Command was killed by signal 11 (SIGSEGV)", None),
        ("x = 'a' * (1 << 62)", "MemoryError", "MemoryError"),
        (
            "import sys; from awsglue.utils import getResolvedOptions; getResolvedOptions(sys.argv, ['month'])",
            "Command failed with exit code 2",
            "the following arguments are required: --month",
        ),
    ],
)
def test_a_failure_is_one_line_in_the_record_and_told_in_full_in_the_error_log(glue, script, message, in_log):
    run = glue.run(glue.job(script))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(message)
    assert "\n" not in run["ErrorMessage"]
    errors = "\n".join(glue.lines(run, "error"))
    assert (in_log or "") in errors
    assert "launcher.py" not in errors, "the traceback is the script's own"


@pytest.mark.parametrize("script", ["import sys; sys.exit()", "import sys; sys.exit(0)", ""])
def test_leaving_early_without_an_error_is_success(glue, script):
    run = glue.run(glue.job(script))
    assert run["JobRunState"] == "SUCCEEDED"
    assert "ErrorMessage" not in run


def test_a_missing_script_fails_the_run_with_its_location(glue):
    job = glue.job("", Command={"ScriptLocation": "s3://artifacts/nowhere.py"})
    run = glue.run(job)
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"] == ("s3://artifacts/nowhere.py does not exist: upload it, or correct the location")


def test_a_run_may_name_another_script(glue):
    job = glue.job("print('first')")
    second = glue.put("releases/2/job.py", "import sys; print('second', *sys.argv[1:])")
    run = glue.run(job, {"--scriptLocation": second})
    assert glue.lines(run) == [f"second --scriptLocation {second}"]
    assert glue.lines(glue.run(job)) == ["first"]


def test_a_new_script_under_the_same_key_is_what_runs_next(glue):
    job = glue.job("print(1)", Name="rewritten")
    assert glue.lines(glue.run(job)) == ["1"]
    glue.put("scripts/rewritten.py", "print(2)")
    assert glue.lines(glue.run(job)) == ["2"]


def test_wheels_and_modules_of_extra_py_files_can_be_imported(glue):
    one = glue.put("one-1.0-py3-none-any.whl", wheel("one", "1.0", {"one/__init__.py": "VALUE = 1"}))
    two = glue.put(
        "two-1.0-py3-none-any.whl",
        wheel("two", "1.0", {"two.py": "from one import VALUE\nimport helper"}, requires=("one>=1", "boto3")),
    )
    helper = glue.put("lib/helper.py", "NAME = 'helper'")
    job = glue.job(
        "import two; from importlib.metadata import version; print(two.VALUE, two.helper.NAME, version('two'))",
        DefaultArguments={"--extra-py-files": f"{one}, {two},{helper}"},
    )
    run = glue.run(job)
    assert (glue.lines(run), run["JobRunState"]) == (["1 helper 1.0"], "SUCCEEDED")


def test_a_wheel_of_the_same_name_with_other_content_is_another_wheel(glue):
    job = glue.job(
        "import w; print(w.VALUE)", DefaultArguments={"--extra-py-files": "s3://artifacts/w-1.0-py3-none-any.whl"}
    )
    for value in ("1", "2"):
        glue.put("w-1.0-py3-none-any.whl", wheel("w", "1.0", {"w.py": f"VALUE = {value}"}))
        assert glue.lines(glue.run(job)) == [value]


@pytest.mark.parametrize(
    ("key", "body", "message"),
    [
        ("nowhere.whl", None, "s3://artifacts/nowhere.whl does not exist"),
        ("code.whl", b"PK", "code.whl is not a valid wheel filename"),
        ("code-1.0-py3-none-any.whl", b"no zip", "code-1.0-py3-none-any.whl is not a wheel"),
        ("code.zip", b"PK", "--extra-py-files: code.zip cannot be imported by a pythonshell job: give a wheel"),
    ],
)
def test_a_library_that_cannot_be_used_fails_the_run(glue, key, body, message):
    if body is not None:
        glue.put(key, body)
    run = glue.run(glue.job("print(1)"), {"--extra-py-files": f"s3://artifacts/{key}"})
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(message)
    assert glue.lines(run) == []


def test_a_wheel_for_another_python_fails_the_run(glue):
    glue.put("old-1.0-cp27-none-any.whl", wheel("old", "1.0", {"old.py": ""}))
    run = glue.run(glue.job("import old"), {"--extra-py-files": "s3://artifacts/old-1.0-cp27-none-any.whl"})
    assert "is not a supported wheel on this platform" in run["ErrorMessage"]


def test_additional_modules_come_from_s3_too_with_pips_options(glue):
    extra = glue.put(
        "extra-1.0-py3-none-any.whl",
        wheel("extra", "1.0", {"extra.py": "VALUE = 'extra'"}, requires=("no-such-distribution-anywhere",)),
    )
    job = glue.job(
        "import extra; print(extra.VALUE)",
        DefaultArguments={
            "--additional-python-modules": extra,
            "--python-modules-installer-option": "--no-deps --no-index",
        },
    )
    run = glue.run(job)
    assert (glue.lines(run), run["JobRunState"]) == (["extra"], "SUCCEEDED"), run


def test_wheels_that_are_complete_need_no_index(glue):
    """A wheel, what it needs, and boto3: nothing is left to be installed, so pip never runs."""
    parts = {
        "one": (wheel("one", "1.0", {"one.py": "import two"}, requires=("two>=2", "boto3>=1")), "1.0"),
        "two": (wheel("two", "2.1", {"two.py": "VALUE = 'two'"}), "2.1"),
        "boto3": (wheel("boto3", "1.42.97", {"boto3.py": "VALUE = 'not the real one'"}), "1.42.97"),
    }
    uris = [glue.put(f"set/{name}-{version}-py3-none-any.whl", body) for name, (body, version) in parts.items()]
    job = glue.job(
        "import boto3, one; print(one.two.VALUE, boto3.VALUE)",
        DefaultArguments={"--additional-python-modules": ",".join(uris)},
    )
    run = glue.run(job)
    assert (glue.lines(run), run["JobRunState"]) == (["two not the real one"], "SUCCEEDED"), run
    assert glue.lines(run, "error") == []


def test_a_wheel_that_only_aws_can_use_is_replaced_by_its_version(glue):
    """One for the Python that the job names and this machine lacks; here no index has it, so the run fails."""
    name = "one-1.0-cp36-cp36m-manylinux2014_x86_64.whl"
    run = glue.run(
        glue.job("import one", Command={"PythonVersion": "3.6"}),
        {
            "--additional-python-modules": glue.put(name, wheel("one", "1.0", {"one.py": ""})),
            "--python-modules-installer-option": "--no-index",
        },
    )
    assert run["ErrorMessage"].startswith(
        "LAUNCH ERROR | Installation of Python modules failed: pip could not install one==1.0: "
    )
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"{name} does not run on this machine's Python {own}: using one==1.0" in glue.lines(run, "error")


def test_a_module_that_cannot_be_installed_fails_the_run_with_pips_reason(glue):
    run = glue.run(
        glue.job("print(1)"),
        {"--additional-python-modules": "boto3==0", "--python-modules-installer-option": "--no-index"},
    )
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        "LAUNCH ERROR | Installation of Python modules failed: pip could not install boto3==0: "
    )
    assert "No matching distribution found for boto3==0" in run["ErrorMessage"]
    assert any("No matching distribution" in line for line in glue.lines(run, "error"))


def test_a_python_that_is_not_there_is_said_in_the_log(glue):
    run = glue.run(glue.job("print(1)", Command={"PythonVersion": "3.6"}))
    assert glue.lines(run) == ["1"]
    assert any(
        line.startswith("Python 3.6 is not on this machine: the job runs on") for line in glue.lines(run, "error")
    )


def test_the_named_python_runs_the_job_where_it_is(glue):
    """Also where this machine's pip is too new for it: with its wheels complete the job needs no pip."""
    from local_cloud.processes import interpreters

    if not interpreters.find("3.9"):
        pytest.skip("no Python 3.9 on this machine")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    bare = glue.job("import sys; print('%d.%d' % sys.version_info[:2])", Command={"PythonVersion": "3.9"})
    complete = {
        "--additional-python-modules": glue.put("boto3-1.42.97-py3-none-any.whl", wheel("boto3", "1.42.97", {}))
    }
    assert glue.lines(glue.run(bare, complete)) == ["3.9"]
    assert glue.lines(glue.run(bare)) == ["3.9" if interpreters.find("3.9").can_install else own]


def test_lines_are_in_the_log_while_the_job_runs(glue):
    job = glue.job(
        """
        import os, sys, time
        print("begun", flush=False)
        print("warned", file=sys.stderr)
        while not os.path.exists("/tmp") or not __import__("boto3").client("s3").list_objects_v2(
            Bucket="artifacts", Prefix="go-on").get("Contents"):
            time.sleep(0.05)
        """
    )
    run_id = glue.start(job)
    run = glue.wait(job, run_id, {"RUNNING"})
    while glue.lines(run) != ["begun"] or glue.lines(run, "error") != ["warned"]:
        assert glue.get(job, run_id)["JobRunState"] == "RUNNING"
    assert run["ExecutionTime"] >= 0
    assert "CompletedOn" not in run
    glue.put("go-on", "")
    assert glue.wait(job, run_id)["JobRunState"] == "SUCCEEDED"


def test_a_chatty_job_is_logged_whole_in_bounded_memory(glue, cloud):
    def peak() -> int:
        status = Path(f"/proc/{cloud.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])

    glue.run(glue.job("print('warm')"))
    before = peak()
    run = glue.run(glue.job("for n in range(200_000): print(n, 'x' * 100)\nprint('y' * 3_000_000)"))
    assert run["JobRunState"] == "SUCCEEDED"
    assert peak() - before < 100_000, "kB more than before"
    assert glue.lines(run)[:2] == ["0 " + "x" * 100, "1 " + "x" * 100]


def test_output_that_is_no_text_and_has_no_end_of_line_is_kept(glue):
    job = glue.job("import sys; sys.stdout.buffer.write(b'caf\\xc3\\xa9\\r\\n\\xff\\n\\nlast')")
    assert glue.lines(glue.run(job)) == ["café", "\ufffd", "", "last"]
