"""The Lambda function that turns a schedule into a pipeline execution."""
