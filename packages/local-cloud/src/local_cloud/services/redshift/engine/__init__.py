"""Redshift's engine on DuckDB: databases, sessions, locks, transactions, COPY and UNLOAD."""
