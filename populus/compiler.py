"""Standard JSON in, contract data out, cached by the content of everything that went in.

Contract data has the keys of Populus's `build/contracts.json`; `immutable_references` is new.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import solcx
from semantic_version import Version
from solcx.exceptions import SolcError

from populus.exceptions import CompilerError
from populus.linking import library_names, without_placeholders
from populus.locking import locked, write_json
from populus.pragmas import by_version
from populus.reading import is_deep
from populus.solc import Solc, find_solc, version_for
from populus.sources import SourceSet

__all__ = ["CompilerSettings", "ContractData", "compile_sources"]

ContractData = dict[str, Any]

_LOG = logging.getLogger("populus")
_CACHE_FORMAT = 1
_KNOWS_PRAGUE = Version("0.8.27")
_MISSING = re.compile(r'Source "(?P<folder>node_modules/)?(?P<path>[^"]+)" not found')
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
    evm_chosen: bool = True
    """Whether the project names an `evmVersion`, else an old compiler gets none."""


def compile_sources(
    project_dir: Path, build_dir: Path, sources: SourceSet, settings: CompilerSettings
) -> tuple[dict[str, ContractData], str]:
    """Compile the project's own files; contract data by name, and the compiler's full version.

    Results are kept below `build_dir`; a second process waits for the first and takes its result.

    Raises:
        CompilerError: with the compiler's own text when it refuses the sources.
    """
    contracts: dict[str, ContractData] = {}
    versions: set[str] = set()
    if settings.version is not None or not sources.own:
        parts: dict[str | None, SourceSet] = {settings.version: sources}
    else:
        remappings = settings.settings.get("remappings", [])
        parts = by_version(sources, remappings, partial(version_for, project_dir))
    for wanted, part in parts.items():
        if part.own:
            found, version = _compiled(project_dir, build_dir, part, settings, wanted)
            versions.add(version)
            _merge(contracts, found)
    return add_dependencies(contracts), ", ".join(sorted(versions)) or settings.version or ""


def _compiled(
    project_dir: Path,
    build_dir: Path,
    sources: SourceSet,
    settings: CompilerSettings,
    wanted: str | None,
) -> tuple[dict[str, ContractData], str]:
    """What one compiler makes of the files that are its own, by name."""
    wanted = wanted or find_solc(project_dir, None).version.partition("+")[0]
    outputs = set(sources.own)
    while True:
        request = _request(sources, settings, outputs, wanted)
        answer, version = _cached(project_dir, build_dir, request, wanted)
        contracts = _contracts(answer, outputs)
        needed = {file for data in contracts.values() for file in data.pop("_files")} - outputs
        if not needed:
            return contracts, version
        outputs |= needed  # libraries from node_modules that must be deployed too


def _request(
    sources: SourceSet, settings: CompilerSettings, outputs: Iterable[str], version: str
) -> dict[str, Any]:
    chosen = dict(settings.settings)
    if not settings.evm_chosen and Version(version) < _KNOWS_PRAGUE:
        chosen.pop("evmVersion", None)
    return {
        "language": "Solidity",
        "sources": {name: {"content": content} for name, content in sources.contents.items()},
        "settings": {
            **chosen,
            "outputSelection": {name: {"*": _OUTPUTS} for name in sorted(outputs)},
        },
    }


class _Entry(msgspec.Struct):
    """What the cache keeps of a compilation."""

    version: str
    contracts: dict[str, dict[str, Any]]


def _cached(
    project_dir: Path, build_dir: Path, request: dict[str, Any], wanted: str
) -> tuple[dict[str, Any], str]:
    key = json.dumps([_CACHE_FORMAT, wanted, request], sort_keys=True)
    path = build_dir / "cache" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
    with locked(path.parent):
        with suppress(OSError, msgspec.DecodeError):  # missing, or damaged: compiled again
            kept = path.read_bytes()
            if not is_deep(kept):
                entry = msgspec.json.decode(kept, type=_Entry)
                return entry.contracts, entry.version
        solc = find_solc(project_dir, wanted)
        contracts = _run(solc, request)
        write_json(path, {"version": solc.version, "contracts": contracts})
        return contracts, solc.version


def _run(solc: Solc, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer = solcx.compile_standard(request, solc_binary=solc.binary)
    except SolcError as error:
        text = (error.message if hasattr(error, "message") else str(error)).strip()
        raise CompilerError(text, _hint(text, solc)) from None
    except (OSError, ValueError) as error:
        raise CompilerError(f"The compiler {solc.binary} does not work: {error}.") from None
    for note in answer.get("errors", []):  # warnings: an error has raised above
        _LOG.warning("%s", note["formattedMessage"].strip())
    contracts: dict[str, Any] = answer.get("contracts", {})
    return contracts


def _hint(complaint: str, solc: Solc) -> str:
    """What to do about it, where that is known."""
    missing = _MISSING.search(complaint)
    if missing:
        package = "/".join(missing["path"].split("/")[: 2 if missing["path"][0] == "@" else 1])
        hint = f"If it is of a package, install that: npm install {package}"
        return hint if missing["folder"] else f"{hint}, and name it in import_remappings."
    if "Invalid EVM version" in complaint:
        return (
            f"solc {solc.version} does not know it; leave evmVersion out of "
            "compilation.backend.settings, or name one that it knows."
        )
    return ""


def _contracts(answer: Mapping[str, Any], outputs: Iterable[str]) -> dict[str, ContractData]:
    found: dict[str, ContractData] = {}
    for source in sorted(outputs):
        for name, output in answer.get(source, {}).items():
            _merge(found, {name: _data(name, source, output)})
    return found


def _merge(found: dict[str, ContractData], more: Mapping[str, ContractData]) -> None:
    """Add contracts by name; of two that share one, an interface gives way."""
    for name, data in more.items():
        other = found.get(name)
        if other is None or other["bytecode"] == "0x":
            found[name] = data
        elif data["bytecode"] != "0x" and data["source_path"] != other["source_path"]:
            raise CompilerError(
                f"Two contracts are called {name}: in {other['source_path']} "
                f"and in {data['source_path']}.",
                "Contracts are known by name; rename one.",
            )


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
