"""Glue Python Shell entry of the ingest-raw job; the work is in the glue_ingest wheel."""

import sys

from glue_ingest import main

if __name__ == "__main__":
    main(sys.argv[1:])
