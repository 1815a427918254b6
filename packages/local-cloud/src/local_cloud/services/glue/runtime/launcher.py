"""Runs a Glue script and reports how it ended. Standard library only, Python 3.8 and later.

`launcher.py run.json`, where run.json holds `script` (a path), `argv` (without the script), `kind` ("pythonshell"
or "glueetl"), `report` (the file for the error, if there is one) and `child_path` (the folder of `lifeline`).
The traceback goes to stderr, without this file's own frames.
"""

import json
import runpy
import sys
import traceback
from pathlib import Path


def main() -> int:
    run = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    sys.path[0] = run["child_path"]
    import lifeline  # type: ignore[import-not-found]

    lifeline.watch()
    script = run["script"]
    sys.argv = [script, *run["argv"]]
    sys.path[0] = str(Path(script).parent)
    is_spark = run["kind"] == "glueetl"
    if not is_spark:
        _let_argument_errors_exit()
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as exit_:
        return _exited(exit_, run["report"] if is_spark else None)
    except BaseException as error:
        _print_traceback(error)
        _report(run["report"], error)
        return 1
    return 0


def _exited(exit_: SystemExit, report: "str | None") -> int:
    """The exit code of sys.exit(), by Python's own rules. Glue for Spark reports a bad one like an exception."""
    if exit_.code is None:
        return 0
    if not isinstance(exit_.code, int):
        print(exit_.code, file=sys.stderr)
    code = exit_.code if isinstance(exit_.code, int) else 1
    if code and report:
        _report(report, exit_)
    return code


def _report(path: str, error: BaseException) -> None:
    message = " ".join(str(error).split())
    name = type(error).__name__
    text = f"{name}: {message}" if message else name
    Path(path).write_text(text, encoding="utf-8", errors="replace")


def _print_traceback(error: BaseException) -> None:
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        frames = frames.tb_next
    traceback.print_exception(type(error), error, frames)


def _let_argument_errors_exit() -> None:
    """In Python Shell, getResolvedOptions prints its usage and exits with code 2; for Spark it raises.

    https://github.com/awslabs/aws-glue-libs/issues/221
    """
    from argparse import ArgumentParser

    from awsglue.utils import GlueArgumentParser

    GlueArgumentParser.error = ArgumentParser.error


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)
