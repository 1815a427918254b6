"""Bring an environment to a release, prove that it is there, and go back where it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orchestration import environments, stacks
from orchestration.environments import Environment
from orchestration.errors import DeployError, EltError, UsageError
from orchestration.releases import check, history, live
from orchestration.releases.history import Deployed
from orchestration.releases.live import State
from orchestration.releases.manifest import Release
from orchestration.releases.store import Store
from orchestration.stacks import outside

TAGS = {"project": "elt"}

Report = Callable[[str], None]


def roll_out(environment: Environment, store: Store, release: Release, *, action: str, report: Report) -> Deployed:
    """Deploy a release that is in the artifact bucket; `action` is deploy, promote or rollback.

    What somebody changed by hand since the last deployment is put right first. Then the stacks are brought to the
    release: jobs, functions, state machines, a version of each and last its alias. Then all of it is read back and
    held against the manifest. Only a deployment that proves right is recorded; after any other one the environment
    is brought back to the release and the settings that were there, which is recorded as a restore. Running executions
    go on with the version they started with, and with its jobs.

    Errors: DeployError, which says what went wrong and what is live now; UsageError for a development release where
    none is taken.
    """
    if release.development:
        require_development(environment)
    before = history.live(store, environment.name)
    if before is not None:
        _undo_changes_by_hand(environment, store, before, report=report)
    try:
        return _deploy(environment, store, release, action=action, report=report)
    except (EltError, BotoCoreError, ClientError) as error:
        raise DeployError(f"{error}; {_go_back(environment, store, before, report=report)}") from error


def require_development(environment: Environment) -> None:
    """UsageError for an environment that takes no development releases."""
    if not environment.development_releases:
        raise UsageError(
            f"{environment.name} takes published releases only: `elt release publish`, deploy and try it in dev, "
            f"then `elt promote --from dev --to {environment.name}`"
        )


def require_tried(environment: Environment, store: Store, release: Release) -> None:
    """UsageError for a release that nobody has tried and the environment never had, if it takes published ones only."""
    if environment.development_releases or release.development:  # for the latter, roll_out has its own words
        return
    if release.id in history.had(store, environment.name):
        return
    smokes = [history.smoke(store, release.id, name) for name in environments.names()]
    if not any(smoke and smoke.passed for smoke in smokes):
        raise UsageError(
            f"release {release.id} has passed no smoke run and was never live in {environment.name}: deploy it to dev, "
            f"`elt smoke --env dev`, `elt promote --from dev --to {environment.name}`; or deploy it with --untried"
        )


def plan(environment: Environment, store: Store, release: Release) -> list[stacks.Change]:
    """What CloudFormation would change for a release that is in the artifact bucket. Changes nothing."""
    cloudformation = boto3.client("cloudformation")
    data_stack, pipelines_stack = _stacks(environment, store, release).values()
    outputs = stacks.outputs(cloudformation, data_stack) or {}
    tags = tags_of(environment)
    data, pipelines = (stacks.declared(cloudformation, stack) for stack in (data_stack, pipelines_stack))
    return [
        *stacks.plan(cloudformation, data_stack, parameters=data_parameters(environment, taken=data), tags=tags),
        *stacks.plan(
            cloudformation,
            pipelines_stack,
            parameters=pipelines_parameters(environment, release, {**outputs, **_bucket(store)}, taken=pipelines),
            tags=tags,
        ),
        *outside.plan(environment, data=outputs),
    ]


def tags_of(environment: Environment) -> dict[str, str]:
    return TAGS | {"environment": environment.name}


def data_parameters(environment: Environment, *, taken: Collection[str]) -> dict[str, str]:
    """The data stack's parameters, of those that its template takes."""
    parameters = {"Environment": environment.name}
    return {name: value for name, value in parameters.items() if name in taken}


def pipelines_parameters(
    environment: Environment, release: Release, outputs: Mapping[str, str], *, taken: Collection[str]
) -> dict[str, str]:
    """The pipelines stack's parameters: of the environment, its other stacks' `outputs`, and the release.

    `taken` are those that the release's template has: one from before or after this version of `elt` has others.
    """
    parameters = {
        "Environment": environment.name,
        "AlertEmail": environment.alert_email,
        "ScheduleState": "ENABLED" if environment.schedules else "DISABLED",
        "QuickSightPrincipal": environment.quicksight_principal,
        **outputs,
        **release.parameters(outputs["ArtifactBucket"]),
    }
    return {name: value for name, value in parameters.items() if name in taken}


def _deploy(environment: Environment, store: Store, release: Release, *, action: str, report: Report) -> Deployed:
    resources = _apply(environment, store, release, report=report)
    return history.save_deployment(
        store, environment.name, release.id, action=action, resources=resources, settings=environment.settings
    )


def _apply(environment: Environment, store: Store, release: Release, *, report: Report) -> State:
    """Update the stacks, read back and check; what there is then."""
    cloudformation, tags = boto3.client("cloudformation"), tags_of(environment)
    templates = _stacks(environment, store, release)
    data_stack, pipelines_stack = templates.values()
    report(f"stack {data_stack.name}")
    parameters = data_parameters(environment, taken=stacks.declared(cloudformation, data_stack))
    outputs = stacks.deploy(cloudformation, data_stack, parameters=parameters, tags=tags)
    outside.apply(environment, data=outputs)
    report(f"stack {pipelines_stack.name}")
    taken = stacks.declared(cloudformation, pipelines_stack)
    parameters = pipelines_parameters(environment, release, {**outputs, **_bucket(store)}, taken=taken)
    stacks.deploy(cloudformation, pipelines_stack, parameters=parameters, tags=tags)
    report("reading it back")
    state = live.read(pipelines_stack)
    if found := check.check(release, store, state, templates):
        one, more = found[0], f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        what = f"{one.property} of {one.resource}" if one.property else one.resource
        raise DeployError(
            f"{environment.name} is not what release {release.id} says: {what} is {one.found or 'gone'}, "
            f"not {one.wanted}{more}"
        )
    return state


def _undo_changes_by_hand(environment: Environment, store: Store, before: Deployed, *, report: Report) -> None:
    """Errors: DeployError, which says that the environment has what it had, by hand or not."""
    stack = stacks.pipelines_stack(environment.name)
    try:
        found = live.read(stack)
        if found and live.differences(before.resources, found):
            archives = check.archives(history.release(store, before.release), store.bucket)
            for resource in live.put_right(before.resources, found, archives=archives):
                report(f"{resource} was changed by hand: put right")
    except (EltError, BotoCoreError, ClientError) as error:
        raise DeployError(
            f"{error}; {environment.name} is at release {before.release} still, but for what was changed by hand: "
            f"`elt diff --env {environment.name}` shows it"
        ) from error


def _go_back(environment: Environment, store: Store, before: Deployed | None, *, report: Report) -> str:
    """Deploy again what was there, with the environment's settings of then; in words what became of that.

    It is a deployment as any other, with new versions of the state machines, and so is recorded.
    """
    if before is None:
        return f"nothing was deployed to {environment.name} before that it could go back to"
    report(f"going back to release {before.release}")
    try:
        if history.live(store, environment.name) != before:
            return "somebody else has deployed in the meantime, so nothing was undone"
        then = environment.with_settings(before.settings, where=f"the record of {before.at}")
        _deploy(then, store, history.release(store, before.release), action="restore", report=report)
    except (EltError, BotoCoreError, ClientError) as error:
        return f"going back to release {before.release} failed too: {error}"
    return f"{environment.name} is at release {before.release} as before"


def _stacks(environment: Environment, store: Store, release: Release) -> dict[str, stacks.Stack]:
    """An environment's stacks with their templates in the bucket, in the order they are deployed."""
    return {
        "data": stacks.data_stack(environment.name, url=store.url(release.template("data"))),
        "pipelines": stacks.pipelines_stack(environment.name, url=store.url(release.template("pipelines"))),
    }


def _bucket(store: Store) -> dict[str, str]:
    return {"ArtifactBucket": store.bucket}
