"""Bring an environment to a release, prove that it is there, and go back where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from orchestration import environments, stacks
from orchestration.environments import Environment
from orchestration.errors import DeployError, EltError, Interrupted, LeaseLost, UsageError
from orchestration.progress import Progress
from orchestration.releases.bucket import history, lease, records
from orchestration.releases.bucket.lease import Lease
from orchestration.releases.bucket.records import Begun, Deployed, Reading, Standing
from orchestration.releases.bucket.store import Store
from orchestration.releases.building.manifest import Release
from orchestration.releases.environment import drift, parameters, resources
from orchestration.releases.environment.drift import Difference
from orchestration.stacks import change_sets, unmanaged, updates


def roll_out(environment: Environment, store: Store, release: Release, *, action: str, report: Progress) -> Deployed:
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
    with lease.hold(store, environment.name, what=what, report=report) as own:
        return _Rollout(environment, store, own, report).bring_to(release, action=action)


def require_development(environment: Environment) -> None:
    """Raise UsageError for an environment that takes no development releases."""
    if not environment.development_releases:
        raise UsageError(
            f"{environment.name} takes published releases only: `elt release publish`, deploy and try it in dev, "
            f"then `elt promote --from dev --to {environment.name}`"
        )


def require_tried(environment: Environment, store: Store, release: Release) -> None:
    """Raise UsageError for a release that nobody has tried and the environment never had.

    An environment that takes development releases takes any. One whose deployment is unfinished was let through when
    that began.
    """
    if environment.development_releases or release.development:  # for the latter, roll_out has its own words
        return
    attempts = records.standing(store, environment.name).attempts
    if release.id in {*history.ever_deployed(store, environment.name), *attempts}:
        return
    smokes = [history.smoke(store, release.id, name) for name in environments.names()]
    if not any(smoke and smoke.passed for smoke in smokes):
        raise UsageError(
            f"release {release.id} has passed no smoke run and was never live in {environment.name}: deploy it to dev, "
            f"`elt smoke --env dev`, `elt promote --from dev --to {environment.name}`; or deploy it with --untried"
        )


@dataclass(frozen=True)
class _Rollout:
    """One command's deployments to one environment: that to the release asked for, and where it fails the one back."""

    environment: Environment
    store: Store
    lease: Lease
    report: Progress

    def bring_to(self, release: Release, *, action: str) -> Deployed:
        before = records.standing(self.store, self.environment.name)
        changed, found = self._changes_by_hand(before)
        self._require_tables(release)
        begun = self._begin(release, self.environment, action=action)
        with explain_interruption(begun, before.live):
            self._restore(changed, found, before.live)
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
        """Return what was changed by hand since the last deployment that succeeded, beside what there is.

        Errors: DeployError for a stack that is stuck, and for what was deleted by hand.
        """
        stack = stacks.pipelines_stack(self.environment.name)
        for one in (stacks.data_stack(self.environment.name), stack):
            updates.settle(boto3.client("cloudformation"), one, report=self.report)
        found = resources.read(stack)
        if before.live is None or not found.state:
            return [], found
        changed = drift.by_hand(before.live.reading, found, unfinished=before.unfinished is not None)
        try:
            drift.require_present(changed, found)
        except DeployError as error:
            raise DeployError(f"{error}; {_still(self.environment, before.live)}") from error
        return changed, found

    def _require_tables(self, release: Release) -> None:
        """Raise DeployError, before anything is changed, for a table that cannot be brought to its dataset."""
        data = updates.outputs(boto3.client("cloudformation"), stacks.data_stack(self.environment.name)) or {}
        wanted = parameters.for_tables(self.environment, self.store, release)
        try:
            unmanaged.require_tables(self.environment, data=data, wanted=wanted)
        except DeployError as error:
            raise DeployError(f"{error}; nothing is changed in {self.environment.name}") from error

    def _restore(self, changed: list[Difference], found: Reading, before: Deployed | None) -> None:
        """Restore what was changed by hand. Errors: DeployError, which says what the environment has."""
        if not changed or before is None:
            return
        try:
            archives = drift.archives(history.release(self.store, before.release), self.store.bucket)
            for resource in drift.restore(changed, before.reading, found, archives=archives):
                self.report(f"{resource} was changed by hand: restored")
        except (EltError, BotoCoreError, ClientError) as error:
            raise DeployError(f"{error}; {_still(self.environment, before)}") from error

    def _deploy(self, release: Release, environment: Environment, begun: Begun) -> Deployed:
        """Update the stacks, read back, check, and record what there is then.

        `environment` has the settings to bring about: its own, or those of an earlier deployment.
        """
        cloudformation = boto3.client("cloudformation")
        templates = parameters.stacks_of(environment, self.store, release)
        data_stack, pipelines_stack = templates.values()

        def deploy(stack: stacks.Stack, given: Mapping[str, str]) -> dict[str, str]:
            return updates.deploy(
                cloudformation,
                stack,
                parameters=given,
                tags=environment.tags,
                report=self.report,
                before_change=self.lease.check,
            )

        self.report(f"stack {data_stack.name}")
        taken = change_sets.list_parameters(cloudformation, data_stack)
        outputs = deploy(data_stack, parameters.for_data(environment, taken=taken))
        self.lease.check()
        wanted = parameters.for_tables(environment, self.store, release)
        unmanaged.apply(environment, data=outputs, wanted=wanted, report=self.report)
        self.report(f"stack {pipelines_stack.name}")
        taken = change_sets.list_parameters(cloudformation, pipelines_stack)
        outputs |= {"ArtifactBucket": self.store.bucket}
        deploy(pipelines_stack, parameters.for_pipelines(environment, release, outputs, taken=taken))
        self.report("reading it back")
        found = resources.read(pipelines_stack)
        if wrong := drift.from_release(release, self.store, found.state, templates):
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
            with explain_interruption(begun, before):
                self._deploy(release, then, begun)
        except Interrupted:
            raise
        except (EltError, BotoCoreError, ClientError) as error:
            return f"going back to release {before.release} failed too: {error}"
        return f"{self.environment.name} is at release {before.release} as before"


@contextmanager
def explain_interruption(begun: Begun, before: Deployed | None) -> Iterator[None]:
    """Make Interrupted of what stops a command within: it says what is unfinished and how to go on."""
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
