"""What chains know of their project, and contracts of the chain that they are on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from web3 import Web3

    from populus.compiler import ContractData
    from populus.config import Config
    from populus.registrar import Registrar
    from populus.wait import Wait

__all__ = ["Running", "Workspace"]


class Workspace(Protocol):
    """A folder with settings and compiled contracts; `Project` is one."""

    @property
    def root(self) -> Path:
        """The folder."""

    @property
    def config(self) -> Config:
        """What stands in its file."""

    @property
    def compiled_contract_data(self) -> dict[str, ContractData]:
        """Contract data by name."""


class Running(Protocol):
    """A chain that runs; every `BaseChain` inside its `with` is one."""

    @property
    def project(self) -> Workspace:
        """Whose contracts are deployed to it."""

    @property
    def web3(self) -> Web3:
        """The way to it."""

    @property
    def registrar(self) -> Registrar:
        """Which addresses are known."""

    @property
    def wait(self) -> Wait:
        """For receipts."""
