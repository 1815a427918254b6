"""Bring an environment to a release, prove that it is there, and go back where it is not."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orchestration import environments, pipelines, stacks
from orchestration.environments import Environment
from orchestration.errors import DeployError, EltError, Interrupted, LeaseLost, UsageError
from orchestration.releases import check, history, lease, live, records
from orchestration.releases.lease import Lease
from orchestration.releases.live import Difference, Reading
from orchestration.releases.manifest import Release
from orchestration.releases.records import Begun, Deployed, Standing
from orchestration.releases.store import Store
from orchestration.stacks import outside

TAGS = {"project": "elt"}

Report = Callable[[str], None]


def roll_out(environment: Environment, store: Store, release: Release, *, action: str, report: Report) -> Deployed:
    """Deploy a release that is in the artifact bucket; `action` is deploy, promote or rollback.

    Nobody else deploys to the environment meanwhile. A stack that is still on its way, since the command that sent it
    there was killed, is waited for. Then it is recorded what is about to be done. What somebody changed by hand since
    the last deployment is restored. Then the stacks are brought to the release: jobs, functions, state machines, a
    version of each and last its alias. Then all of it is read back and held against the manifest. Only a deployment
    that proves right is recorded as such; after one that fails the environment is brought back to the release and the
    settings that were there, as a deployment of its own, a restore. One that is cut short is unfinished: the next one
    ends it. Running executions go on with the version they started with, and with its jobs.

    Errors: DeployError, which says what went wrong and what is live now; UsageError for a development release where
    none is taken; Interrupted, which says what is unfinished.
    """
    if release.development:
        require_development(environment)
    what = records.what(action, release.id, environment.name)
    with lease.held(store, environment.name, what=what, report=report) as own:
        return _Rollout(environment, store, own, report).bring_to(release, action=action)


def require_development(environment: Environment) -> None:
    """UsageError for an environment that takes no development releases."""
    if not environment.development_releases:
        raise UsageError(
            f"{environment.name} takes published releases only: `elt release publish`, deploy and try it in dev, "
            f"then `elt promote --from dev --to {environment.name}`"
        )


def require_tried(environment: Environment, store: Store, release: Release) -> None:
    """UsageError for a release that nobody has tried and the environment never had, if it takes published ones only.

    One whose deployment is unfinished was let through when that began.
    """
    if environment.development_releases or release.development:  # for the latter, roll_out has its own words
        return
    if release.id in {*records.had(store, environment.name), *records.standing(store, environment.name).attempts}:
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
    known = dict.fromkeys(data_stack.outputs, "known-after-deploy") | outputs
    tags = tags_of(environment)
    data, pipelines = (stacks.declared(cloudformation, stack) for stack in (data_stack, pipelines_stack))
    return [
        *stacks.plan(cloudformation, data_stack, parameters=data_parameters(environment, taken=data), tags=tags),
        *stacks.plan(
            cloudformation,
            pipelines_stack,
            parameters=pipelines_parameters(
                environment, release, {**known, "ArtifactBucket": store.bucket}, taken=pipelines
            ),
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
    every = pipelines.scheduled()
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


@dataclass(frozen=True)
class _Rollout:
    """One command's deployments to one environment: that to the release asked for, and where it fails the one back."""

    environment: Environment
    store: Store
    lease: Lease
    report: Report

    def bring_to(self, release: Release, *, action: str) -> Deployed:
        before = records.standing(self.store, self.environment.name)
        changed, found = self._changes_by_hand(before)
        begun = self._begin(release, self.environment, action=action)
        with unfinished_by(begun, before.live):
            self._put_right(changed, found, before.live)
            try:
                return self._deploy(release, self.environment, begun)
            except LeaseLost:
                raise
            except (EltError, BotoCoreError, ClientError) as error:
                raise DeployError(f"{error}; {self._go_back(before.live)}") from error

    def _begin(self, release: Release, environment: Environment, *, action: str) -> Begun:
        self.lease.check()
        return records.begin(
            self.store,
            environment.name,
            release.id,
            action=action,
            settings=environment.settings,
            holder=self.lease.terms.holder,
        )

    def _changes_by_hand(self, before: Standing) -> tuple[list[Difference], Reading]:
        """What was changed by hand since the last deployment that succeeded, beside what there is.

        Errors: DeployError for a stack that is stuck, and for what was deleted by hand.
        """
        stack = stacks.pipelines_stack(self.environment.name)
        for one in (stacks.data_stack(self.environment.name), stack):
            stacks.settle(boto3.client("cloudformation"), one, report=self.report)
        found = live.read(stack)
        if before.live is None or not found.state:
            return [], found
        changed = live.by_hand(before.live.reading, found, unfinished=before.unfinished is not None)
        try:
            live.require_present(changed, found)
        except DeployError as error:
            raise DeployError(f"{error}; {_still(self.environment, before.live)}") from error
        return changed, found

    def _put_right(self, changed: list[Difference], found: Reading, before: Deployed | None) -> None:
        """Errors: DeployError, which says that the environment has what it had, by hand or not."""
        if not changed or before is None:
            return
        try:
            archives = check.archives(history.release(self.store, before.release), self.store.bucket)
            for resource in live.put_right(changed, before.reading, found, archives=archives):
                self.report(f"{resource} was changed by hand: restored")
        except (EltError, BotoCoreError, ClientError) as error:
            raise DeployError(f"{error}; {_still(self.environment, before)}") from error

    def _deploy(self, release: Release, environment: Environment, begun: Begun) -> Deployed:
        """Update the stacks, read back, check, and record what there is then.

        `environment` has the settings to bring about: its own, or those of an earlier deployment.
        """
        cloudformation, tags = boto3.client("cloudformation"), tags_of(environment)
        templates = _stacks(environment, self.store, release)
        data_stack, pipelines_stack = templates.values()

        def deploy(stack: stacks.Stack, parameters: Mapping[str, str]) -> dict[str, str]:
            return stacks.deploy(
                cloudformation,
                stack,
                parameters=parameters,
                tags=tags,
                report=self.report,
                before_change=self.lease.check,
            )

        self.report(f"stack {data_stack.name}")
        taken = stacks.declared(cloudformation, data_stack)
        outputs = deploy(data_stack, data_parameters(environment, taken=taken))
        self.lease.check()
        outside.apply(environment, data=outputs)
        self.report(f"stack {pipelines_stack.name}")
        taken = stacks.declared(cloudformation, pipelines_stack)
        outputs |= {"ArtifactBucket": self.store.bucket}
        deploy(pipelines_stack, pipelines_parameters(environment, release, outputs, taken=taken))
        self.report("reading it back")
        found = live.read(pipelines_stack)
        if wrong := check.check(release, self.store, found.state, templates):
            one, more = wrong[0], f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            what = f"{one.property} of {one.resource}" if one.property else one.resource
            raise DeployError(
                f"{environment.name} is not what release {release.id} says: {what} is {one.found or 'gone'}, "
                f"not {one.wanted}{more}"
            )
        self.lease.check()
        return records.end(self.store, begun, reading=found)

    def _go_back(self, before: Deployed | None) -> str:
        """Deploy again what was there, with the environment's settings of then; in words what became of that.

        It is a deployment as any other, with new versions of the state machines, and so is recorded.
        """
        if before is None:
            return f"nothing was deployed to {self.environment.name} before that it could go back to"
        self.report(f"it failed; going back to release {before.release}")
        try:
            then = self.environment.with_settings(before.settings, where=f"the record of {before.at}")
            release = history.release(self.store, before.release)
            begun = self._begin(release, then, action="restore")
            with unfinished_by(begun, before):
                self._deploy(release, then, begun)
        except Interrupted:
            raise
        except (EltError, BotoCoreError, ClientError) as error:
            return f"going back to release {before.release} failed too: {error}"
        return f"{self.environment.name} is at release {before.release} as before"


@contextmanager
def unfinished_by(begun: Begun, before: Deployed | None) -> Iterator[None]:
    """What stops a command within is Interrupted, which says what is unfinished and how to go on."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Interrupted.by(
            stop,
            f"interrupted: {begun} is unfinished, and what CloudFormation has begun of it goes on by itself: "
            f"{records.ways_on(begun, before)}",
        ) from stop


def _still(environment: Environment, before: Deployed) -> str:
    return (
        f"{environment.name} is at release {before.release} still, but for what was changed by hand: "
        f"`elt diff --env {environment.name}` shows it"
    )


def _stacks(environment: Environment, store: Store, release: Release) -> dict[str, stacks.Stack]:
    """An environment's stacks with their templates in the bucket, in the order they are deployed."""
    return {
        "data": stacks.data_stack(environment.name, url=store.url(release.template("data"))),
        "pipelines": stacks.pipelines_stack(environment.name, url=store.url(release.template("pipelines"))),
    }
