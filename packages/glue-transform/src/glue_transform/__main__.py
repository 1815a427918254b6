"""`python -m glue_transform ddl DATASET`: what the SQL of a dataset's load says of its table."""

from __future__ import annotations

import argparse
import sys

from glue_transform import datasets, redshift
from glue_transform.errors import TransformError, UnknownDataset


def main(argv: list[str]) -> int:
    """Run the command. 0 for success, 1 for a dataset that contradicts itself, 2 for wrong usage (by argparse, too)."""
    parser = argparse.ArgumentParser(prog="glue_transform")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ddl = commands.add_parser("ddl", help="print CREATE TABLE for Redshift, and the columns of COPY")
    ddl.add_argument("dataset", help=f"one of {', '.join(datasets.names())}")
    arguments = parser.parse_args(argv)
    try:
        dataset = datasets.load(arguments.dataset)
    except TransformError as error:
        print(f"glue_transform: {error}", file=sys.stderr)
        return 2 if isinstance(error, UnknownDataset) else 1
    print(f"{redshift.create_table(dataset)}\nCOPY copied {redshift.copy_list(dataset)}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
