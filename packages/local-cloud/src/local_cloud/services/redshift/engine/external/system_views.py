"""SVV_EXTERNAL_TABLES, SVV_EXTERNAL_COLUMNS and SVV_EXTERNAL_PARTITIONS: what the Glue catalog tells."""

from __future__ import annotations

import json
from typing import Any

from local_cloud.services.redshift.engine.context import Context
from local_cloud.services.redshift.engine.external import catalog as external
from local_cloud.services.redshift.engine.inline import values


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_NAMES = {"schemaname": "VARCHAR", "tablename": "VARCHAR"}


def tables(context: Context) -> str:
    rows = []
    for name in external.tables(context):
        table = external.table_of(context, name)
        storage = table["StorageDescriptor"]
        rows.append(
            {
                "schemaname": name[0],
                "tablename": name[1],
                "tabletype": table.get("TableType"),
                "location": storage.get("Location"),
                "input_format": storage.get("InputFormat"),
                "output_format": storage.get("OutputFormat"),
                "serialization_lib": storage.get("SerdeInfo", {}).get("SerializationLibrary"),
                "serde_parameters": _json(storage.get("SerdeInfo", {}).get("Parameters", {})),
                "parameters": _json(table.get("Parameters", {})),
            }
        )
    names = ("tabletype", "location", "input_format", "output_format", "serialization_lib")
    kinds = dict.fromkeys((*names, "serde_parameters", "parameters"), "VARCHAR")
    return values({**_NAMES, **kinds}, rows)


def columns(context: Context) -> str:
    rows = []
    for name in external.tables(context):
        table = external.table_of(context, name)
        keys = [key["Name"] for key in table.get("PartitionKeys", [])]
        fields = [*table["StorageDescriptor"].get("Columns", []), *table.get("PartitionKeys", [])]
        for number, column in enumerate(fields, 1):
            part = keys.index(column["Name"]) + 1 if column["Name"] in keys else 0
            about = {"columnname": column["Name"], "external_type": column["Type"], "columnnum": number}
            rows.append({"schemaname": name[0], "tablename": name[1], **about, "part_key": part})
    kinds = {"columnname": "VARCHAR", "external_type": "VARCHAR", "columnnum": "INTEGER", "part_key": "INTEGER"}
    return values({**_NAMES, **kinds}, rows)


def partitions(context: Context) -> str:
    rows = [
        {"schemaname": name[0], "tablename": name[1], "values": _json(parts), "location": location}
        for name in external.tables(context)
        for parts, location in external.partitions(context, name)
    ]
    return values({**_NAMES, "values": "VARCHAR", "location": "VARCHAR"}, rows)
