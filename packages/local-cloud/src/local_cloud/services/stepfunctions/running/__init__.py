"""Executions while they run: their threads, their scopes, the events they write, the tokens they wait for."""
