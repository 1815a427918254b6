"""What the packages promise each other, checked where they meet: state machine, template, job and SQL."""

from __future__ import annotations

import fnmatch
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

import rs_query
from glue_ingest import arguments as ingest_arguments
from glue_ingest import store as ingest_store
from glue_transform import arguments as transform_arguments
from glue_transform import datasets, redshift
from glue_transform import drift as transform_drift
from laptop import BIN, ROOT
from local_cloud.services.cloudformation.templates import documents, loops
from local_cloud.services.stepfunctions.language.jsonata_engine import evaluate
from orchestration import pipelines, stacks
from orchestration.cli.backfill import MOST_AT_ONCE
from orchestration.pipelines import Pipeline, asl, sql
from orchestration.releases.building import build
from orchestration.trips import ownership
from orchestration.trips.drift import explain
from rs_query import arguments as query_arguments

PIPELINES = pipelines.all_pipelines()
IDS = [pipeline.name for pipeline in PIPELINES]
TRIPS = pipelines.monthly_pipelines()
TRIPS_IDS = [pipeline.name for pipeline in TRIPS]
#: The keys of the manifest's `load` object, as glue-transform writes it.
LOAD_KEYS = {"load_id", "dataset", "source_month", "rows_read", "rows_kept", "rows_rejected", "manifest"}


def template(stack: stacks.Stack) -> dict[str, Any]:
    """A stack's template with its loops written out and its mappings looked up; functions by their short names."""
    document = unrolled(stack)
    found: dict[str, Any] = _plain(document, document.get("Mappings", {}))
    return found


def unrolled(stack: stacks.Stack) -> dict[str, Any]:
    document = documents.load(stack.body)
    return loops.unroll(document, lambda parameter: document["Parameters"][parameter]["Default"].split(","))


def _plain(value: Any, mappings: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_plain(one, mappings) for one in value]
    if not isinstance(value, dict):
        return value
    plain = {name.removeprefix("Fn::"): _plain(one, mappings) for name, one in value.items()}
    if list(plain) == ["GetAtt"]:
        return {"GetAtt": ".".join(plain["GetAtt"])}
    if list(plain) == ["FindInMap"]:
        mapping, row, column = plain["FindInMap"]
        return mappings[mapping][row][column]
    if list(plain) == ["Sub"] and isinstance(plain["Sub"], list):
        text, names = plain["Sub"]
        if all(isinstance(one, str) or "Ref" in one for one in names.values()):
            for name, one in names.items():
                text = text.replace(f"${{{name}}}", one if isinstance(one, str) else f"${{{one['Ref']}}}")
            return {"Sub": text}
    return plain


def resources(kind: str) -> dict[str, dict[str, Any]]:
    found = template(stacks.pipelines_stack("test"))["Resources"]
    return {name: one["Properties"] for name, one in found.items() if one["Type"] == kind}


@pytest.mark.parametrize("stack", [stacks.artifacts_stack(), stacks.data_stack("test"), stacks.pipelines_stack("test")])
def test_the_stacks_are_what_cloudformation_takes(stack: stacks.Stack, tmp_path: Path) -> None:
    """As they are written, and with the loops written out: cfn-lint fills in a loop's item in functions alone."""
    (written := tmp_path / "template.yaml").write_text(stack.body)
    (wide := tmp_path / "unrolled.json").write_text(json.dumps(unrolled(stack) | {"Transform": []}))
    for file, ignored in ((written, ["E3015", "W8001"]), (wide, ["W2001"])):
        command = [str(BIN / "cfn-lint"), "--ignore-checks", *ignored, "--", str(file)]
        checked = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout) == (0, "")


#: What is deployed of each pipeline of trips, by its logical name and by its own: another name is another resource, and
#: the one that is there would be deleted by an update.
DEPLOYED = {
    "": ("AWS::StepFunctions::StateMachine", "StateMachineName", ""),
    "Version": ("AWS::StepFunctions::StateMachineVersion", "", ""),
    "Live": ("AWS::StepFunctions::StateMachineAlias", "Name", ""),
    "Monthly": ("AWS::Scheduler::Schedule", "Name", ""),
    "OverdueCheck": ("AWS::Scheduler::Schedule", "Name", "-overdue"),
    "Failed": ("AWS::Events::Rule", "Name", "-failed"),
    "Slow": ("AWS::CloudWatch::Alarm", "AlarmName", "-slow"),
    "Overdue": ("AWS::CloudWatch::Alarm", "AlarmName", "-overdue"),
}


@pytest.mark.parametrize("pipeline", TRIPS, ids=TRIPS_IDS)
def test_what_is_deployed_of_a_pipeline_keeps_its_names(pipeline: Pipeline) -> None:
    found = template(stacks.pipelines_stack("test"))["Resources"]
    for suffix, (kind, property_, ending) in DEPLOYED.items():
        resource = found[pipelines.camel(pipeline.name) + suffix]
        assert resource["Type"] == kind
        if suffix == "Live":
            assert resource["Properties"]["Name"] == "live"
        elif property_:
            assert resource["Properties"][property_] == {"Sub": f"elt-${{Environment}}-{pipeline.name}{ending}"}


def load_month(pipeline: Pipeline) -> str:
    (file,) = pipeline.sql_files
    return sql.render(pipeline, file, ROOT / "packages" / build.DATASETS)


@pytest.mark.parametrize("pipeline", TRIPS, ids=TRIPS_IDS)
def test_the_table_is_the_datasets(pipeline: Pipeline) -> None:
    def columns(sql: str) -> list[tuple[str, str]]:
        created = sqlglot.parse_one(sql, read="redshift")
        return [(column.name, column.kind.sql("redshift")) for column in created.find_all(exp.ColumnDef)]

    dataset = datasets.load(pipeline.dataset)
    sql = load_month(pipeline).replace(':"schema"', "public")
    created, *_ = rs_query.split(sql)
    assert columns(created.text) == columns(redshift.create_table(dataset))
    (copied,) = re.findall(r"COPY\s+([\w.]+)\s*\(([^)]*)\)", sql)
    assert f"CREATE TEMP TABLE {copied[0]} (LIKE {pipeline.table})" in sql
    assert f"INSERT INTO {pipeline.table} SELECT * FROM {copied[0]}" in sql
    assert ", ".join(copied[1].replace(",", " ").split()) == redshift.copy_columns(dataset)


@pytest.mark.parametrize("pipeline", TRIPS, ids=TRIPS_IDS)
def test_the_sql_takes_what_the_manifest_gives(pipeline: Pipeline) -> None:
    used = {one.name for statement in rs_query.split(load_month(pipeline)) for one in statement.placeholders}
    assert used == LOAD_KEYS | {"schema"}


@pytest.mark.parametrize("pipeline", TRIPS, ids=TRIPS_IDS)
def test_the_load_copies_before_the_transaction_that_locks_and_replaces(pipeline: Pipeline) -> None:
    statements = rs_query.split(load_month(pipeline))
    words = [statement.text.split()[0] for statement in statements]
    assert words == ["CREATE"] * 3 + [
        "COPY",
        "SELECT",
        "BEGIN",
        "LOCK",
        "DELETE",
        "INSERT",
        "SELECT",
        "INSERT",
        "COMMIT",
    ]
    (lock,) = [statement.text for statement in statements if statement.text.startswith("LOCK")]
    assert lock.split('"schema".')[1:] == [pipeline.table.rpartition(".")[2]], "the audit is other datasets' too"
    assert [statement.text.split()[0] for statement in statements if statement.expectation] == ["SELECT", "SELECT"]


def test_a_file_is_compared_in_the_parts_that_ingest_uploads() -> None:
    assert ownership.PART_SIZE == ingest_store.PART_SIZE


REVIEWS = pipelines.load_daily("reviews")
REVIEWS_SQL = {
    "SchemaSetupJob": ("schema.sql", ["CREATE", "DROP", "CREATE", "ALTER", "CREATE", "CREATE"]),
    "ETLJob": (
        "etl.sql",
        ["BEGIN", "LOCK", "CREATE", *4 * ["SELECT"], "CREATE", "INSERT", "DELETE", "INSERT", "SELECT", "COMMIT"],
    ),
    "ReportJob": ("top_reviews.sql", ["CREATE", "CREATE", "UNLOAD", "UNLOAD"]),
}


@pytest.mark.parametrize(("state", "file", "words"), [(name, *told) for name, told in REVIEWS_SQL.items()])
def test_the_sql_of_reviews_takes_what_its_state_gives(state: str, file: str, words: list[str]) -> None:
    statements = rs_query.split((REVIEWS.folder / "sql" / file).read_text(encoding="utf-8"))
    assert [statement.text.split()[0] for statement in statements] == words
    used = {one.name for statement in statements for one in statement.placeholders}
    given = json.loads(asl.read(REVIEWS.definition))["States"][state]["Arguments"]["Arguments"]
    assert given["--sql"] == f"${{Sql}}/{file}"
    assert set(re.findall(r"'(\w+)':", given["--params"])) - {"partitions"} == used


def test_the_table_of_reviews_is_its_source_with_the_category() -> None:
    def columns(sql: str) -> list[str]:
        return [" ".join(line.split()) for line in sql.partition("(\n")[2].partition("\n)")[0].split(",\n")]

    _, _, external, _, table, _ = rs_query.split((REVIEWS.folder / "sql" / "schema.sql").read_text(encoding="utf-8"))
    assert "CREATE EXTERNAL TABLE amzreviews.reviews" in external.text
    assert "PARTITIONED BY (product_category VARCHAR(64))" in external.text
    stored = [column.removesuffix(" NOT NULL") for column in columns(table.text)]
    assert [column for column in stored if column != "product_category VARCHAR(64)"] == columns(external.text)
    assert table.text.endswith("DISTKEY (product_id)\nSORTKEY (review_date)")


def states(machine: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from machine["States"].items()


#: Telling of a failure, or of its end, fails nothing; a turn that another run got is waited for.
AFTER_A_FAILURE = {
    "SetFailureMark": ("IsPartOfBackfill", "NotifyFailure"),
    "NotifyFailure": ("PipelineFailed",),
    "ClearFailureMark": ("PipelineSucceeded",),
    "NotifyRecovery": ("PipelineSucceeded",),
    "SetWaitingMark": ("NotifyWaiting",),
    "TakeTurn": ("IsTurnLost",),
}


@pytest.mark.parametrize("pipeline", PIPELINES, ids=IDS)
def test_every_task_has_a_timeout_and_fails_into_the_alert(pipeline: Pipeline) -> None:
    for name, state in states(json.loads(asl.read(pipeline.definition))):
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] <= 3600, name
            *named, caught = state["Catch"]
            assert caught["ErrorEquals"] == ["States.ALL"]
            assert not any(one["ErrorEquals"][0].startswith("States.") for one in named), name
            usual = "MayWaitForSlot" if state["Resource"].endswith("glue:startJobRun.sync") else "DescribeFailure"
            assert caught["Next"] in AFTER_A_FAILURE.get(name, (usual,)), name


PARSERS: dict[str, Callable[[Sequence[str]], Any]] = {
    "IngestRaw": ingest_arguments.parse,
    "TransformTrips": transform_arguments.parse,
    "TransformTripsSpark": transform_arguments.parse,
    "RsQuery": query_arguments.parse,
}
#: What these jobs are given for Glue itself.
GLUES = {
    "--scriptLocation", "--additional-python-modules", "--python-modules-installer-option", "--extra-py-files",
    "--enable-metrics", "--enable-continuous-cloudwatch-log", "--enable-observability-metrics", "--enable-job-insights",
    "--job-language", "--library-set",
}  # fmt: skip
EXAMPLES = {"--dataset": "yellow", "--year": "2024", "--month": "09", "--force": "false"}


def example(name: str, value: Any) -> str:
    """A value such as the argument has when a job gets it."""
    if name in EXAMPLES:
        return EXAMPLES[name]
    if name == "--source_url":
        return "https://example.com/{dataset}-{year}-{month}"
    return value if isinstance(value, str) and value.isalnum() else "example"


@pytest.mark.parametrize("pipeline", PIPELINES, ids=IDS)
def test_every_job_takes_the_arguments_it_gets_and_no_others(pipeline: Pipeline) -> None:
    jobs = resources("AWS::Glue::Job")
    (machine,) = [
        one
        for one in resources("AWS::StepFunctions::StateMachine").values()
        if one["DefinitionSubstitutions"].get("Pipeline") == pipeline.name
    ]
    substitutions = machine["DefinitionSubstitutions"]
    text = asl.read(pipeline.definition)
    assert set(re.findall(r"\$\{(\w+)\}", text)) == set(substitutions), "substitutions and their use"
    for _, state in states(json.loads(text)):
        if state.get("Resource", "").startswith("arn:aws:states:::glue:startJobRun"):
            for name in job_names(state["Arguments"]["JobName"], text):
                job = substitutions[name]["Ref"]
                given = {**jobs[job]["DefaultArguments"], **state["Arguments"]["Arguments"]}
                argv = [word for name, value in given.items() for word in (name, example(name, value))]
                passed_over = PARSERS[job](["--JOB_NAME", job, "--JOB_RUN_ID", "jr_1", *argv]).passed_over
                assert set(passed_over) == {"--JOB_NAME", "--JOB_RUN_ID", *(GLUES & set(given))}


def job_names(given: str, text: str) -> list[str]:
    """The substitutions a task's job may be: the one it names, or those its variable is assigned."""
    variable = re.fullmatch(r"\{% \$(\w+) %\}", given)
    found = re.findall(rf'"{variable[1]}": "\$\{{(\w+)\}}"', text) if variable else [given.strip("${}")]
    assert found, given
    return found


@pytest.mark.parametrize("name", pipelines.find_scheduled())
def test_a_schedule_starts_its_own_pipeline_and_the_trigger_may_start_it(name: str) -> None:
    camel, pipeline = pipelines.camel(name), pipelines.load(name)
    starts = {
        given["state_machine"]: (schedule["State"], given)
        for schedule in resources("AWS::Scheduler::Schedule").values()
        if schedule["Target"]["Arn"] == {"GetAtt": "Trigger.Arn"}
        for given in [json.loads(schedule["Target"]["Input"]["Sub"])]
    }
    state, given = starts[f"${{{camel}Live}}"]
    assert (state, given["dataset"]) == ({"Ref": f"{camel}Schedule"}, pipeline.dataset)
    if pipeline.name in {one.name for one in pipelines.monthly_pipelines()}:
        assert (given["pipeline"], given["source"]) == (name, "${TripsSourceUrl}")
        assert reaches("TriggerRole", "states:ListExecutions", name)
    assert reaches("TriggerRole", "states:StartExecution", name)


def reaches(role: str, action: str, pipeline: str) -> bool:
    """Whether a role may do something to the machine of a pipeline, which it has by reference or by its name."""
    machine = pipelines.camel(pipeline)
    name = resources("AWS::StepFunctions::StateMachine")[machine]["StateMachineName"]["Sub"]
    return any(
        one == {"Ref": machine} or fnmatch.fnmatch(name, one.get("Sub", "").rpartition(":")[2])
        for one in allowed(role, action)
    )


def allowed(role: str, action: str) -> list[Any]:
    """The resources that the statement of a role's policies allows an action on."""
    (found,) = [
        statement["Resource"]
        for policy in resources("AWS::IAM::Role")[role]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if action in [statement["Action"], *statement["Action"]]
    ]
    return found if isinstance(found, list) else [found]


def test_of_every_machine_what_fails_unseen_is_handed_to_the_function_that_mails_it() -> None:
    rules = resources("AWS::Events::Rule")
    assert set(rules) == {f"{machine}Failed" for machine in resources("AWS::StepFunctions::StateMachine")}
    for name, rule in rules.items():
        assert rule["EventPattern"] == {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [{"Ref": name.removesuffix("Failed")}], "status": ENDS},
        }
        (target,) = rule["Targets"]
        assert target["Arn"] == {"GetAtt": "Failures.Arn"}
        assert target["DeadLetterConfig"] == {"Arn": {"GetAtt": "Undelivered.Arn"}}
        assert rule["Name"]["Sub"].endswith("-failed"), "the function lets these rules call it"


ENDS = ["FAILED", "TIMED_OUT", "ABORTED"]


BACKFILL = asl.read(Path(pipelines.__file__).parent / "backfill" / "state_machine.asl.yaml")


def test_the_backfill_knows_every_monthly_pipeline() -> None:
    found = resources("AWS::StepFunctions::StateMachine")["Backfill"]["DefinitionSubstitutions"]
    assert set(re.findall(r"\$\{(\w+)\}", BACKFILL)) == set(found), "substitutions and their use"
    known = json.loads(BACKFILL)["States"]["KnownPipelines"]["Assign"]["datasets"].strip("{%}")
    assert evaluate(known.replace("${Pipelines}", found["Pipelines"]), {}) == {one.name: one.dataset for one in TRIPS}
    for pipeline in TRIPS:
        assert reaches("BackfillRole", "states:StartExecution", pipeline.name)


def test_the_jobs_allow_as_many_runs_as_a_backfill_starts() -> None:
    allowed = {name: job["ExecutionProperty"]["MaxConcurrentRuns"] for name, job in resources("AWS::Glue::Job").items()}
    assert min(allowed[name] for name in ("IngestRaw", "TransformTrips", "RsQuery")) >= MOST_AT_ONCE


def test_every_task_of_the_backfill_has_a_timeout_and_fails_into_a_record_or_the_alert() -> None:
    backfill = json.loads(BACKFILL)
    months = backfill["States"]["RunMonths"]
    caught = {
        name: [one["Next"] for one in state["Catch"] if one["ErrorEquals"] == ["States.ALL"]]
        for name, state in (*states(backfill), *states(months["ItemProcessor"]))
        if state["Type"] in ("Task", "Map")
    }
    assert caught == {
        "RunMonths": ["NotifyFailure"],
        "RunMonth": ["MonthFailed"],
        "ReadManifest": ["MonthFailed"],
        "NotifyRecovery": ["BackfillSucceeded"],
        "NotifyFailure": ["BackfillFailed"],
    }
    (trips,) = {json.loads(asl.read(one.definition))["TimeoutSeconds"] for one in TRIPS}
    assert months["ItemProcessor"]["States"]["RunMonth"]["TimeoutSeconds"] > trips, "a month's own timeout comes first"


def test_the_rules_of_storage_are_for_every_dataset_of_trips() -> None:
    datasets = {one.dataset for one in TRIPS if one.shares_its_machine}
    buckets = template(stacks.data_stack("test"))["Resources"]
    rules = {
        name: {rule.get("Prefix", "") for rule in buckets[name]["Properties"]["LifecycleConfiguration"]["Rules"]}
        for name in ("RawBucket", "ProcessedBucket")
    }
    assert {f"{one}/" for one in datasets} <= rules["RawBucket"], "months that are rarely read move to cheaper storage"
    assert {f"{one}_rejected/" for one in datasets} <= rules["ProcessedBucket"], "rejects do not pile up"


def test_every_kind_of_drift_has_words_that_its_fields_fill_in() -> None:
    kinds = {value for name, value in vars(transform_drift).items() if name.isupper() and isinstance(value, str)}
    line = {"column": "a", "type": "text", "into": "b", "read_as": "wall clock"}
    assert kinds == {"new_column", "unreadable_values", "zoned_times", "times_of_unknown_zone", "renamed_in_rejects"}
    assert not [kind for kind in kinds if explain({**line, "change": kind}).startswith("{")]
