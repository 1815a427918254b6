"""`python -m local_cloud`: the server process. In the foreground it logs to stderr; `--detached` is for `up`."""

import json
import sys

from local_cloud.errors import LocalCloudError
from local_cloud.server import serve
from local_cloud.settings import Settings


def main() -> None:
    detached = sys.argv[1:] == ["--detached"]
    try:
        serve(Settings.create(), detached=detached)
    except LocalCloudError as error:
        if detached:
            print(json.dumps({"kind": type(error).__name__, "message": str(error)}), file=sys.__stdout__, flush=True)
        else:
            print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
