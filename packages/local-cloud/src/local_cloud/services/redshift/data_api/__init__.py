"""redshift-data: statements sent over HTTP, run in the background, their results fetched later."""
