"""The Python processes that Glue jobs and Lambda functions run in: interpreters, environments, packages, children."""
