"""CREATE, ALTER and DROP of tables, views, schemas and databases."""
