"""UNLOAD: the rows of a query into files of S3."""
