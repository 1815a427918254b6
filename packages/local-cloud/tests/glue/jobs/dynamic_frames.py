"""A Glue job as people write it. Prints what each of its steps gives, for the test to compare."""

import contextlib
import io
import json
import sys

from awsglue import DynamicFrame
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrameCollection
from awsglue.job import Job
from awsglue.transforms import *
from awsglue.utils import getResolvedOptions
from pyspark.context import SparkContext

options = getResolvedOptions(sys.argv, ["JOB_NAME", "bucket"])
context = GlueContext(SparkContext.getOrCreate())
spark = context.spark_session
job = Job(context)
job.init(options["JOB_NAME"], options)
bucket = f"s3://{options['bucket']}"
results = {}


def rows(frame):
    """The rows of a DynamicFrame as dictionaries, in their own order."""
    return sorted((row.asDict(recursive=True) for row in frame.toDF().collect()), key=str)


def refusal(call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except (NotImplementedError, ValueError, TypeError) as error:
        return f"{type(error).__name__}: {str(error).split(' needs AWS')[0]}"
    return "no error"


def printed(frame):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        frame.printSchema()
    return out.getvalue().splitlines()


# -- files by their paths -----------------------------------------------------------------------------------------
orders = context.create_dynamic_frame.from_options(
    connection_type="s3",
    connection_options={"paths": [f"{bucket}/orders/"], "recurse": True},
    format="csv",
    format_options={"withHeader": True, "separator": ","},
    transformation_ctx="orders",
)
results["csv"] = rows(orders)
headless = context.create_dynamic_frame_from_options("s3", {"paths": [f"{bucket}/orders/"], "recurse": True}, "csv")
results["csv without header"] = [headless.count(), headless.toDF().columns]
people = context.create_dynamic_frame.from_options("s3", {"paths": [f"{bucket}/people/"]}, "json")
results["json schema"] = printed(people)

# -- mappings -----------------------------------------------------------------------------------------------------
mapped = ApplyMapping.apply(
    frame=orders,
    mappings=[
        ("ID", "string", "id", "long"),
        ("amount", "string", "money.amount", "decimal(6,2)"),
        ("day", "string", "money.day", "date"),
        ("`who.name`", "string", "who", "string"),
        ("absent", "string", "absent", "string"),
    ],
    transformation_ctx="mapped",
)
results["mapping"] = [rows(mapped), printed(mapped)]
results["case matters"] = (
    orders.apply_mapping([("ID", "string", "a", "int"), ("id", "string", "b", "int")], case_sensitive=True)
    .toDF()
    .columns
)
results["nested"] = rows(people.select_fields(["name", "address.city"]))
results["dropped"] = people.drop_fields(["address.zip", "tags", "nothing"]).schema().simpleString()
results["last field dropped"] = DropFields.apply(frame=mapped, paths=["money.amount", "money.day"]).toDF().columns
results["renamed"] = RenameField.apply(mapped, "who", "person").toDF().columns
results["renamed from a struct"] = people.rename_field("address.city", "city").schema().simpleString()
nulls = spark.sql("select 1 as a, null as b, struct(null as c, 2 as d) as e, cast(null as int) as f")
results["null fields"] = (
    DropNullFields.apply(DynamicFrame.fromDF(nulls, context, "nulls"), "ctx").schema().simpleString()
)

# -- functions ----------------------------------------------------------------------------------------------------
results["filter"] = [row["id"] for row in rows(Filter.apply(frame=mapped, f=lambda r: r["money"]["amount"] > 2))]
results["filter by attribute"] = people.filter(lambda r: r.address.city == "Rome").count()


def enrich(record):
    record["twice"] = record["id"] * 2
    record["money"]["currency"] = "EUR"
    del record["who"]
    return record


changed = Map.apply(frame=mapped, f=enrich, transformation_ctx="map")
results["map"] = [rows(changed), changed.schema().simpleString()]
joined = Join.apply(orders.select_fields(["id", "amount"]), people.select_fields(["id", "name"]), "id", "id")
results["join"] = rows(joined)

# -- the catalog --------------------------------------------------------------------------------------------------
table = context.create_dynamic_frame.from_catalog(database="shop", table_name="sales", transformation_ctx="sales")
results["choice"] = [printed(table), table.count()]
cast = table.resolveChoice(specs=[("qty", "cast:long")])
results["cast"] = sorted((row["sku"], row["qty"], row["year"]) for row in rows(cast))
results["projected"] = sorted(str(row["qty"]) for row in rows(table.resolveChoice(specs=[("qty", "project:string")])))
results["columns"] = ResolveChoice.apply(frame=table, choice="make_cols").toDF().columns
results["struct"] = table.resolveChoice(choice="make_struct").schema().simpleString()
results["by the catalog"] = (
    table.resolveChoice(choice="match_catalog", database="shop", table_name="sales").schema().simpleString()
)
results["mapped choice"] = sorted(
    str(row["n"]) for row in rows(table.apply_mapping([("qty", "int", "n", "int"), ("sku", "string", "s", "string")]))
)
results["filtered choice"] = table.filter(lambda r: r["qty"] == "many").count()
results["predicate"] = context.create_dynamic_frame.from_catalog(
    database="shop", table_name="sales", push_down_predicate="year > 2023"
).count()
results["no partition"] = (
    context.create_dynamic_frame.from_catalog(name_space="shop", table_name="sales", push_down_predicate="year > 3000")
    .schema()
    .simpleString()
)

# -- writing ------------------------------------------------------------------------------------------------------
context.write_dynamic_frame.from_options(
    frame=cast,
    connection_type="s3",
    connection_options={"path": f"{bucket}/out/", "partitionKeys": ["year"]},
    format="glueparquet",
    format_options={"compression": "gzip"},
)
results["parquet"] = sorted(
    tuple(row) for row in spark.read.parquet(f"{bucket}/out/").select("sku", "qty", "year").collect()
)
context.write_dynamic_frame.from_catalog(frame=orders.select_fields(["id", "day"]), database="shop", table_name="days")
results["by catalog"] = rows(context.create_dynamic_frame.from_catalog(database="shop", table_name="days"))
collected = DynamicFrameCollection({"cast": cast}, context)
results["collection"] = SelectFromCollection.apply(dfc=collected, key="cast").count()

# -- what is refused ----------------------------------------------------------------------------------------------
results["refused"] = [
    refusal(lambda: context.getSink),
    refusal(lambda: context.create_dynamic_frame.from_dynamodb),
    refusal(lambda: people.unnest),
    refusal(Relationalize.apply, people, "/tmp", "root"),
    refusal(context.create_dynamic_frame_from_options, "mysql", {"url": "jdbc:mysql://x"}),
    refusal(context.create_dynamic_frame_from_options, "s3", {"paths": ["s3://a"]}, "avro"),
    refusal(context.create_dynamic_frame_from_options, "s3", {"paths": ["s3://a"], "exclusions": "[]"}, "csv"),
    refusal(context.create_dynamic_frame_from_options, "s3", {"paths": ["s3://a"]}, "csv", {"header": True}),
    refusal(context.write_dynamic_frame_from_options, table, "s3", {"path": f"{bucket}/no/"}, "csv"),
    refusal(context.write_dynamic_frame_from_options, spark.range(1), "s3", {"path": f"{bucket}/no/"}, "csv"),
    refusal(people.resolveChoice, specs=[("name", "make_cols")]),
    refusal(people.resolveChoice, specs=[("name", "vast:int")]),
    refusal(people.resolveChoice),
    refusal(people.apply_mapping, [("a", "b")]),
    refusal(people.select_fields, ["tags[].x"]),
    refusal(people.filter, lambda r: True, stage_threshold=1),
]
print(json.dumps(results, default=str))
job.commit()
