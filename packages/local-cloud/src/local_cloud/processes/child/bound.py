"""Runs a module as `python -m` does, but ends with the local cloud: `bound.py pip --version`."""

import runpy
import sys

import lifeline  # type: ignore[import-not-found]

lifeline.watch()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
