"""The SQL that a release publishes: what pipelines share is written out for each, by its dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.errors import PublishError
from orchestration.pipelines import sql

DATASET = """\
table = "fhv_trips"
[[columns]]
name = "pickup_datetime"
type = "TIMESTAMP"
[[columns]]
name = "base"
type = "VARCHAR(6)"
"""
SHARED = "CREATE TABLE ${Table} (\n    ${Columns}\n);\nCOPY ${Table} (\n    ${ColumnNames}\n) FROM :manifest;\n"


def pipelines_with(folder: Path, *, text: str = SHARED, dataset: str = DATASET) -> tuple[Path, Path]:
    """A folder of pipelines, of which one shares its SQL and one has its own, and one of datasets."""
    own = 'table = "public.{0}"\nperiod = "month"\nfirst_month = "2015-01"\n'
    for name, machine in (("fhv_trips", "../trips/state_machine.asl.yaml"), ("zones", "state_machine.asl.yaml")):
        (folder / "pipelines" / name).mkdir(parents=True)
        (folder / "pipelines" / name / "pipeline.toml").write_text(
            f'name = "{name.replace("_", "-")}"\ndataset = "fhv"\nstate_machine = "{machine}"\n' + own.format(name)
        )
    for name, content in (("trips", text), ("zones", "SELECT ${1};\n")):
        (folder / "pipelines" / name / "sql").mkdir(parents=True)
        (folder / "pipelines" / name / "sql" / "load.sql").write_text(content)
    (folder / "datasets").mkdir()
    (folder / "datasets" / "fhv.toml").write_text(dataset)
    return folder / "pipelines", folder / "datasets"


def test_shared_sql_has_the_table_and_the_columns_of_each_dataset(tmp_path: Path) -> None:
    assert sql.render_all(*pipelines_with(tmp_path)) == {
        "fhv_trips/sql/load.sql": (
            "CREATE TABLE fhv_trips (\n"
            "    pickup_datetime TIMESTAMP,\n"
            "    base            VARCHAR(6),\n"
            "    source_month    DATE\n"
            ");\n"
            "COPY fhv_trips (\n    pickup_datetime, base, source_month\n) FROM :manifest;\n"
        ),
        "zones/sql/load.sql": "SELECT ${1};\n",
    }


def test_a_name_that_stands_for_nothing_is_refused(tmp_path: Path) -> None:
    folder, datasets = pipelines_with(tmp_path, text="SELECT * FROM ${Tabel};\n")
    with pytest.raises(PublishError) as refused:
        sql.render_all(folder, datasets)
    file = folder / "trips" / "sql" / "load.sql"
    assert str(refused.value) == f"{file}: 'Tabel' stands for nothing; what does: ColumnNames, Columns, Table"


def test_a_dataset_that_cannot_be_read_is_refused_with_the_pipeline_that_names_it(tmp_path: Path) -> None:
    folder, datasets = pipelines_with(tmp_path)
    (datasets / "fhv.toml").unlink()
    with pytest.raises(PublishError, match=r"^the dataset 'fhv' of \S+/fhv_trips/pipeline.toml cannot be read: "):
        sql.render_all(folder, datasets)
