"""Standard JSON in, contract data out, cached by the content of everything that went in.

Contract data has the keys of Populus's `build/contracts.json`; `immutable_references` is new.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import solcx
from solcx.exceptions import SolcError

from populus.exceptions import CompilerError
from populus.linking import library_names, without_placeholders
from populus.locking import locked, write_json
from populus.solc import Solc, find_solc
from populus.sources import SourceSet

__all__ = ["CompilerSettings", "ContractData", "compile_sources"]

ContractData = dict[str, Any]

_LOG = logging.getLogger("populus")
_CACHE_FORMAT = 1
_OUTPUTS = [
    "abi",
    "metadata",
    "evm.bytecode.object",
    "evm.bytecode.linkReferences",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.linkReferences",
    "evm.deployedBytecode.immutableReferences",
]


@dataclass(frozen=True, slots=True)
class CompilerSettings:
    """The wanted version (None: any) and `settings` of the standard JSON without outputs."""

    version: str | None
    settings: dict[str, Any] = field(default_factory=dict)


def compile_sources(
    project_dir: Path, build_dir: Path, sources: SourceSet, settings: CompilerSettings
) -> tuple[dict[str, ContractData], str]:
    """Compile the project's own files; contract data by name, and the compiler's full version.

    Results are kept below `build_dir`; a second process waits for the first and takes its result.

    Raises:
        CompilerError: with the compiler's own text when it refuses the sources.
    """
    if not sources.own:
        return {}, settings.version or ""
    outputs = set(sources.own)
    while True:
        request = _request(sources, settings, outputs)
        answer, version = _cached(project_dir, build_dir, request, settings.version)
        contracts = _contracts(answer, outputs)
        needed = {file for data in contracts.values() for file in data.pop("_files")} - outputs
        if not needed:
            return add_dependencies(contracts), version
        outputs |= needed  # libraries from node_modules that must be deployed too


def _request(
    sources: SourceSet, settings: CompilerSettings, outputs: Iterable[str]
) -> dict[str, Any]:
    return {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in sources.contents.items()},
        "settings": {
            **settings.settings,
            "outputSelection": {name: {"*": _OUTPUTS} for name in sorted(outputs)},
        },
    }


class _Entry(msgspec.Struct):
    """What the cache keeps of a compilation."""

    version: str
    contracts: dict[str, dict[str, Any]]


def _cached(
    project_dir: Path, build_dir: Path, request: dict[str, Any], wanted: str | None
) -> tuple[dict[str, Any], str]:
    solc: Solc | None = None
    label = wanted
    if label is None:  # without a wanted version the result depends on the compiler at hand
        solc = find_solc(project_dir, None)
        label = solc.version
    key = json.dumps([_CACHE_FORMAT, label, request], sort_keys=True)
    path = build_dir / "cache" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    with locked(path.parent):
        with suppress(OSError, msgspec.DecodeError):  # missing, or damaged: compiled again
            entry = msgspec.json.decode(path.read_bytes(), type=_Entry)
            return entry.contracts, entry.version
        solc = solc or find_solc(project_dir, wanted)
        contracts = _run(solc, request)
        write_json(path, {"version": solc.version, "contracts": contracts})
        return contracts, solc.version


def _run(solc: Solc, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = solcx.compile_standard(request, solc_binary=solc.binary)
    except SolcError as error:
        text = error.message if hasattr(error, "message") else str(error)
        raise CompilerError(text.strip()) from None
    except (OSError, ValueError) as error:
        raise CompilerError(f"The compiler {solc.binary} does not work: {error}.") from None
    for note in answer.get("errors", []):  # warnings: an error has raised above
        _LOG.warning("%s", note["formattedMessage"].strip())
    contracts: dict[str, Any] = answer.get("contracts", {})
    return contracts


def _contracts(answer: Mapping[str, Any], outputs: Iterable[str]) -> dict[str, ContractData]:
    found: dict[str, ContractData] = {}
    for source in sorted(outputs):
        for name, output in answer.get(source, {}).items():
            if name in found:
                raise CompilerError(
                    f"Two contracts are called {name}: in {found[name]['source_path']} "
                    f"and in {source}.",
                    "Contracts are known by name; rename one.",
                )
            found[name] = _data(name, source, output)
    return found


def _data(name: str, source: str, output: Mapping[str, Any]) -> ContractData:
    creation, runtime = output["evm"]["bytecode"], output["evm"]["deployedBytecode"]
    references = _references(creation["linkReferences"])
    runtime_references = _references(runtime["linkReferences"])
    immutables = runtime.get("immutableReferences", {})
    return {
        "name": name,
        "source_path": source,
        "abi": output["abi"],
        "metadata": output.get("metadata", ""),
        "bytecode": without_placeholders(creation["object"], references),
        "bytecode_runtime": without_placeholders(runtime["object"], runtime_references),
        "linkrefs": references,
        "linkrefs_runtime": runtime_references,
        "immutable_references": sorted(
            (hole for holes in immutables.values() for hole in holes),
            key=lambda hole: int(hole["start"]),
        ),
        "_files": [*creation["linkReferences"], *runtime["linkReferences"]],
    }


def _references(by_file: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Link references as a flat list of `{name, start, length}`, ordered by position."""
    flat = [
        {"name": name, "start": place["start"], "length": place["length"]}
        for libraries in by_file.values()
        for name, places in libraries.items()
        for place in places
    ]
    return sorted(flat, key=lambda reference: int(reference["start"]))


def add_dependencies(contracts: dict[str, ContractData]) -> dict[str, ContractData]:
    """Fill in which libraries each contract needs: directly, and in the order to deploy them."""
    direct = {
        name: library_names([*data["linkrefs"], *data["linkrefs_runtime"]])
        for name, data in contracts.items()
    }

    def ordered(name: str, above: Sequence[str]) -> list[str]:
        found: list[str] = []
        for library in direct.get(name, []):
            if library not in above:
                found += [*ordered(library, [*above, library]), library]
        return list(dict.fromkeys(found))

    for name, data in contracts.items():
        data["direct_dependencies"] = direct[name]
        data["ordered_full_dependencies"] = ordered(name, [name])
        data["full_dependencies"] = sorted(data["ordered_full_dependencies"])
    return contracts
