"""The HTTP side of redshift-data."""

from __future__ import annotations

from typing import ClassVar

from moto.core.responses import ActionResult, BaseResponse

from local_cloud.permissions.callers import Caller
from local_cloud.services.redshift.data_api.metadata import Metadata
from local_cloud.services.redshift.data_api.service import DataApi, Record
from local_cloud.services.redshift.identity import caller, database_user

_JSON = {"Content-Type": "application/x-amz-json-1.1"}


class DataApiResponse(BaseResponse):  # type: ignore[misc]
    """One method an operation. moto's dispatcher calls them by name."""

    api: ClassVar[DataApi]
    metadata: ClassVar[Metadata]

    def __init__(self) -> None:
        super().__init__(service_name="redshift-data")
        self.automated_parameter_parsing = True

    @property
    def given(self) -> Record:
        return dict(self.params)

    @property
    def user(self) -> str:
        return database_user(self.headers.get("Authorization", ""), self.current_account)

    def execute_statement(self) -> ActionResult:
        return ActionResult(self.api.execute(self.given, self.user, self._caller()))

    def batch_execute_statement(self) -> ActionResult:
        return ActionResult(self.api.batch_execute(self.given, self.user, self._caller()))

    def _caller(self) -> Caller:
        return caller(self.headers.get("Authorization", ""), self.current_account)

    def describe_statement(self) -> ActionResult:
        return ActionResult(self.api.describe(self.given))

    def get_statement_result(self) -> tuple[int, dict[str, str], str]:
        """The page as it lies on disk: nothing is parsed and written again."""
        return 200, dict(_JSON), self.api.result(self.given, as_csv=False)

    def get_statement_result_v2(self) -> tuple[int, dict[str, str], str]:
        return 200, dict(_JSON), self.api.result(self.given, as_csv=True)

    def cancel_statement(self) -> ActionResult:
        return ActionResult(self.api.cancel(self.given))

    def list_statements(self) -> ActionResult:
        return ActionResult(self.api.list_statements(self.given))

    def list_sessions(self) -> ActionResult:
        return ActionResult(self.api.list_sessions(self.given))

    def list_databases(self) -> ActionResult:
        return ActionResult(self.metadata.databases(self.given, self.user))

    def list_schemas(self) -> ActionResult:
        return ActionResult(self.metadata.schemas(self.given, self.user))

    def list_tables(self) -> ActionResult:
        return ActionResult(self.metadata.tables(self.given, self.user))

    def describe_table(self) -> ActionResult:
        return ActionResult(self.metadata.describe(self.given, self.user))
