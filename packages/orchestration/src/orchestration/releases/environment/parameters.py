"""What an environment is given: its two stacks a release's templates and parameters, its warehouse the tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestration import pipelines
from orchestration.environments import Environment
from orchestration.releases.bucket import history
from orchestration.releases.bucket.store import Store
from orchestration.releases.building.manifest import Release
from orchestration.stacks import Stack, data_stack, pipelines_stack, tables
from orchestration.stacks.unmanaged import Wanted


def stacks_of(environment: Environment, store: Store, release: Release) -> dict[str, Stack]:
    """Name an environment's stacks with their templates in the bucket, in the order they are deployed."""
    return {
        "data": data_stack(environment.name, url=store.url(release.template("data"))),
        "pipelines": pipelines_stack(environment.name, url=store.url(release.template("pipelines"))),
    }


def for_data(environment: Environment, *, taken: Collection[str]) -> dict[str, str]:
    """Make the data stack's parameters, of those that its template takes."""
    parameters = {"Environment": environment.name}
    return {name: value for name, value in parameters.items() if name in taken}


def for_pipelines(
    environment: Environment, release: Release, outputs: Mapping[str, str], *, taken: Collection[str]
) -> dict[str, str]:
    """Make the pipelines stack's parameters of environment, release and the other stacks' `outputs`.

    `taken` are those that the release's template has: one from before or after this version of `elt` has others.
    """
    every = pipelines.find_scheduled()
    state = {name: "ENABLED" if name in environment.schedules else "DISABLED" for name in every}
    parameters = {
        "Environment": environment.name,
        "AlertEmail": environment.alert_email,
        **{f"{pipelines.camel(name)}Schedule": state[name] for name in every},
        # What templates had before schedules were switched on by pipeline: all of them, or none.
        "ScheduleState": "ENABLED" if set(every) <= set(environment.schedules) else "DISABLED",
        "QuickSightPrincipal": environment.quicksight_principal,
        **outputs,
        **release.parameters(outputs["ArtifactBucket"]),
    }
    return {name: value for name, value in parameters.items() if name in taken}


def for_tables(environment: Environment, store: Store, release: Release, *, wheel: bytes | None = None) -> Wanted:
    """Read a release's tables from glue-transform's wheel, which is in the bucket where it is not given.

    Errors: DeployError for a dataset that says nothing of its table.
    """
    found = store.body(release.packages["glue-transform"].wheel) if wheel is None else wheel
    return Wanted(tables.read_wheel(found), going_back=release.id in history.ever_deployed(store, environment.name))
