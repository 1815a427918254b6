"""Glue entry script: `--sql s3://… --workgroup … --database …` and what else rs_query.job takes."""

import sys

from rs_query.job import main

main(sys.argv[1:])
