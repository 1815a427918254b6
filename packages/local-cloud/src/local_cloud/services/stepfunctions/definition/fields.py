"""The fields of the Amazon States Language: which state has which, in which query language, with what value.

Source: https://states-language.net and https://docs.aws.amazon.com/step-functions/latest/dg/statemachine-structure.html
"""

from __future__ import annotations

JSONPATH = "JSONPath"
JSONATA = "JSONata"

MACHINE = {"Comment", "QueryLanguage", "StartAt", "States", "TimeoutSeconds", "Version"}
BRANCH = {"Comment", "StartAt", "States"}
PROCESSOR = BRANCH | {"ProcessorConfig"}

_EVERY_STATE = {"Type", "Comment", "QueryLanguage"}
_MOVES_ON = {"Next", "End"}
_IN_AND_OUT = {"InputPath", "OutputPath", "Output", "Assign"}
_RESULT = {"ResultPath", "ResultSelector"}
_FAILS = {"Retry", "Catch"}
_TEMPLATE = {"Parameters", "Arguments"}

STATES: dict[str, set[str]] = {
    "Task": _EVERY_STATE
    | _MOVES_ON
    | _IN_AND_OUT
    | _RESULT
    | _FAILS
    | _TEMPLATE
    | {
        "Resource",
        "Credentials",
        "TimeoutSeconds",
        "TimeoutSecondsPath",
        "HeartbeatSeconds",
        "HeartbeatSecondsPath",
    },
    "Pass": _EVERY_STATE | _MOVES_ON | _IN_AND_OUT | {"Parameters", "Result", "ResultPath"},
    "Choice": _EVERY_STATE | _IN_AND_OUT | {"Choices", "Default"},
    "Wait": _EVERY_STATE | _MOVES_ON | _IN_AND_OUT | {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": _EVERY_STATE | {"InputPath", "OutputPath", "Output"},
    "Fail": _EVERY_STATE | {"Error", "ErrorPath", "Cause", "CausePath"},
    "Parallel": _EVERY_STATE | _MOVES_ON | _IN_AND_OUT | _RESULT | _FAILS | _TEMPLATE | {"Branches"},
    "Map": _EVERY_STATE
    | _MOVES_ON
    | _IN_AND_OUT
    | _RESULT
    | _FAILS
    | {
        "Parameters",
        "ItemProcessor",
        "Iterator",
        "Items",
        "ItemsPath",
        "ItemSelector",
        "ItemReader",
        "ItemBatcher",
        "ResultWriter",
        "Label",
        "MaxConcurrency",
        "MaxConcurrencyPath",
        "ToleratedFailureCount",
        "ToleratedFailureCountPath",
        "ToleratedFailurePercentage",
        "ToleratedFailurePercentagePath",
    },
}

TYPES = ("Task", "Wait", "Pass", "Succeed", "Fail", "Choice", "Parallel", "Map")
"""The keys of STATES, in AWS's order."""

REQUIRED: dict[str, tuple[str, ...]] = {"Task": ("Resource",), "Choice": ("Choices",), "Parallel": ("Branches",)}

#: Of each row no more than one field may be there.
EXCLUSIVE: tuple[tuple[str, ...], ...] = (
    ("Next", "End"),
    ("TimeoutSeconds", "TimeoutSecondsPath"),
    ("HeartbeatSeconds", "HeartbeatSecondsPath"),
    ("Seconds", "SecondsPath", "Timestamp", "TimestampPath"),
    ("Error", "ErrorPath"),
    ("Cause", "CausePath"),
    ("ItemProcessor", "Iterator"),
    ("ItemSelector", "Parameters"),
    ("MaxConcurrency", "MaxConcurrencyPath"),
    ("ToleratedFailureCount", "ToleratedFailureCountPath"),
    ("ToleratedFailurePercentage", "ToleratedFailurePercentagePath"),
)

ONLY_JSONPATH = {
    "InputPath",
    "OutputPath",
    "ResultPath",
    "ResultSelector",
    "Parameters",
    "Result",
    "ItemsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "ErrorPath",
    "CausePath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
}
ONLY_JSONATA = {"Arguments", "Output", "Items"}

PATHS = {
    "InputPath",
    "OutputPath",
    "ItemsPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
    "SecondsPath",
    "TimestampPath",
    "MaxConcurrencyPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
}
MAY_BE_NULL = {"InputPath", "OutputPath", "ResultPath"}
#: Paths that may be intrinsic functions as well.
PATHS_OR_FUNCTIONS = {"ErrorPath", "CausePath"}
TEMPLATES = {"Parameters", "ResultSelector", "ItemSelector", "Assign"}
#: With JSONata, the values of these may hold expressions anywhere.
HOLD_JSONATA = {"Arguments", "Assign", "ItemSelector", "Items", "Output"}
#: The JSON types of these where they are no expression, and how a message calls them.
JSONATA_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "Arguments": ((dict,), "object"),
    "Assign": ((dict,), "object"),
    "ItemSelector": ((dict,), "object"),
    "Items": ((list, dict), "array"),
}
#: Texts for which an expression may stand with JSONata.
TEXTS = {"Error", "Cause"}
STRINGS = {"Comment", "Resource", "Label"}
BOOLEANS = {"End"}
#: Least and greatest value of a whole number; with JSONata an expression may stand in its place.
INTEGERS: dict[str, tuple[int, int]] = {
    "TimeoutSeconds": (1, 99_999_999),
    "HeartbeatSeconds": (1, 99_999_999),
    "Seconds": (0, 99_999_999),
    "MaxConcurrency": (0, 99_999_999),
    "ToleratedFailureCount": (0, 99_999_999),
    "IntervalSeconds": (1, 99_999_999),
    "MaxAttempts": (0, 99_999_999),
    "MaxDelaySeconds": (1, 31_622_400),
}
NUMBERS: dict[str, tuple[float, float]] = {
    "ToleratedFailurePercentage": (0, 100),
    "BackoffRate": (1, float("inf")),
}
