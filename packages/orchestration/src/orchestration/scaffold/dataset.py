"""A dataset and its pipeline, proposed from a sample; and the era of a sample whose shape is new."""

from __future__ import annotations

import json
import tempfile
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomllib

from orchestration.errors import UsageError
from orchestration.scaffold import sample as samples
from orchestration.scaffold.sample import Column, Sample

DATASETS = "packages/glue-transform/src/glue_transform/datasets"
_TESTS = "packages/glue-transform/tests"
#: Rows of the sample that the test keeps.
_ROWS = 100

_PIPELINE = """\
# {name}, by month.
name = "{name}-trips"
dataset = "{dataset}"
table = "public.{dataset}_trips"
period = "month"
state_machine = "../trips/state_machine.asl.yaml"
first_month = "{month}"
"""

_TEST = '''\
"""{name}: the rows of a sample, as the table gets them."""

from __future__ import annotations

from typing import Any

from samples import check_sample


def test_every_row_of_the_sample_is_kept_or_rejected_by_a_rule(lake: Any, engine: str) -> None:
    check_sample(lake, engine, "{dataset}", year={year}, month={month}, rows={rows})
'''


_ABOUT_ERAS = """\
# Which of the file's columns become which of the table's. The first era whose columns are all in the file is the
# file's; columns in `also` are known and left out, any other is reported as drift.
"""

_RULES = """\
# A row is kept when it breaks none; otherwise it is rejected under the name of the first that it breaks. A value that
# its column cannot hold comes before all of these, under the column's name and `_invalid`.
[[rules]]
name = "PICKUP_missing"
broken = "PICKUP IS NULL"

[[rules]]
name = "PICKUP_outside_month"
broken = "PICKUP < :month_start - INTERVAL 1 DAY OR PICKUP >= :month_end + INTERVAL 1 DAY"
"""


def propose(name: str, sample: Sample) -> dict[str, bytes]:
    """Return the files of a dataset and of its pipeline, with a test, by their path in the checkout."""
    dataset = name.replace("-", "_")
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few.parquet"
        rows = samples.head(sample, few, rows=_ROWS)
        kept = few.read_bytes()
    month = sample.month
    test = _TEST.format(name=name, dataset=dataset, year=month.year, month=month.number, rows=rows)
    pipeline = _PIPELINE.format(name=name, dataset=dataset, month=month)
    return {
        f"{DATASETS}/{dataset}.toml": _describe(dataset, sample).encode(),
        f"packages/orchestration/src/orchestration/pipelines/{dataset}_trips/pipeline.toml": pipeline.encode(),
        f"{_TESTS}/samples/{dataset}_tripdata_{month}.parquet": kept,
        f"{_TESTS}/test_{dataset}_sample.py": test.encode(),
    }


def _describe(dataset: str, sample: Sample) -> str:
    pickup = sample.pickup.name
    loaded = {one.name: one.source for one in sample.loadable}
    return "".join(
        [
            f"# {dataset} as published since {sample.month}, and the table that it becomes.\n",
            f'table = "{dataset}_trips"\nfile = "{dataset}_tripdata_{{year}}-{{month}}.parquet"\n\n',
            _columns(sample.loadable),
            _ABOUT_ERAS,
            _era(str(sample.month), loaded, [one.source for one in sample.left_out]),
            _RULES.replace("PICKUP", pickup),
        ]
    )


def add_era(text: str, sample: Sample) -> tuple[str, list[Column]]:
    """Return a dataset's TOML with an era for the sample's shape, and the columns that are new.

    The era stands first: the newest whose columns the sample has, with what is new. Errors: UsageError where nothing is
    new, or where the sample has no era's columns.
    """
    content = tomllib.loads(text)
    eras = content["eras"]
    found = {_plain(one.source) for one in sample.columns}
    base = next((era for era in eras if {_plain(one) for one in era["columns"].values()} <= found), None)
    if base is None:
        raise UsageError(
            f"{sample.file.name} lacks {', '.join(_lacking(eras[0], found))}, which the newest era loads: write an era "
            "by hand that says what takes their place"
        )
    known = {_plain(one) for one in [*base["columns"].values(), *base.get("marks", []), *base.get("also", [])]}
    new = [one for one in sample.loadable if _plain(one.source) not in known]
    also = [one.source for one in sample.left_out if _plain(one.source) not in known]
    if not new:
        raise UsageError(f"{sample.file.name} has no column that the era {base['name']} does not know: nothing to add")
    have = {one["name"] for one in content["columns"]}
    if any(era["name"] == str(sample.month) for era in eras):
        raise UsageError(f"there is an era {sample.month} already: add to it by hand")
    columns = {**base["columns"], **{one.name: one.source for one in new}}
    era = _era(str(sample.month), columns, [*base.get("also", []), *also], base.get("marks", []))
    added = _columns([one for one in new if one.name not in have])
    head, _, rest = text.partition("[[eras]]\n")
    before, comment = _split_comment(head)
    return f"{before}{added}{comment}{era}[[eras]]\n{rest}", new


def _lacking(era: Mapping[str, Any], found: set[str]) -> list[str]:
    return [one for one in era["columns"].values() if _plain(one) not in found]


def _split_comment(head: str) -> tuple[str, str]:
    """Split the comment off that stands right before the eras."""
    lines = head.splitlines(keepends=True)
    at = len(lines)
    while at and lines[at - 1].startswith("#"):
        at -= 1
    return "".join(lines[:at]), "".join(lines[at:])


def _plain(name: str) -> str:
    """Return a name as glue-transform compares it: without blanks, in lower case."""
    return name.replace(" ", "").lower()


def _columns(columns: Iterable[Column]) -> str:
    return "".join(f'[[columns]]\nname = "{one.name}"\ntype = "{one.type}"\n\n' for one in columns)


def _era(name: str, columns: Mapping[str, str], also: list[str], marks: Iterable[str] = ()) -> str:
    lines = ["[[eras]]", f'name = "{name}"']
    if marks := list(marks):
        lines.append(f"marks = {json.dumps(marks, ensure_ascii=False)}")
    if also:
        words = textwrap.wrap(", ".join(json.dumps(one, ensure_ascii=False) for one in also), 110)
        lines += ["also = [", *(f"    {one}" for one in words), "]"]
    lines += ["", "[eras.columns]", *(f"{key} = {json.dumps(one, ensure_ascii=False)}" for key, one in columns.items())]
    return "\n".join(lines) + "\n\n"
