"""A job run's arguments: how defaults, run and fixed ones merge, what Glue takes for itself, what reaches sys.argv.

Which special names there are: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

#: Consumed by Glue when it launches a Spark job. A Python Shell job sees every argument of its run.
SPARK_CONSUMES = frozenset(
    {
        "--additional-python-modules",
        "--class",
        "--conf",
        "--datalake-formats",
        "--enable-auto-scaling",
        "--enable-continuous-cloudwatch-log",
        "--enable-continuous-log-filter",
        "--enable-glue-datacatalog",
        "--enable-job-insights",
        "--enable-metrics",
        "--enable-observability-metrics",
        "--enable-spark-ui",
        "--extra-files",
        "--extra-jars",
        "--extra-py-files",
        "--job-language",
        "--python-modules-installer-option",
        "--scriptLocation",
        "--spark-event-logs-path",
        "--user-jars-first",
    }
)


@dataclass(frozen=True)
class RunArguments:
    """One run's arguments, merged, and what Glue reads from them."""

    values: dict[str, str]
    script_location: str

    @classmethod
    def merge(
        cls,
        script_location: str,
        *,
        defaults: Mapping[str, str],
        run: Mapping[str, str],
        fixed: Mapping[str, str],
    ) -> RunArguments:
        """Defaults, overridden by the run's, overridden by the job's NonOverridableArguments."""
        values = {**defaults, **run, **fixed}
        return cls(values, values.get("--scriptLocation") or script_location)

    @property
    def extra_py_files(self) -> list[str]:
        return _listed(self.values.get("--extra-py-files", ""))

    @property
    def python_modules(self) -> list[str]:
        """PyPI requirements and S3 locations, as the job names them."""
        return _listed(self.values.get("--additional-python-modules", ""))

    @property
    def installer_options(self) -> list[str]:
        return shlex.split(self.values.get("--python-modules-installer-option", ""))

    @property
    def spark_settings(self) -> dict[str, str]:
        """`--conf`: "a=1", or several in one value as Glue has them, "a=1 --conf b=2"."""
        pairs = [part.strip() for part in self.values.get("--conf", "").split("--conf ") if part.strip()]
        return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs)}

    def python_shell_argv(self, *, python_version: str) -> list[str]:
        """After the script's own path: every argument, where the script lies, and of 3.9 its version; no run id.

        As captured by users who print sys.argv; an argument with an empty value comes as its bare name.
        """
        version = {"--python-version": python_version} if python_version == "3.9" else {}
        return _flatten({**self.values, "--scriptLocation": self.script_location, **version})

    def spark_argv(self, *, job_name: str, run_id: str) -> list[str]:
        """After the script's name: the job, the script's own arguments, the run, and the bookmark's default."""
        own = {name: value for name, value in self.values.items() if name not in SPARK_CONSUMES}
        own.pop("--job-bookmark-option", None)
        return [
            *_flatten({"--JOB_NAME": job_name, **own}),
            *("--JOB_ID", f"j_{hashlib.sha256(job_name.encode()).hexdigest()}"),
            *("--JOB_RUN_ID", run_id),
            *("--job-bookmark-option", self.values.get("--job-bookmark-option") or "job-bookmark-disable"),
        ]


def _flatten(values: Mapping[str, str]) -> list[str]:
    return [part for name, value in values.items() for part in ((name, value) if value else (name,))]


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
