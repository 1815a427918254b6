"""The part of AWS's awsglue that a job needs to run: its options, a Spark session, a job to commit."""
