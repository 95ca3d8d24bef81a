"""What chains know of the project they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from populus.compiler import ContractData
    from populus.config import Config

__all__ = ["Workspace"]


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
