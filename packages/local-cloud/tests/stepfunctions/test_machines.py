"""State machines, their versions and aliases, and tags."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections import Counter

import pytest

ROLE = "arn:aws:iam::123456789012:role/machine"
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine"


def echo(number=0):
    """A definition that puts out its number."""
    return {"StartAt": "S", "States": {"S": {"Type": "Pass", "Result": number, "End": True}}}


def text(number=0):
    return json.dumps(echo(number), indent=2)


def test_a_machine_from_creation_to_deletion(sfn):
    created = sfn.api.create_state_machine(
        name="first", definition=text(), roleArn=ROLE, tags=[{"key": "team", "value": "data"}]
    )
    arn = created["stateMachineArn"]
    assert arn == f"{ARN}:first"
    described = sfn.api.describe_state_machine(stateMachineArn=arn)
    del described["ResponseMetadata"]
    assert described == {
        "stateMachineArn": arn,
        "name": "first",
        "status": "ACTIVE",
        "definition": text(),
        "roleArn": ROLE,
        "type": "STANDARD",
        "creationDate": created["creationDate"],
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
        "tracingConfiguration": {"enabled": False},
        "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
    }
    execution = sfn.start(arn)
    sfn.wait(execution)
    assert sfn.api.delete_state_machine(stateMachineArn=arn)["ResponseMetadata"]["HTTPStatusCode"] == 200
    sfn.api.delete_state_machine(stateMachineArn=arn)
    gone = ("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
    for operation in ("describe_state_machine", "list_executions", "start_execution"):
        assert sfn.refused(operation, stateMachineArn=arn) == gone
    assert sfn.refused("describe_execution", executionArn=execution)[0] == "ExecutionDoesNotExist"


def test_a_machine_is_deleted_with_what_it_runs(sfn):
    machine = sfn.machine(sfn.one({"Type": "Wait", "Seconds": 3600}))
    execution = sfn.start(machine)
    sfn.api.delete_state_machine(stateMachineArn=machine)
    assert sfn.refused("describe_execution", executionArn=execution)[0] == "ExecutionDoesNotExist"


def test_creating_the_same_again(sfn):
    request = {"name": "again", "definition": text(), "roleArn": ROLE}
    first = sfn.api.create_state_machine(**request)
    again = sfn.api.create_state_machine(**request)
    assert (again["stateMachineArn"], again["creationDate"]) == (first["stateMachineArn"], first["creationDate"])
    exists = ("StateMachineAlreadyExists", f"State Machine Already Exists: '{first['stateMachineArn']}'")
    for other in ({"definition": text(1)}, {"type": "EXPRESS"}, {"tracingConfiguration": {"enabled": True}}):
        assert sfn.refused("create_state_machine", **request | other) == exists


@pytest.mark.parametrize("name", ["a b", "a<b", "a*b", "a#b", "a:b", "a/b", 'a"b', "a\x00b", "a$b"])
def test_names_that_are_refused(sfn, name):
    refused = sfn.refused("create_state_machine", name=name, definition=text(), roleArn=ROLE)
    assert refused == ("InvalidName", f"Invalid Name: '{name}'")


@pytest.mark.parametrize("name", ["a", "x" * 80, "a-b_c.d+e=f@g!", "ü"])
def test_names_that_are_not(sfn, name):
    arn = sfn.api.create_state_machine(name=name, definition=text(), roleArn=ROLE)["stateMachineArn"]
    assert sfn.api.describe_state_machine(stateMachineArn=arn)["name"] == name


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        ("nonsense", "InvalidArn"),
        ("arn:aws:states:us-east-1:123456789012:activity:a", "InvalidArn"),
        (f"{ARN}:nobody", "StateMachineDoesNotExist"),
    ],
)
def test_arns_that_are_refused(sfn, arn, code):
    assert sfn.refused("describe_state_machine", stateMachineArn=arn)[0] == code
    assert sfn.refused("start_execution", stateMachineArn=arn)[0] == code


def test_text_that_is_no_arn_is_said_to_be_none(sfn):
    refused = sfn.refused("describe_state_machine", stateMachineArn="nonsense")
    assert refused == ("InvalidArn", "Invalid Arn: 'Invalid ARN prefix: nonsense'")


def test_pages_of_machines(sfn):
    for number in range(5):
        sfn.api.create_state_machine(name=f"paged-{number}", definition=text(), roleArn=ROLE)
    pages = sfn.api.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 2})
    listed = [(page, each["name"]) for page, answer in enumerate(pages) for each in answer["stateMachines"]]
    assert [name for _, name in listed] == sorted(name for _, name in listed)
    assert {f"paged-{number}" for number in range(5)} <= {name for _, name in listed}
    assert max(Counter(page for page, _ in listed).values()) == 2
    assert sfn.refused("list_state_machines", maxResults=1001)[0] == "ValidationException"


def test_what_runs_keeps_its_definition(sfn):
    waits = sfn.chain({"Type": "Wait", "Seconds": 1}, {"Type": "Pass", "Result": "old"})
    machine = sfn.machine(waits)
    execution = sfn.start(machine)
    other = sfn.cloud.role("other")
    updated = sfn.api.update_state_machine(stateMachineArn=machine, definition=text(7), roleArn=other)
    assert updated["revisionId"]
    described = sfn.api.describe_state_machine(stateMachineArn=machine)
    assert (described["definition"], described["roleArn"]) == (text(7), other)
    assert described["revisionId"] == updated["revisionId"]
    of_execution = sfn.api.describe_state_machine_for_execution(executionArn=execution)
    assert json.loads(of_execution["definition"]) == waits
    assert (of_execution["roleArn"], of_execution["stateMachineArn"]) == (ROLE, machine)
    assert sfn.wait(execution).output == "old"
    assert sfn.wait(sfn.start(machine)).output == 7
    assert sfn.refused("update_state_machine", stateMachineArn=machine)[0] == "MissingRequiredParameter"


def test_versions(sfn):
    arn = sfn.api.create_state_machine(name="versioned", definition=text(1), roleArn=ROLE, publish=True)
    machine, first = arn["stateMachineArn"], arn["stateMachineVersionArn"]
    assert first == f"{machine}:1"
    assert sfn.api.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"] == first
    updated = sfn.api.update_state_machine(
        stateMachineArn=machine, definition=text(2), publish=True, versionDescription="two"
    )
    second = updated["stateMachineVersionArn"]
    assert second == f"{machine}:2"
    described = sfn.api.describe_state_machine(stateMachineArn=second)
    assert (described["stateMachineArn"], described["description"]) == (second, "two")
    assert described["definition"] == text(2)
    sfn.api.update_state_machine(stateMachineArn=machine, definition=text(3))
    outputs = {target: sfn.wait(sfn.start(target)).output for target in (machine, first, second)}
    assert outputs == {machine: 3, first: 1, second: 2}
    listed = sfn.api.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    assert [each["stateMachineVersionArn"] for each in listed] == [second, first]
    page = sfn.api.list_state_machine_versions(stateMachineArn=machine, maxResults=1)
    rest = sfn.api.list_state_machine_versions(stateMachineArn=machine, nextToken=page["nextToken"])
    assert [each["stateMachineVersionArn"] for each in rest["stateMachineVersions"]] == [first]
    sfn.api.delete_state_machine_version(stateMachineVersionArn=second)
    assert sfn.refused("start_execution", stateMachineArn=second)[0] == "StateMachineDoesNotExist"
    third = sfn.api.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    assert third == f"{machine}:3"


def test_a_version_of_a_revision_that_is_not_the_current_one(sfn):
    machine = sfn.machine(echo())
    published = sfn.api.publish_state_machine_version(stateMachineArn=machine, revisionId="INITIAL")
    assert published["stateMachineVersionArn"] == f"{machine}:1"
    revision = sfn.api.update_state_machine(stateMachineArn=machine, definition=text(1))["revisionId"]
    code, message = sfn.refused("publish_state_machine_version", stateMachineArn=machine, revisionId="INITIAL")
    assert (code, revision in message) == ("ConflictException", True)
    assert sfn.api.publish_state_machine_version(stateMachineArn=machine, revisionId=revision)


def test_an_execution_of_a_version_or_an_alias_says_so(sfn):
    created = sfn.api.create_state_machine(name="told", definition=text(1), roleArn=ROLE, publish=True)
    machine, version = created["stateMachineArn"], created["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = sfn.api.create_state_machine_alias(name="live", routingConfiguration=routes)["stateMachineAliasArn"]
    assert alias == f"{machine}:live"
    by_version, by_alias, plain = sfn.start(version, name="v"), sfn.start(alias, name="a"), sfn.start(machine, name="p")
    assert by_version == f"{machine.replace(':stateMachine:', ':execution:')}:v"
    seen = {}
    for execution in (by_version, by_alias, plain):
        sfn.wait(execution)
        described = sfn.describe(execution)
        assert described["stateMachineArn"] == machine
        seen[execution] = described.get("stateMachineVersionArn"), described.get("stateMachineAliasArn")
    assert seen == {by_version: (version, None), by_alias: (version, alias), plain: (None, None)}
    started = sfn.history(by_alias)[0]["executionStartedEventDetails"]
    assert (started["stateMachineVersionArn"], started["stateMachineAliasArn"]) == (version, alias)

    def listed(arn):
        return [each["executionArn"] for each in sfn.api.list_executions(stateMachineArn=arn)["executions"]]

    assert listed(version) == [by_alias, by_version]
    assert listed(alias) == [by_alias]
    assert listed(machine) == [plain, by_alias, by_version]


def test_an_alias_routes_by_weight(sfn):
    created = sfn.api.create_state_machine(name="routed", definition=text(1), roleArn=ROLE, publish=True)
    machine, first = created["stateMachineArn"], created["stateMachineVersionArn"]
    updated = sfn.api.update_state_machine(stateMachineArn=machine, definition=text(2), publish=True)
    second = updated["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": first, "weight": 50}, {"stateMachineVersionArn": second, "weight": 50}]
    alias = sfn.api.create_state_machine_alias(name="live", description="d", routingConfiguration=routes)
    arn = alias["stateMachineAliasArn"]
    described = sfn.api.describe_state_machine_alias(stateMachineAliasArn=arn)
    assert (described["name"], described["description"]) == ("live", "d")
    assert described["routingConfiguration"] == routes
    outputs = Counter(sfn.wait(sfn.start(arn)).output for _ in range(40))
    assert set(outputs) == {1, 2}
    assert sfn.refused("delete_state_machine_version", stateMachineVersionArn=first)[0] == "ConflictException"
    only = [{"stateMachineVersionArn": second, "weight": 100}]
    sfn.api.update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=only)
    assert {sfn.wait(sfn.start(arn)).output for _ in range(5)} == {2}
    aliases = sfn.api.list_state_machine_aliases(stateMachineArn=machine)["stateMachineAliases"]
    assert [each["stateMachineAliasArn"] for each in aliases] == [arn]
    sfn.api.delete_state_machine_version(stateMachineVersionArn=first)
    sfn.api.delete_state_machine_alias(stateMachineAliasArn=arn)
    gone = ("ResourceNotFound", "Request references a resource that does not exist.")
    assert sfn.refused("describe_state_machine_alias", stateMachineAliasArn=arn) == gone
    sfn.api.delete_state_machine_alias(stateMachineAliasArn=arn)
    assert sfn.refused("start_execution", stateMachineArn=arn)[0] == "StateMachineDoesNotExist"


def test_aliases_that_are_refused(sfn):
    created = sfn.api.create_state_machine(name="unrouted", definition=text(1), roleArn=ROLE, publish=True)
    version = created["stateMachineVersionArn"]
    other = sfn.api.create_state_machine(name="unrouted-2", definition=text(1), roleArn=ROLE, publish=True)

    def refused(*routes, name="live"):
        routing = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in routes]
        return sfn.refused("create_state_machine_alias", name=name, routingConfiguration=routing)[0]

    assert refused((version, 50)) == "ValidationException"
    assert refused((version, 50), (version, 50)) == "ValidationException"
    assert refused((version, 50), (other["stateMachineVersionArn"], 50)) == "ValidationException"
    assert refused((created["stateMachineArn"], 100)) == "ValidationException"
    assert refused((f"{created['stateMachineArn']}:9", 100)) == "ValidationException"
    assert refused((version, 100), name="12") == "ValidationException"
    assert refused((version, 100), name="a b") == "ValidationException"
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    sfn.api.create_state_machine_alias(name="live", routingConfiguration=routes)
    sfn.api.create_state_machine_alias(name="live", routingConfiguration=routes)
    request = {"name": "live", "routingConfiguration": routes, "description": "other"}
    assert sfn.refused("create_state_machine_alias", **request)[0] == "ConflictException"


def test_tags(sfn):
    machine = sfn.machine(echo(), tags=[{"key": "a", "value": "1"}])

    def tags():
        found = sfn.api.list_tags_for_resource(resourceArn=machine)["tags"]
        return {tag["key"]: tag["value"] for tag in found}

    sfn.api.tag_resource(resourceArn=machine, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}])
    assert tags() == {"a": "2", "b": "3"}
    sfn.api.untag_resource(resourceArn=machine, tagKeys=["a", "nobody"])
    assert tags() == {"b": "3"}
    assert sfn.refused("list_tags_for_resource", resourceArn=f"{machine}x")[0] == "ResourceNotFound"


def test_only_metadata(sfn):
    machine = sfn.machine(echo())
    described = sfn.api.describe_state_machine(stateMachineArn=machine, includedData="METADATA_ONLY")
    assert (described["definition"], described["name"]) == ("", machine.rpartition(":")[2])


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({"level": "ALL"}, "InvalidLoggingConfiguration"),
        ({"level": "ERROR", "destinations": [{}, {}]}, "InvalidLoggingConfiguration"),
        ({"level": "LOUD"}, "ValidationException"),
    ],
)
def test_logging_that_is_refused(sfn, configuration, code):
    request = {"name": "logs", "definition": text(), "roleArn": ROLE, "loggingConfiguration": configuration}
    assert sfn.refused("create_state_machine", **request)[0] == code


def test_a_role_that_is_none(sfn):
    code, _ = sfn.refused("create_state_machine", name="x", definition=text(), roleArn="arn:aws:iam::1:user/x")
    assert code == "InvalidArn"


def test_what_the_model_does_not_allow_is_refused_in_awss_words(sfn):
    def refused(operation, **parameters):
        code, message = sfn.refused(operation, **parameters)
        assert code == "ValidationException"
        return message.removeprefix("1 validation error detected: ")

    name = "x" * 81
    failed = "failed to satisfy constraint: Member must"
    assert refused("create_state_machine", name=name, definition=text(), roleArn=ROLE) == (
        f"Value '{name}' at 'name' {failed} have length less than or equal to 80"
    )
    assert refused("list_state_machines", nextToken="t" * 1025) == (
        f"Value '{'t' * 1025}' at 'nextToken' {failed} have length less than or equal to 1024"
    )
    machine = sfn.machine(text())
    assert refused("list_executions", stateMachineArn=machine, nextToken="t" * 3097) == (
        f"Value '{'t' * 3097}' at 'nextToken' {failed} have length less than or equal to 3096"
    )
    assert refused("list_executions", stateMachineArn=machine, maxResults=1001) == (
        f"Value '1001' at 'maxResults' {failed} have value less than or equal to 1000"
    )
    routes = [{"stateMachineVersionArn": f"{machine}:{number}", "weight": 1} for number in (1, 2, 3)]
    shown = ", ".join(
        f"RoutingConfigurationListItem(stateMachineVersionArn={machine}:{number}, weight=1)" for number in (1, 2, 3)
    )
    assert refused("create_state_machine_alias", name="a", routingConfiguration=routes) == (
        f"Value '[{shown}]' at 'routingConfiguration' {failed} have length less than or equal to 2"
    )


@pytest.mark.parametrize(
    ("target", "body", "code", "message"),
    [
        ("DescribeStateMachine", {}, "ValidationException",
         "1 validation error detected: Value null at 'stateMachineArn' failed to satisfy constraint: Member must not be"
         " null"),
        ("DescribeStateMachine", {"stateMachineArn": 1}, "SerializationException",
         "'stateMachineArn' must be of type string"),
        ("DescribeStateMachine", [], "SerializationException", "'The request' must be of type structure"),
        ("ListStateMachines", {"nobody": 1}, "", ""),
        ("Nobody", {}, "UnknownOperationException",
         "The local cloud does not serve the Step Functions operation 'Nobody'"),
    ],
)  # fmt: skip
def test_requests_of_clients_that_check_nothing_are_looked_at(sfn, target, body, code, message):
    signature = "Credential=test/20260101/us-east-1/states/aws4_request, SignedHeaders=host, Signature=x"
    request = urllib.request.Request(
        sfn.cloud.endpoint,
        data=json.dumps(body).encode(),
        headers={
            "X-Amz-Target": f"AWSStepFunctions.{target}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 {signature}",
        },
    )
    try:
        with urllib.request.urlopen(request) as response:
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        answer = json.load(error)
    assert (answer.get("__type", ""), answer.get("message", "")) == (code, message)


def test_the_key_of_a_machine_is_kept_and_given_back(sfn):
    key = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "alias/machines"}
    arn = sfn.machine(text(), encryptionConfiguration=key)
    described = sfn.api.describe_state_machine(stateMachineArn=arn)["encryptionConfiguration"]
    assert described == key | {"kmsDataKeyReusePeriodSeconds": 300}
    request = {"name": "no-key", "definition": text(), "roleArn": ROLE}
    for wrong in ({"type": "CUSTOMER_MANAGED_KMS_KEY"}, {"type": "AWS_OWNED_KEY", "kmsKeyId": "k"}):
        refused = sfn.refused("create_state_machine", encryptionConfiguration=wrong, **request)
        assert refused[0] == "InvalidEncryptionConfiguration"


def test_the_variables_that_states_read_are_described(sfn):
    branch = {
        "StartAt": "In",
        "States": {"In": {"Type": "Pass", "Assign": {"c.$": "States.Format('{}', $a)"}, "End": True}},
    }
    machine = {
        "StartAt": "First",
        "States": {
            "First": {"Type": "Pass", "Assign": {"a": 1, "b": 2}, "Next": "Each"},
            "Each": {"Type": "Map", "ItemsPath": "$a.items", "ItemProcessor": branch, "Next": "Choose"},
            "Choose": {
                "Type": "Choice",
                "Choices": [{"Not": {"Variable": "$a", "StringEqualsPath": "$b"}, "Next": "Last"}],
                "Default": "Last",
            },
            "Last": {
                "Type": "Pass",
                "QueryLanguage": "JSONata",
                "Output": "{% ($n := $b; $map($states.input, function($i) { $i + $n + $sum($a) })) %}",
                "End": True,
            },
        },
    }
    arn = sfn.machine(machine)
    wanted = {"Choose": ["a", "b"], "Each": ["a"], "In": ["a"], "Last": ["a", "b"]}
    assert sfn.api.describe_state_machine(stateMachineArn=arn)["variableReferences"] == wanted
    execution = sfn.start(arn)
    assert sfn.api.describe_state_machine_for_execution(executionArn=execution)["variableReferences"] == wanted
    without = sfn.api.describe_state_machine(stateMachineArn=arn, includedData="METADATA_ONLY")
    assert "variableReferences" not in without
