"""Calls to other services, as a Task state makes them: names, parameters, outputs and errors in Step Functions' forms.

Nothing here knows the interpreter.
"""
