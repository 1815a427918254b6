"""Keeps web pages out.

Any page open in a browser on this machine can send requests to 127.0.0.1, and some of what is served here runs
code. SDKs and command lines never look like a page: they send no Origin, and they call the server by the name it
listens on (a page that had its own name resolved to 127.0.0.1 does not).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_OURS = re.compile(r"(?:127\.0\.0\.1|(?:[^/]+\.)?localhost)(?::\d+)?", re.IGNORECASE)

#: https://www.w3.org/TR/fetch-metadata/: what a user's own click or a page of this server sends.
_HARMLESS_SITES = ("", "none", "same-origin")


def refusal(environ: Mapping[str, Any]) -> str:
    """Why a request is not served, "" if it is."""
    host, origin = environ.get("HTTP_HOST", ""), environ.get("HTTP_ORIGIN", "")
    if host and not _OURS.fullmatch(host):
        return f"This server is 127.0.0.1, not {host}."
    if origin:
        return f"Web pages are not served here (Origin: {origin})."
    site = environ.get("HTTP_SEC_FETCH_SITE", "")
    if site not in _HARMLESS_SITES and environ.get("HTTP_SEC_FETCH_MODE") != "navigate":
        return "Web pages are not served here (Sec-Fetch-Site)."
    return ""
