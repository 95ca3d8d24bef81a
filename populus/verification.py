"""What an explorer wants, to show that a contract is what its sources compile to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from populus.compiler import compile_sources
from populus.contracts.exceptions import UnknownContract
from populus.exceptions import CompilerError
from populus.schema import nearest

if TYPE_CHECKING:
    from populus.project import Project

__all__ = ["Verification", "verification"]


@dataclass(frozen=True, slots=True)
class Verification:
    """A contract's compilation, as a form of an explorer asks for it."""

    contract: str
    """`path:name`."""
    compiler: str
    """Full version, such as `v0.8.37+commit.f401782d`."""
    standard_json: dict[str, Any]
    """Input of the compiler: the sources that the contract needs, no others, and the settings."""


def verification(
    project: Project, name: str, addresses: Mapping[str, str] | None = None
) -> Verification:
    """All of it, from the metadata that the compiler wrote.

    Args:
        addresses: of libraries, for a contract that is linked.

    Raises:
        UnknownContract: no source has a contract of that name.
    """
    contracts, _ = compile_sources(
        project.root, project.build_dir, project.sources, project.compiler_settings
    )
    if name not in contracts:
        raise UnknownContract(f"There is no contract {name!r}.", nearest(name, contracts))
    if contracts[name]["bytecode"] == "0x":
        raise CompilerError(f"{name} is abstract or an interface: there is nothing to verify.")
    metadata = json.loads(contracts[name]["metadata"])
    settings = metadata["settings"]
    ((source, _),) = settings.pop("compilationTarget").items()
    needed = contracts[name]["direct_dependencies"]
    for library in needed if addresses is not None else ():
        assert addresses is not None
        file = contracts[library]["source_path"]
        settings.setdefault("libraries", {}).setdefault(file, {})[library] = addresses[library]
    settings["outputSelection"] = {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode"]}}
    standard = {
        "language": metadata["language"],
        "sources": {
            file: {"content": project.sources.contents[file]} for file in metadata["sources"]
        },
        "settings": settings,
    }
    return Verification(f"{source}:{name}", f"v{metadata['compiler']['version']}", standard)
