"""Runs a Lambda handler, one event after another. Standard library only, Python 3.8 and later.

`bootstrap.py requests responses marker`: two file descriptors with one JSON object a line, and a text. The first
answer, `{}`, says that the handler's module is loaded. A request holds `context` (what the handler's context object
says), `timeout_s` (seconds), `event` and `marker`; its answer holds `result` (the JSON text that the handler
returned) or `error`, and `max_memory_mb`. A marker goes to stdout before its answer, as the end of the output so far.

Payloads, messages and log format are those of AWS's runtime:
https://github.com/aws/aws-lambda-python-runtime-interface-client/blob/main/awslambdaric/bootstrap.py
"""

import importlib
import json
import logging
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Union

Handler = Callable[[Any, Any], Any]


class InitError(Exception):
    """The handler's module cannot be used; what AWS answers to each event until the code changes."""

    def __init__(self, error_type: str, message: str, frames: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.frames = list(frames)


class Context:
    """The handler's second argument."""

    identity = None
    client_context = None

    def __init__(self, fields: Dict[str, Any], timeout_s: float) -> None:
        self.__dict__.update(fields)
        self._deadline = time.monotonic() + timeout_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class RequestIdFilter(logging.Filter):
    """Puts the current request's id on every log record."""

    request_id = ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.aws_request_id = self.request_id
        return True


def main() -> None:
    requests = os.fdopen(int(sys.argv[1]), "r", encoding="utf-8")
    responses = os.fdopen(int(sys.argv[2]), "w", encoding="utf-8")
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    ids = _set_up_logging()
    handler: Union[Handler, InitError]
    try:
        handler = _load(os.environ["_HANDLER"])
    except InitError as error:
        handler = error
    _end_output(sys.argv[3])
    print("{}", file=responses, flush=True)
    for line in requests:
        if line == "\n":
            print("{}", file=responses, flush=True)
            continue
        request = json.loads(line)
        ids.request_id = request["context"]["aws_request_id"]
        answer = _answer(handler, request)
        answer["max_memory_mb"] = _max_memory_mb()
        _end_output(request["marker"])
        print(json.dumps(answer), file=responses, flush=True)


def _end_output(marker: str) -> None:
    """Everything written so far, then the marker, on a line that may have been begun."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(1, marker.encode() + b"\n")


def _load(name: str) -> Handler:
    """The function named `module.function`, folders with dots or slashes."""
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise InitError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise InitError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from None
    except Exception as error:
        raise InitError(type(error).__name__, str(error), _user_frames(error)) from None
    if not hasattr(module, function_name):
        raise InitError("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    handler: Handler = getattr(module, function_name)
    return handler


def _answer(handler: "Union[Handler, InitError]", request: Dict[str, Any]) -> Dict[str, Any]:
    """`init_failed` tells that the process is of no further use."""
    if isinstance(handler, InitError):
        return {**_error(handler, handler.error_type, request, handler.frames), "init_failed": True}
    try:
        result = handler(request["event"], Context(request["context"], request["timeout_s"]))
    except Exception as error:
        return _error(error, type(error).__name__, request, _user_frames(error))
    try:
        if isinstance(result, bytes):  # the response itself (recorded: LocalStack's test_lambda_task.snapshot.json)
            return {"result": result.decode()}
        return {"result": json.dumps(result, ensure_ascii=False, default=_decoded)}
    except (TypeError, ValueError) as error:
        return _error(f"Unable to marshal response: {error}", "Runtime.MarshalError", request, [])


def _decoded(value: object) -> str:
    """Bytes are text, as to the JSON library of AWS's own runtime, simplejson."""
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _error(error: object, error_type: str, request: Dict[str, Any], frames: List[str]) -> Dict[str, Any]:
    print(f"[ERROR] {error_type}: {error}")
    if frames:
        print("Traceback (most recent call last):\n" + "".join(frames), end="")
    return {
        "error": {
            "errorMessage": str(error),
            "errorType": error_type,
            "requestId": request["context"]["aws_request_id"],
            "stackTrace": frames,
        }
    }


def _places() -> Dict[str, str]:
    """Where the function and its layers lie, and where on AWS; read before the function can change its variables."""
    layers = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path.endswith("/python")]
    root = os.environ.get("LAMBDA_TASK_ROOT")
    return {**({root: "/var/task"} if root else {}), **dict.fromkeys(layers, "/opt/python")}


_PLACES = _places()


def _user_frames(error: Exception) -> List[str]:
    """The traceback's frames as text, without those of this file and of the import machinery.

    Files of the function and of its layers are called as on AWS, where they lie in /var/task and /opt:
    https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
    """
    ours = (__file__, importlib.__file__)
    frames = traceback.extract_tb(error.__traceback__)
    texts = traceback.format_list(
        [f for f in frames if f.filename not in ours and not f.filename.startswith("<frozen importlib")]
    )
    for here, there in _PLACES.items():
        texts = [text.replace(f'File "{here}/', f'File "{there}/') for text in texts]
    return texts


def _max_memory_mb() -> int:
    """The process's peak. Linux's ru_maxrss counts the parent's as well; macOS has no other figure, in bytes."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 * 1024)
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def _set_up_logging() -> RequestIdFilter:
    """A handler on the root logger, as functions on AWS find it."""
    ids = RequestIdFilter()
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(ids)
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    return ids


if __name__ == "__main__":
    sys.path[0] = os.environ.pop("LOCAL_CLOUD_CHILD_PATH")
    import lifeline  # type: ignore[import-not-found]

    lifeline.watch()
    main()
