"""What a backfill would cost on AWS: an estimate, and what it rests on.

Glue bills DPU-seconds by the job run, Redshift Serverless RPU-seconds while the warehouse is active, both with a
minimum (`rates.toml`). Every load is counted with the minimum of its own; loads that run close together share one, so
that the warehouse's part is what it costs at most.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib

from orchestration import executions

#: How many of the newest executions are measured, and among how many they are looked for.
MEASURED = 5
_LOOKED_AT = 100


@dataclass(frozen=True)
class JobTime:
    """What one state's job takes for one month. `dpu` is its capacity, `seconds` its mean run time."""

    state: str
    dpu: float
    seconds: float
    uses_warehouse: bool = False


@dataclass(frozen=True)
class Rates:
    """US dollars for an hour of one DPU or RPU, and the least number of seconds that is billed."""

    region: str
    dpu_hour: float
    dpu_minimum: float
    rpu_hour: float
    rpu_minimum: float
    assumed: tuple[JobTime, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Estimate:
    """For `months` months. Hours are those billed; `measured` is how many executions the times are means of, or 0."""

    months: int
    dpu_hours: float
    rpu_hours: float
    glue: float
    redshift: float
    jobs: tuple[JobTime, ...]
    measured: int
    rates: Rates
    rpu: int

    @property
    def total(self) -> float:
        return self.glue + self.redshift

    def as_json(self) -> dict[str, Any]:
        return {
            "months": self.months,
            "dpu_hours": round(self.dpu_hours, 3),
            "rpu_hours": round(self.rpu_hours, 3),
            "glue_usd": round(self.glue, 2),
            "redshift_usd": round(self.redshift, 2),
            "total_usd": round(self.total, 2),
            "measured_executions": self.measured,
            "jobs": [dataclasses.asdict(job) for job in self.jobs],
            "rates": {"region": self.rates.region, "dpu_hour": self.rates.dpu_hour, "rpu_hour": self.rates.rpu_hour},
            "sources": list(self.rates.sources),
        }


def load_rates() -> Rates:
    data = tomllib.loads(Path(__file__).with_name("rates.toml").read_text(encoding="utf-8"))
    glue, redshift = data["glue"], data["redshift"]
    return Rates(
        region=data["region"],
        dpu_hour=glue["dpu_hour"],
        dpu_minimum=glue["minimum_seconds"],
        rpu_hour=redshift["rpu_hour"],
        rpu_minimum=redshift["minimum_seconds"],
        assumed=tuple(JobTime(**job) for job in data["assumed"]),
        sources=tuple(f"{one['source']} ({one['as_of']:%Y-%m})" for one in (glue, redshift)),
    )


def estimate(months: int, *, jobs: Iterable[JobTime], measured: int, rates: Rates, rpu: int) -> Estimate:
    """Return what `months` months cost, each taking `jobs`. `rpu` is the warehouse's capacity."""
    jobs = tuple(jobs)
    dpu_hours = months * sum(job.dpu * max(job.seconds, rates.dpu_minimum) for job in jobs) / 3600
    rpu_seconds = sum(max(job.seconds, rates.rpu_minimum) for job in jobs if job.uses_warehouse)
    rpu_hours = months * rpu * rpu_seconds / 3600
    return Estimate(
        months=months,
        dpu_hours=dpu_hours,
        rpu_hours=rpu_hours,
        glue=dpu_hours * rates.dpu_hour,
        redshift=rpu_hours * rates.rpu_hour,
        jobs=jobs,
        measured=measured,
        rates=rates,
        rpu=rpu,
    )


def measure(states: Any, glue: Any, alias: str, *, dataset: str, rates: Rates) -> tuple[tuple[JobTime, ...], int]:
    """Return the mean times of a pipeline's newest successful executions and their number; none where nothing has run.

    Whole months only, whose executions begin with their `dataset`: a smoke run's is no measure of one. A state may run
    one of several jobs: its capacity is the newest run's.
    """
    warehouse = {job.state for job in rates.assumed if job.uses_warehouse}
    succeeded = states.list_executions(
        stateMachineArn=alias.rsplit(":", 1)[0], statusFilter="SUCCEEDED", maxResults=_LOOKED_AT
    )["executions"]
    found = [one for one in succeeded if one["name"].startswith(f"{dataset}-")][:MEASURED]
    runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for execution in found:
        for state in executions.read(states, execution["executionArn"]).states:
            if state.job and state.job_run:
                runs[state.name].append(glue.get_job_run(JobName=state.job, RunId=state.job_run)["JobRun"])
    times = tuple(
        JobTime(
            state=name,
            dpu=_dpu(of_state[0]),
            seconds=statistics.mean(run["ExecutionTime"] for run in of_state),
            uses_warehouse=name in warehouse,
        )
        for name, of_state in runs.items()
    )
    return times, len(found)


#: DPUs of one worker. https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
_WORKERS = {"G.025X": 0.25, "G.1X": 1.0, "G.2X": 2.0, "G.4X": 4.0, "G.8X": 8.0}


def _dpu(run: Mapping[str, Any]) -> float:
    """Return the DPUs of a job run: a Spark job's are its workers'."""
    if "WorkerType" in run:
        return float(run["NumberOfWorkers"]) * _WORKERS[run["WorkerType"]]
    return float(run["MaxCapacity"])
