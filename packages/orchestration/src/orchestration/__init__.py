"""Pipelines, stacks, releases and the elt command."""
