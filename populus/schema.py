"""What may stand in `populus.json`.

The records below are the reference; `docs/populus.md` explains each key. Any of them may be
`{"$ref": "path"}` instead.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from populus.exceptions import ConfigError

__all__ = ["LATEST_VERSION", "Settings", "check", "nearest", "unknown_keys"]

LATEST_VERSION = "9"
READABLE_VERSIONS = ("8", "9")

Text = str | UnsetType
Anything = Any  # checked where it is used
Folders = str | list[str] | UnsetType
Texts = list[str] | UnsetType


class _Section(Struct, omit_defaults=True, kw_only=True):
    ref: Text = field(default=UNSET, name="$ref")


class Class(_Section):
    class_: Text = field(default=UNSET, name="class")
    settings: Anything = UNSET


class Backend(Class):
    priority: int | UnsetType = UNSET


class Backends(_Section):
    backends: dict[str, Backend] | UnsetType = UNSET


class Eth(_Section):
    default_account: Text = UNSET
    private_key: Text = UNSET
    keystore: Text = UNSET
    password: Text = UNSET


class Web3(_Section):
    provider: Class | UnsetType = UNSET
    eth: Eth | UnsetType = UNSET


class Chain(_Section):
    chain: Class | UnsetType = UNSET
    web3: Web3 | UnsetType = UNSET
    contracts: Backends | UnsetType = UNSET


class Compilation(_Section):
    contracts_source_dirs: Folders = UNSET
    contract_source_dirs: Folders = UNSET
    contracts_source_dir: Folders = UNSET
    test_source_dirs: Texts = UNSET
    artifacts_dir: Text = UNSET
    test_artifacts_dir: Text = UNSET
    import_remappings: Texts = UNSET
    backend: Class | UnsetType = UNSET
    backends: dict[str, Class] | UnsetType = UNSET


class Deployment(_Section):
    contracts: Texts = UNSET
    arguments: Anything = UNSET


class Settings(_Section):
    version: str | int = LATEST_VERSION
    chains: dict[str, Chain] | UnsetType = UNSET
    web3: dict[str, Web3] | UnsetType = UNSET
    contracts: Backends | UnsetType = UNSET
    compilation: Compilation | UnsetType = UNSET
    deployment: Deployment | UnsetType = UNSET


_NAMES = {
    item.encode_name
    for kind in (Class, Backend, Backends, Eth, Web3, Chain, Compilation, Deployment, Settings)
    for item in msgspec.structs.fields(kind)
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
    try:
        unknown = unknown_keys(values)
    except msgspec.ValidationError as error:
        told, _, place = str(error).partition(" - at `$.")
        wanted = told.replace("Expected ", "must be ").replace(", got ", ", not ").replace("`", "")
        raise ConfigError(f"{file_name}: {place.rstrip('`')} {wanted}.") from None
    if unknown:
        above, _, key = unknown[0].rpartition(".")
        where = f" in {above}" if above else ""
        raise ConfigError(f"{file_name}: there is no key {key!r}{where}.", nearest(key, _NAMES))


def unknown_keys(values: Mapping[str, Any]) -> list[str]:
    """Dotted paths of what stands there and has no meaning.

    Raises:
        msgspec.ValidationError: something is of a wrong kind.
    """
    return list(_lost(values, msgspec.to_builtins(msgspec.convert(values, Settings))))


def _lost(values: Mapping[str, Any], kept: Mapping[str, Any], at: str = "") -> Iterator[str]:
    for key, value in values.items():
        path = f"{at}.{key}" if at else key
        if key not in kept:
            if path != "version":  # left out where it is the default
                yield path
        elif isinstance(value, Mapping):
            yield from _lost(value, kept[key], path)


def nearest(key: str, known: Iterable[str]) -> str:
    """A sentence that suggests the nearest right spelling, or lists the right ones."""
    names = sorted(known)
    close = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]!r}?"
    return "Known here: " + ", ".join(names) + "."
