"""Chains by name: in memory, an anvil of our own, or somebody else's node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from populus.chain.base import BaseChain
from populus.chain.tester import TesterChain
from populus.config import nearest
from populus.exceptions import ConfigError

if TYPE_CHECKING:
    from populus.project import Project

__all__ = ["BaseChain", "TesterChain", "create_chain"]

_DEFAULTS: dict[str, dict[str, Any]] = {
    "tester": {"chain": {"class": "populus.chain.TesterChain"}},
}


def create_chain(project: Project, chain_name: str) -> BaseChain:
    """The chain `chains.<chain_name>` describes."""
    names = sorted({*_DEFAULTS, *project.config.get("chains", {})})
    if chain_name not in names:
        raise ConfigError(f"There is no chain {chain_name!r}.", nearest(chain_name, names))
    return TesterChain(project, chain_name)
