"""`python -m glue_transform ddl DATASET`: the table's definition for Redshift."""

from __future__ import annotations

import argparse
import sys

from glue_transform import datasets, redshift


def main(argv: list[str]) -> int:
    """Run the command. 0 for success; argparse leaves with 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="glue_transform")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ddl = commands.add_parser("ddl", help="print CREATE TABLE for Redshift")
    ddl.add_argument("dataset", choices=datasets.names())
    arguments = parser.parse_args(argv)
    print(redshift.create_table(datasets.load(arguments.dataset)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
