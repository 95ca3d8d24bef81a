"""Committed compiler output, so that unchanged sources need no compiler.

One JSON file per contract, and `manifest.json` with the SHA-256 of every source that went in, the
settings and the compiler's full version. Artifacts count only if all of it still agrees. A library
file below `node_modules` that is not on this machine is taken at its recorded hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from populus.compiler import CompilerSettings, ContractData, add_dependencies
from populus.exceptions import PopulusError
from populus.locking import write_json
from populus.reading import read_json
from populus.sources import SourceSet, digest

__all__ = ["MANIFEST", "read_artifacts", "write_artifacts"]

MANIFEST = "manifest.json"
_FORMAT = 1

# contract data -> the names tools around Solidity use in their artifacts
_KEYS = {
    "name": "contractName",
    "source_path": "sourceName",
    "abi": "abi",
    "bytecode": "bytecode",
    "bytecode_runtime": "deployedBytecode",
    "linkrefs": "linkReferences",
    "linkrefs_runtime": "deployedLinkReferences",
    "immutable_references": "immutableReferences",
}


class _Manifest(msgspec.Struct):
    """What went in: artifacts count only if it still does."""

    format: int
    compiler: str
    settings: dict[str, Any]
    contracts: list[str]
    sources: dict[str, str]
    """SHA-256 by source name, hex."""


def write_artifacts(
    folder: Path,
    contracts: Mapping[str, ContractData],
    sources: SourceSet,
    settings: CompilerSettings,
    compiler: str,
) -> None:
    """Write all contracts and the manifest; remove files of contracts that are gone."""
    for name, data in contracts.items():
        write_json(folder / f"{name}.json", {_KEYS[key]: data[key] for key in _KEYS})
    manifest = _Manifest(
        format=_FORMAT,
        compiler=compiler,
        settings=_wanted(settings),
        contracts=sorted(contracts),
        sources={name: digest(content) for name, content in sources.contents.items()},
    )
    write_json(folder / MANIFEST, msgspec.to_builtins(manifest))
    for path in folder.glob("*.json"):
        if path.name != MANIFEST and path.stem not in contracts:
            path.unlink()


def read_artifacts(
    folder: Path, sources: SourceSet, settings: CompilerSettings
) -> tuple[dict[str, ContractData], str] | None:
    """Contract data by name and the compiler's version, or None if anything has changed."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=_Manifest)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PopulusError(f"{folder / MANIFEST} is damaged; compile again.") from None
    if not _agrees(manifest, sources, settings):
        return None
    contracts = {}
    for name in manifest.contracts:
        try:
            artifact = read_json((folder / f"{name}.json").read_bytes())
            contracts[name] = {key: artifact[stored] for key, stored in _KEYS.items()}
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None
        contracts[name]["metadata"] = ""
    return add_dependencies(contracts), manifest.compiler


def _wanted(settings: CompilerSettings) -> dict[str, Any]:
    return {"version": settings.version, "settings": settings.settings}


def _agrees(manifest: _Manifest, sources: SourceSet, settings: CompilerSettings) -> bool:
    if manifest.format != _FORMAT or manifest.settings != _wanted(settings):
        return False
    recorded = manifest.sources
    present = {name: digest(content) for name, content in sources.contents.items()}
    if any(recorded.get(name) != hashed for name, hashed in present.items()):
        return False
    missing = recorded.keys() - present.keys()
    return all(name.startswith("node_modules/") for name in missing)
