"""The Amazon States Language as data and pure functions: nothing here knows an execution, a service or a server."""
