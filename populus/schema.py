"""What may stand in `populus.json`.

The tables below are the reference; `docs/populus.md` explains each key.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from populus.exceptions import ConfigError

__all__ = ["LATEST_VERSION", "check", "nearest"]

LATEST_VERSION = "9"
READABLE_VERSIONS = ("8", "9")

ANY = object()  # checked where it is used
EACH = "*"  # the name is the user's

_CLASS = {"class": str, "settings": ANY}
_BACKENDS = {"backends": {EACH: {**_CLASS, "priority": int}}}
_WEB3 = {"provider": _CLASS, "eth": {"default_account": str, "private_key": str}}
_FOLDERS = (str, list)

SCHEMA: dict[str, Any] = {
    "version": (str, int),
    "chains": {EACH: {"chain": _CLASS, "web3": _WEB3, "contracts": _BACKENDS}},
    "web3": {EACH: _WEB3},
    "contracts": _BACKENDS,
    "compilation": {
        "contracts_source_dirs": _FOLDERS,
        "contract_source_dirs": _FOLDERS,
        "contracts_source_dir": _FOLDERS,
        "test_source_dirs": list,
        "artifacts_dir": str,
        "test_artifacts_dir": str,
        "import_remappings": list,
        "backend": _CLASS,
        "backends": {EACH: _CLASS},
    },
    "deployment": {"contracts": list, "arguments": ANY},
}


def check(values: Any, file_name: str) -> None:
    """Raise `ConfigError` at the first key or kind of value that cannot be meant."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{file_name} must hold an object.")
    version = str(values.get("version", LATEST_VERSION))
    if version not in READABLE_VERSIONS:
        raise ConfigError(
            f"{file_name} is of version {version}; this Populus reads "
            f"{' and '.join(READABLE_VERSIONS)}.",
            "Upgrade older files with Populus 2.2, or write them anew: `populus init` elsewhere.",
        )
    _check_object(values, SCHEMA, "", file_name)


def _check_object(values: Mapping[str, Any], schema: Mapping[str, Any], at: str, file: str) -> None:
    if set(values) == {"$ref"}:
        return
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        if EACH not in schema and key not in schema:
            raise ConfigError(
                f"{file}: there is no key {key!r}{f' in {at}' if at else ''}.", nearest(key, schema)
            )
        kind = schema.get(key, schema.get(EACH))
        if kind is ANY:
            continue
        if isinstance(kind, Mapping):
            if not isinstance(value, Mapping):
                raise ConfigError(f"{file}: {path} must be an object, not {value!r}.")
            _check_object(value, kind, path, file)
        elif not isinstance(value, kind):
            raise ConfigError(f"{file}: {path} must be {_kind_name(kind)}, not {value!r}.")


def _kind_name(kind: Any) -> str:
    names = {str: "a text", int: "a number", list: "a list"}
    kinds = kind if isinstance(kind, tuple) else (kind,)
    return " or ".join(names[item] for item in kinds)


def nearest(key: str, known: Iterable[str]) -> str:
    """A sentence that suggests the nearest right spelling, or lists the right ones."""
    names = sorted(known)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return "Known here: " + ", ".join(names) + "."
