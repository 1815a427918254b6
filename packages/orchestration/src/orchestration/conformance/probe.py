"""The job that the probes of Glue run, as Glue passes it on: its arguments say what to do, its answer goes to S3."""

import json
import sys


def value_of(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def main() -> None:
    what = value_of("--probe")
    if what == "raise":
        raise ValueError("probe: a sentence, with 'quotes' and 2 numbers")
    if what == "exit":
        sys.exit(3)
    import boto3
    import elt_probe  # type: ignore[import-not-found]  # the wheel that the probe brings

    answer = {
        "argv": [word.split("=")[0] for word in sys.argv[1:] if word.startswith("--")],
        "boto3": boto3.__version__,
        "wheel": elt_probe.VERSION,
    }
    boto3.client("s3").put_object(
        Bucket=value_of("--answers"), Key=f"answers/{value_of('--as')}.json", Body=json.dumps(answer).encode()
    )


main()
