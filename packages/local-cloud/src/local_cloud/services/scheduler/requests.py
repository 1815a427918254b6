"""What moto 5.2.5 lets pass or forgets in EventBridge Scheduler's API."""

from __future__ import annotations

from typing import Any

from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException
from moto.scheduler.models import EventBridgeSchedulerBackend, Schedule
from moto.scheduler.responses import EventBridgeSchedulerResponse

from local_cloud import targets
from local_cloud.cloud import Cloud
from local_cloud.permissions.errors import CannotAssume
from local_cloud.services.scheduler import universal
from local_cloud.services.scheduler.errors import ExpressionError
from local_cloud.services.scheduler.expressions import Timing
from local_cloud.services.scheduler.firing import SERVICE


def patch(cloud: Cloud) -> None:
    """Refuse schedules that could never fire; update all that UpdateSchedule names."""
    create = EventBridgeSchedulerBackend.create_schedule
    update = EventBridgeSchedulerBackend.update_schedule
    respond_to_update = EventBridgeSchedulerResponse.update_schedule

    def create_schedule(self: EventBridgeSchedulerBackend, **given: Any) -> Schedule:
        _check(given)
        _check_role(cloud, given)
        if (given["group_name"] or "default") not in self.schedule_groups:
            raise ScheduleGroupNotFound(given["group_name"])
        return _with_defaults(create(self, **given))

    def update_schedule(self: EventBridgeSchedulerBackend, **given: Any) -> Schedule:
        _check(given)
        _check_role(cloud, given)
        return _with_defaults(update(self, **given))

    def update_schedule_response(self: EventBridgeSchedulerResponse) -> str:
        """UpdateSchedule replaces every setting; moto leaves this one as it was."""
        answer: str = respond_to_update(self)
        name = self.uri.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]
        schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
        schedule.action_after_completion = self._get_param("ActionAfterCompletion") or "NONE"
        return answer

    EventBridgeSchedulerBackend.create_schedule = create_schedule
    EventBridgeSchedulerBackend.update_schedule = update_schedule
    EventBridgeSchedulerResponse.update_schedule = update_schedule_response


def _check(given: dict[str, Any]) -> None:
    try:
        Timing.parse(given["schedule_expression"], given["schedule_expression_timezone"] or "UTC")
    except ExpressionError as error:
        raise ValidationException(str(error)) from None
    target = given["target"]
    arn = target["Arn"]
    if not target.get("RoleArn"):
        raise ValidationException("The target needs a RoleArn.")
    if universal.parse(arn) is None and targets.service_of(arn) not in targets.SERVICES:
        raise ValidationException(
            f"Provided Arn is not in correct format, or names a service that the local cloud does not deliver to: {arn}"
        )


def _check_role(cloud: Cloud, given: dict[str, Any]) -> None:
    """Scheduler has to be able to become the schedule's role; the source it names is the schedule's group."""
    settings = cloud.settings
    group = (
        f"arn:aws:scheduler:{settings.region}:{settings.account_id}:schedule-group/{given['group_name'] or 'default'}"
    )
    try:
        cloud.permissions.check_trust(given["target"]["RoleArn"], SERVICE, aws__sourcearn=group)
    except CannotAssume:
        raise ValidationException(
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."
        ) from None


def _with_defaults(schedule: Schedule) -> Schedule:
    schedule.state = schedule.state or "ENABLED"
    schedule.action_after_completion = schedule.action_after_completion or "NONE"
    return schedule
