"""Redshift SQL: its words, its statements, and their translation for DuckDB. Pure functions, no database."""
