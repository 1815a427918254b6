"""`python -m local_cloud`: the server process. In the foreground it logs to stderr.

`--detached PROGRAM STATE PORT` is for `up`, with what its user typed.
"""

import json
import sys

from local_cloud.errors import LocalCloudError, StateUnusable
from local_cloud.server import serve
from local_cloud.settings import Settings, Typed


def main() -> None:
    detached = sys.argv[1:2] == ["--detached"]
    typed = Typed(*sys.argv[2:5]) if detached else Typed()
    try:
        serve(Settings.create(typed=typed), detached=detached)
    except LocalCloudError as error:
        message = error.said(typed.command) if isinstance(error, StateUnusable) else str(error)
        if detached:
            print(json.dumps({"kind": type(error).__name__, "message": message}), file=sys.__stdout__, flush=True)
        else:
            print(f"Error: {message}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
