"""Chains by name: in memory, an anvil of our own, or somebody else's node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from populus.chain.anvil import AnvilChain
from populus.chain.base import BaseChain
from populus.chain.external import ExternalChain
from populus.chain.tester import TesterChain
from populus.exceptions import ConfigError
from populus.imports import import_class
from populus.schema import nearest

if TYPE_CHECKING:
    from populus.workspace import Workspace

__all__ = ["AnvilChain", "BaseChain", "ExternalChain", "TesterChain", "chain_class", "chain_names"]

# chains every project has, unless it configures one of the same name
BUILT_IN: dict[str, type[BaseChain]] = {"tester": TesterChain, "anvil": AnvilChain}


def chain_names(project: Workspace) -> list[str]:
    """The names `get_chain` knows."""
    return sorted({*BUILT_IN, *project.config.get("chains", {})})


def chain_class(project: Workspace, chain_name: str) -> type[BaseChain]:
    """The class behind `chains.<chain_name>`.

    Raises:
        ConfigError: there is no such chain, or its class is none.
    """
    names = chain_names(project)
    if chain_name not in names:
        raise ConfigError(f"There is no chain {chain_name!r}.", nearest(chain_name, names))
    where = f"chains.{chain_name}.chain.class"
    path = project.config.get(where)
    if path is None:
        return BUILT_IN.get(chain_name, ExternalChain)
    found = import_class(path, where)
    if not (isinstance(found, type) and issubclass(found, BaseChain)):
        raise ConfigError(f"{where}: {path!r} is no class of a chain.")
    return found
