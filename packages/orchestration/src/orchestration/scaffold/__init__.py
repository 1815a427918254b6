"""What `elt new` writes into a checkout: a dataset or an era by a sample of its file, a pipeline of SQL steps."""
