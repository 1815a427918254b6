"""The input of one iteration or child execution."""

from __future__ import annotations

from ..language.json_values import Json
from ..language.tree import Map
from ..running.scope import Scope
from ..running.values import fill


def set_item(scope: Scope, index: int, item: Json) -> None:
    """Put an item into the context object of its scope, where ItemSelector and the states find it."""
    scope.context["Map"] = {"Item": {"Index": index, "Value": item}}


def item_input(scope: Scope, state: Map, data: Json, item: Json) -> Json:
    """The item, or what ItemSelector makes of the state's input (`data`) and of the item. Raises StateError."""
    return item if state.selector is None else fill(scope, state.selector, data)
