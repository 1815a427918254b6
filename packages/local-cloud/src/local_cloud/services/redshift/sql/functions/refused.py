"""Functions that Redshift has and the local warehouse does not, by AWS's function index.

https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html (2023-04-24)
"""

from __future__ import annotations

from local_cloud.services.redshift.errors import NotSupported

#: Families by the beginning of their names.
FAMILIES = ("st_", "h3_", "hll_", "explain_")

NAMES = frozenset(
    [
        "addbbox",
        "dropbbox",
        "supportsbbox",
        "geometrytype",
        "hll",
        "checksum",
        "crc32",
        "farmfingerprint64",
        "murmur3_32_hash",
        "text_to_numeric_alt",
        "change_query_priority",
        "change_session_priority",
        "change_user_priority",
        "current_setting",
        "pg_cancel_backend",
        "pg_terminate_backend",
        "reboot_cluster",
        "set_config",
        "current_aws_account",
        "current_schemas",
        "default_iam_role",
        "has_assumerole_privilege",
        "has_database_privilege",
        "has_schema_privilege",
        "has_table_privilege",
        "pg_get_cols",
        "pg_get_grantee_by_iam_role",
        "pg_get_iam_role_by_user",
        "pg_get_late_binding_view_cols",
        "pg_get_session_roles",
        "pg_last_unload_id",
        "role_is_member_of",
        "slice_num",
        "user_is_member_of",
    ]
)


def is_refused(name: str) -> bool:
    return name in NAMES or name.startswith(FAMILIES)


def check(name: str) -> None:
    """NotSupported for a function that only Redshift has."""
    if is_refused(name):
        raise NotSupported(f"{name.upper()} is not supported by the local warehouse")
