"""The CloudFormation API: the query protocol, with AWS's XML answers."""

from __future__ import annotations

from typing import Any

from local_cloud.permissions.errors import AccessDenied
from local_cloud.services.cloudformation.api.base import Api
from local_cloud.services.cloudformation.api.change_sets import ChangeSetActions
from local_cloud.services.cloudformation.api.stacks import StackActions
from local_cloud.services.cloudformation.api.templates import TemplateActions
from local_cloud.services.cloudformation.api.views import ViewActions
from local_cloud.services.cloudformation.engine import Engine
from local_cloud.services.cloudformation.errors import CloudFormationError


class CloudFormationApi(StackActions, ViewActions, ChangeSetActions, TemplateActions, Api):
    """All the actions there are."""

    def call_action(self) -> Any:
        action = self._get_action()
        try:
            return super().call_action()
        except CloudFormationError as error:
            return self.refuse(error.code, str(error))
        except AccessDenied as error:
            return self.refuse("AccessDenied", str(error))
        except NotImplementedError:
            return self.refuse("InvalidAction", f"{action} is not part of this local cloud's CloudFormation")


def make_dispatch(engine: Engine) -> Any:
    """A view for moto's dispatcher."""

    class Bound(CloudFormationApi):
        pass

    Bound.engine = engine
    return Bound.dispatch
