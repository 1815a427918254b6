"""`python -m rs_query`, the same as the `rs-query` command."""

import sys

from rs_query.cli import main

sys.exit(main())
