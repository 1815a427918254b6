"""What the engine needs of the cloud around it: S3, the Glue catalog, the namespace's roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_cloud.objects import Objects


@dataclass(frozen=True)
class CloudServices:
    """One namespace's view of the cloud.

    `objects(role)` gives S3 as a role may use it; "" is the caller of a test without roles. `glue(role)` is a Glue
    client that acts as the role. `may_assume(role, user)` says whether the role trusts Redshift, for a database user's
    ARN. `history()` lists the rows of SYS_QUERY_HISTORY, newest last.
    """

    objects: Callable[[str], Objects]
    glue: Callable[[str], Any]
    first_database: str
    scratch: Path
    region: str = "us-east-1"
    account_id: str = "123456789012"
    roles: Sequence[str] = field(default_factory=tuple)
    default_role: str = ""
    may_assume: Callable[[str, str], bool] = lambda role, user: True
    history: Callable[[], list[dict[str, Any]]] = list
