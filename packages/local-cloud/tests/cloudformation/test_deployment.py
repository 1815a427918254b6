"""A deployment that is out of time, called off, or let go of: with a type that needs no service."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from local_cloud.services.cloudformation.deploying.actions import Actions
from local_cloud.services.cloudformation.deploying.deployment import Deployment, LiveResources
from local_cloud.services.cloudformation.errors import Halted
from local_cloud.services.cloudformation.planning.blueprint import Blueprint, Identity
from local_cloud.services.cloudformation.stacks import Definition, Event, Stable, Stack
from local_cloud.services.cloudformation.templates.template import Template

TEMPLATE = "Resources: {%s}"
HANDLE = "%s: {Type: AWS::CloudFormation::WaitConditionHandle}"


class Bench:
    """One stack and what a deployment needs, in this process."""

    def __init__(self, *names: str) -> None:
        text = TEMPLATE % ", ".join(HANDLE % name for name in names)
        self.definition = Definition(template=text, parameters={})
        self.stack = Stack(id="arn:stack", name="bench", definition=self.definition)
        self.events: list[Event] = []
        self.stopping, self.cancelled = threading.Event(), threading.Event()

    def deployment(self, *, deadline: float | None = None) -> Deployment:
        def keep(event: Event | None = None) -> None:
            if event:
                self.events.append(event)

        def client(service: str) -> Any:
            raise AssertionError(f"{service} was called")

        actions = Actions(
            stack=self.stack,
            account="123456789012",
            region="us-east-1",
            client=client,
            lock=threading.RLock(),
            keep=keep,
            stopping=self.stopping,
        )
        blueprint = Blueprint.build(
            template=Template.parse(self.definition.template),
            definition=self.definition,
            identity=Identity(self.stack.id, self.stack.name, account=actions.account, region=actions.region),
            resources=LiveResources(self.stack),
            import_value=lambda name: name,
        )
        return Deployment(
            actions=actions,
            blueprint=blueprint,
            check_exports=lambda outputs: None,
            cancelled=self.cancelled,
            deadline=deadline,
        )

    def story(self) -> list[tuple[str, str]]:
        return [(event.status, event.reason) for event in self.events if event.logical_id == "bench"]


def test_a_stack_that_is_done_before_its_deadline_is_complete() -> None:
    bench = Bench("A", "B")
    bench.deployment(deadline=time.monotonic() + 60).create()
    assert bench.story() == [("CREATE_COMPLETE", "")]
    assert set(bench.stack.resources) == {"A", "B"}


@pytest.mark.parametrize(
    ("on_failure", "statuses"),
    [
        ("ROLLBACK", ["ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]),
        ("DO_NOTHING", ["CREATE_FAILED"]),
        ("DELETE", ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"]),
    ],
)
def test_out_of_time(on_failure: str, statuses: list[str]) -> None:
    bench = Bench("A")
    bench.stack.on_failure = on_failure
    bench.deployment(deadline=time.monotonic() - 1).create()
    assert [status for status, _ in bench.story()] == statuses
    assert bench.story()[0][1].startswith("Stack operation time exceeded the specified timeout.")
    assert bench.stack.resources == {}


def test_an_update_called_off_goes_back() -> None:
    bench = Bench("A")
    bench.stack.stable = Stable(bench.definition, {}, [])
    bench.cancelled.set()
    bench.deployment().update()
    assert [status for status, _ in bench.story()] == [
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]


def test_a_server_that_stops_changes_nothing_more() -> None:
    bench = Bench("A", "B")
    bench.stopping.set()
    with pytest.raises(Halted):
        bench.deployment().create()
    assert bench.events == []
