"""Refuses by name what only AWS's own Glue libraries do."""

from typing import Any, Iterable, Mapping, NoReturn


def refuse(what: str, instead: str = "use spark_session and DataFrames, which run here and on AWS alike") -> NoReturn:
    """Raise NotImplementedError that names what a script asked for, and what to do instead."""
    raise NotImplementedError(f"{what} needs AWS's own Glue libraries, which this machine does not have: {instead}")


def check_options(kind: str, options: Mapping[str, Any], *, known: Iterable[str]) -> None:
    """Refuse options that would change the result and are not carried out here."""
    for name in options:
        if name not in known:
            refuse(f"the option {name} of {kind}", "leave it out")
