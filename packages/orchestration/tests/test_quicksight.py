"""The QuickSight part of the pipelines stack, against the service's own model and against the report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore.validate import ParamValidator

from orchestration import stacks
from orchestration.dashboard.data import COLUMNS

FRAGMENT = Path(stacks.__file__).parent / "pipelines" / "quicksight.yaml"
MODEL = botocore.session.get_session().get_service_model("quicksight")


class _Loader(yaml.SafeLoader):
    """CloudFormation's short forms as text: `!Sub x`, `!Ref x` and `!GetAtt x.Arn` are about what they come to."""


def _short_form(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return "value-of-" + re.sub(r"\W+", "-", loader.construct_scalar(node))
    return loader.construct_sequence(node, deep=True)


_Loader.add_multi_constructor("!", _short_form)
FRAGMENT_PARTS = yaml.load(FRAGMENT.read_text(encoding="utf-8"), _Loader)
RESOURCES = {name: one["Properties"] for name, one in FRAGMENT_PARTS["Resources"].items()}
DEFINITION = RESOURCES["TopReviewsTemplate"]["Definition"]
[SHEET] = DEFINITION["Sheets"]


def everywhere(value: Any, key: str) -> Iterator[Any]:
    """What stands under a key, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == key:
                yield inner
            yield from everywhere(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from everywhere(inner, key)


@pytest.mark.parametrize(
    ("resource", "operation", "without"),
    [
        ("TopReviewsSource", "CreateDataSource", set()),
        ("TopReviewsData", "CreateDataSet", {"IngestionWaitPolicy"}),  # CloudFormation's own
        ("TopReviewsTemplate", "CreateTemplate", set()),
        ("TopReviewsAnalysis", "CreateAnalysis", set()),
        ("TopReviewsDashboard", "CreateDashboard", set()),
    ],
)
def test_each_resource_is_a_request_that_quicksight_takes(resource: str, operation: str, without: set[str]) -> None:
    given = {name: value for name, value in RESOURCES[resource].items() if name not in without}
    found = ParamValidator().validate(given, MODEL.operation_model(operation).input_shape)
    assert found.generate_report() == ""


def test_nothing_is_made_without_a_principal() -> None:
    assert FRAGMENT_PARTS["Parameters"]["QuickSightPrincipal"]["Default"] == ""
    parts = [*FRAGMENT_PARTS["Resources"].values(), *FRAGMENT_PARTS["Outputs"].values()]
    assert {one["Condition"] for one in parts} == {"QuickSight"}


@pytest.mark.parametrize(
    ("principal", "taken"),
    [
        ("", True),
        ("arn:aws:quicksight:us-east-1:123456789012:user/default/ann@example.com", True),
        ("arn:aws-cn:quicksight:cn-north-1:123456789012:group/default/analysts", True),
        ("arn:aws:iam::123456789012:user/ann", False),
        ("ann@example.com", False),
    ],
)
def test_a_principal_is_a_user_or_a_group_of_quicksight(principal: str, taken: bool) -> None:
    pattern = FRAGMENT_PARTS["Parameters"]["QuickSightPrincipal"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, principal)) is taken


def test_the_data_set_is_the_report() -> None:
    """Names and order of the columns are the report's; of files, QuickSight takes text alone, so numbers are cast."""
    source = RESOURCES["TopReviewsData"]["PhysicalTableMap"]["report"]["S3Source"]
    assert [column["Name"] for column in source["InputColumns"]] == list(COLUMNS)
    assert {column["Type"] for column in source["InputColumns"]} == {"STRING"}
    transforms = RESOURCES["TopReviewsData"]["LogicalTableMap"]["reviews"]["DataTransforms"]
    casts = {one["CastColumnTypeOperation"]["ColumnName"]: one["CastColumnTypeOperation"] for one in transforms}
    [configuration] = DEFINITION["DataSetConfigurations"]
    assert {one["Name"]: one["DataType"] for one in configuration["DataSetSchema"]["ColumnSchemaList"]} == {
        name: casts[name]["NewColumnType"] if name in casts else "STRING" for name in COLUMNS
    }


def test_whatever_the_sheet_names_is_there() -> None:
    assert set(everywhere(DEFINITION, "ColumnName")) <= set(COLUMNS)
    assert {*everywhere(DEFINITION, "DataSetIdentifier")} == {"reviews"}
    visuals = [*everywhere(SHEET["Visuals"], "VisualId")]
    fields = [*everywhere([*everywhere(SHEET["Visuals"], "FieldWells")], "FieldId")]
    assert len(set(visuals)) == len(visuals)
    assert len(set(fields)) == len(fields)
    assert {*everywhere([*everywhere(SHEET["Visuals"], "SortConfiguration")], "FieldId")} <= set(fields)
    assert [*everywhere(SHEET["Layouts"], "ElementId")] == visuals
    assert {name for names in everywhere(DEFINITION, "VisualIds") for name in names} <= set(visuals)
    controls = [*everywhere(SHEET["FilterControls"], "FilterControlId")]
    assert [*everywhere(SHEET["SheetControlLayouts"], "ElementId")] == controls
    assert {*everywhere(SHEET, "SourceFilterId")} <= {*everywhere(DEFINITION["FilterGroups"], "FilterId")}


def test_no_two_visuals_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    [elements] = everywhere(SHEET["Layouts"], "Elements")
    for one in elements:
        rows = range(one["RowIndex"], one["RowIndex"] + one["RowSpan"])
        columns = range(one["ColumnIndex"], one["ColumnIndex"] + one["ColumnSpan"])
        cells = {(row, column) for row in rows for column in columns}
        assert columns.stop <= 36, "a grid of QuickSight has 36 columns"
        assert not cells & taken
        taken |= cells
