"""What `elt` knows of the reviews pipeline: where its source comes from, what a run did, whether the table agrees."""
