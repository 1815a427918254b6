"""AWS for a serverless ELT on one machine: real jobs, real SQL, one endpoint."""

__version__ = "0.1.0"
