"""What `elt` knows of the trips pipelines: where a file comes from, what a run did, whether the table agrees."""
