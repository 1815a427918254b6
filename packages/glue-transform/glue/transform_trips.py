"""The Glue job transform-trips. Its wheel and its engine come by --additional-python-modules."""

import sys

from glue_transform.job import main

if __name__ == "__main__":
    main(sys.argv[1:])
