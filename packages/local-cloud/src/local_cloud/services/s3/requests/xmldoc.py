"""XML as S3 writes and reads it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree

from local_cloud.services.s3.errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

#: Request documents are small: 1000 keys of 1024 bytes, or 10,000 parts with all their checksums.
MAX_DOCUMENT = 8 << 20

_SPECIAL = re.compile(r"[&<>\"\x00-\x1f\x7f]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def escape(text: str) -> str:
    """Text content. Control characters become references, as S3 itself writes them in listings."""
    return _SPECIAL.sub(lambda m: _ENTITIES.get(m[0]) or f"&#x{ord(m[0]):x};", text)


def element(name: str, content: Any) -> str:
    """`<name>…</name>`: text, a bool, a number, a dict of children, or a list of dicts (repeated). None: nothing."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(element(name, item) for item in content)
    if isinstance(content, dict):
        inner = "".join(element(k, v) for k, v in content.items())
    elif isinstance(content, bool):
        inner = "true" if content else "false"
    else:
        inner = escape(str(content))
    return f"<{name}>{inner}</{name}>"


def document(root: str, content: dict[str, Any], *, namespace: str = NAMESPACE) -> bytes:
    return wrap(root, "".join(element(k, v) for k, v in content.items()), namespace=namespace)


def wrap(root: str, inner: str, *, namespace: str = NAMESPACE) -> bytes:
    """A document around elements that are written already."""
    space = f' xmlns="{namespace}"' if namespace else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{space}>{inner}</{root}>'.encode()


def timestamp(seconds: float) -> str:
    """A Unix time as S3 writes it: to the second, with zeros for the rest."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def parse(body: bytes, root: str) -> ElementTree.Element:
    """The document's root element, namespaces dropped. S3Error MalformedXML when it is not `root`."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise S3Error("MalformedXML")
    try:
        tree = ElementTree.fromstring(body)  # noqa: S314 - entities are refused above
    except ElementTree.ParseError as error:
        raise S3Error("MalformedXML") from error
    for node in tree.iter():
        node.tag = node.tag.rpartition("}")[2]
    if tree.tag != root:
        raise S3Error("MalformedXML")
    return tree


def text(node: ElementTree.Element, name: str) -> str | None:
    """A child's text, None without the child."""
    child = node.find(name)
    return None if child is None else child.text or ""


def children(node: ElementTree.Element, name: str) -> Iterable[ElementTree.Element]:
    return node.findall(name)
