"""Pickles of what moto holds in memory.

moto's backends are plain Python objects with a few things among them that cannot, or must not, be pickled:
locks and threads (made new), references to other backends (written as a name, so that one service's file does
not drag in another service), lambdas as default factories (written as a place in the source; moto is pinned),
private keys (written as PKCS #8).
"""

from __future__ import annotations

import io
import pickle
import threading
import types
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend, backend_lock

from local_cloud import moto_state

_LOCKS: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
    threading.Condition: threading.Condition,
    threading.Event: threading.Event,
}


def moto_backends(service: str) -> Any:
    """The backends of one of moto's packages ("iam", "awslambda"), None when moto has none in use for it."""
    from moto import backends

    if service not in backends.list_of_moto_modules():
        return None
    found = backends.get_backend(service)
    return found if isinstance(found, BackendDict) else None


def package_of(service: str) -> str:
    """moto's package for one of its service names ("lambda" → "awslambda")."""
    from moto.backends import ALT_SERVICE_NAMES

    name = service.replace("-", "")
    return str(ALT_SERVICE_NAMES.get(name, name))


def dump_backends(backends: Any, *, without: Iterable[str]) -> bytes:
    """All of a service's backends, by (account, region)."""
    left_out = frozenset(without)
    with moto_state.held():
        return dumps(
            {
                (account, region): {k: v for k, v in vars(backend).items() if k not in left_out}
                for account, region, backend in backends.iter_backends()
            }
        )


def restore_backends(backends: Any, state: bytes) -> list[Any]:
    """Give the backends of a fresh process what `dump_backends` saw."""
    restored = []
    for (account, region), values in loads(state).items():
        backend = backends[account][region]
        vars(backend).update(values)
        restored.append(backend)
    return restored


def on_first_touch(restore: Callable[[str, Any], None]) -> None:
    """Call `restore(service, backends)` when a service's backends are first used in this process.

    Every way to them, by HTTP or from another service, goes through `BackendDict.__getitem__`.
    """
    touched: set[int] = set()  # BackendDicts live as long as the process
    create = BackendDict._create_account_specific_backend

    def create_account_specific_backend(self: Any, account_id: str) -> None:
        if id(self) not in touched:
            with backend_lock:
                if id(self) not in touched:
                    touched.add(id(self))  # before: restoring touches it again
                    try:
                        restore(service_of(self.backend), self)
                    except BaseException:
                        touched.discard(id(self))
                        raise
        create(self, account_id)

    BackendDict._create_account_specific_backend = create_account_specific_backend


def service_of(backend_class: type) -> str:
    """The moto package a backend belongs to."""
    return backend_class.__module__.split(".")[1]


def dumps(value: Any) -> bytes:
    target = io.BytesIO()
    _Pickler(target, protocol=5).dump(value)
    return target.getvalue()


def loads(state: bytes) -> Any:
    return pickle.loads(state)  # noqa: S301 - our own file, checked when it was read


def check(state: bytes) -> None:
    """Look up every class and function that a pickle names, and make nothing of them. Raises what that raises."""
    _Checker(io.BytesIO(state)).load()


class _Checker(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        return found if found is _local_function else _Stub


class _Stub:
    """Takes whatever a pickle does to an object."""

    def __new__(cls, *args: Any, **options: Any) -> _Stub:
        return super().__new__(cls)

    def __init__(self, *args: Any, **options: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __call__(self, *args: Any) -> _Stub:
        return self

    append = extend = add = update = __call__


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:  # noqa: PLR0911 - one line a kind
        kind = type(obj)
        if kind in _LOCKS:
            return _LOCKS[kind], ()
        if kind is types.FunctionType:
            return _reduce_local(obj) if "<locals>" in obj.__qualname__ else NotImplemented
        if isinstance(obj, type):
            return NotImplemented
        if isinstance(obj, BaseBackend):
            return _backend, (service_of(kind), obj.account_id, obj.region_name)
        if isinstance(obj, BackendDict):
            return moto_backends, (service_of(obj.backend),)
        if isinstance(obj, (threading.Thread, weakref.ref)):
            return _nothing, ()
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            # Its own __reduce__ would call the subclass with a default factory only.
            return kind.__new__, (kind,), (vars(obj), {"default_factory": obj.default_factory}), None, iter(obj.items())
        if kind is weakref.WeakValueDictionary:
            return weakref.WeakValueDictionary, (dict(obj),)
        if kind.__module__.startswith("cryptography.") and hasattr(obj, "private_bytes"):
            return _private_key, (_pkcs8(obj),)
        return NotImplemented


def _backend(service: str, account: str, region: str) -> Any:
    return moto_backends(service)[account][region]


def _nothing() -> None:
    """Stands for what cannot outlive a process."""


def _reduce_local(function: types.FunctionType) -> Any:
    if function.__closure__:
        name = f"{function.__module__}.{function.__qualname__}"
        raise pickle.PicklingError(f"{name} holds variables of the function it was made in")
    return _local_function, (function.__module__, function.__qualname__, function.__code__.co_firstlineno)


def _local_function(module: str, qualname: str, line: int) -> types.FunctionType:
    """A function defined inside another one, found again by name and line in the (pinned) source."""
    outer, *inner = qualname.split(".<locals>.")
    found: Any = import_module(module)
    for name in outer.split("."):
        found = getattr(found, name)
    code = found.__code__
    for name in inner:
        code = next(
            c
            for c in code.co_consts
            if isinstance(c, types.CodeType) and c.co_name == name and (name != inner[-1] or c.co_firstlineno == line)
        )
    return types.FunctionType(code, vars(import_module(module)))


def _pkcs8(key: Any) -> bytes:
    from cryptography.hazmat.primitives import serialization as to

    return bytes(key.private_bytes(to.Encoding.DER, to.PrivateFormat.PKCS8, to.NoEncryption()))


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    return load_der_private_key(der, password=None)
