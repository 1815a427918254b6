"""Job arguments as AWS's awsglue.utils resolves them. Behaviour: https://github.com/awslabs/aws-glue-libs."""

import argparse
from typing import Any, Dict, List, NoReturn

_BOOKMARKS = ("job-bookmark-enable", "job-bookmark-pause", "job-bookmark-disable")
#: The old names of the bookmark's three values, in the same order.
_CONTINUATIONS = ("continuation-enabled", "continuation-readonly", "continuation-ignore")
_BOOKMARK_RANGE = ("job-bookmark-from", "job-bookmark-to")

#: Glue's own, refused as names for a job's options; JOB_NAME and TempDir may be asked for.
_RESERVED = (
    "continuation-option",
    "job-bookmark-option",
    *_BOOKMARK_RANGE,
    "JOB_ID",
    "JOB_RUN_ID",
    "SECURITY_CONFIGURATION",
    "encryption-type",
)
_TEMPORARY = ("RedshiftTempDir", "TempDir")


class GlueArgumentError(Exception):
    """An option is missing, or has a value it cannot have."""


class GlueArgumentParser(argparse.ArgumentParser):
    """Raises where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: List[str], options: List[str]) -> Dict[str, Any]:
    """The values of `options` in `args` (sys.argv), and Glue's own beside them, None where not given.

    Arguments nobody asked for are left alone. GlueArgumentError when one is missing (SystemExit 2 in Python Shell),
    RuntimeError for a reserved name.
    """
    for name in _RESERVED:
        if name in options:
            raise RuntimeError(f"Using reserved arguments {name}")
    parser = GlueArgumentParser()
    parser.add_argument("--job-bookmark-option", choices=_BOOKMARKS)
    parser.add_argument("--continuation-option", choices=_CONTINUATIONS)
    parser.add_argument("--encryption-type", choices=("sse-s3",))
    for name in (*_BOOKMARK_RANGE, "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", *_TEMPORARY):
        parser.add_argument(f"--{name}")
    for name in options:
        if name not in _TEMPORARY:
            parser.add_argument(f"--{name}", required=True)
    resolved = vars(parser.parse_known_args(args[1:])[0])
    _mirror_temporary_folder(resolved)
    _settle_bookmark(resolved)
    return resolved


def _mirror_temporary_folder(resolved: Dict[str, Any]) -> None:
    """Each of the two names stands for the other; TempDir wins."""
    folder = resolved["TempDir"] if resolved["TempDir"] is not None else resolved["RedshiftTempDir"]
    resolved["TempDir"] = resolved["RedshiftTempDir"] = folder


def _settle_bookmark(resolved: Dict[str, Any]) -> None:
    old = resolved.pop("continuation_option")
    if resolved["job_bookmark_option"] is None:
        resolved["job_bookmark_option"] = _BOOKMARKS[_CONTINUATIONS.index(old)] if old else "job-bookmark-disable"
    given = [name for name in _BOOKMARK_RANGE if resolved[name.replace("-", "_")] is not None]
    if resolved["job_bookmark_option"] == "job-bookmark-pause":
        if len(given) == 1:
            missing = next(name for name in _BOOKMARK_RANGE if name not in given)
            raise RuntimeError(f"Missing option or value for --{missing}")
    elif len(given) == len(_BOOKMARK_RANGE):
        raise RuntimeError("Invalid option(s) " + " ".join(f"--{name}" for name in _BOOKMARK_RANGE))
