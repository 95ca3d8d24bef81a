"""Populus: compile, test and deploy smart contracts.

A from-scratch continuation of the archived Populus framework on web3 8, eth-tester and
py-solc-x. See `docs/populus.md`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from populus.project import Project

# eth-hash would pick pycryptodome, five times slower; it looks at this when it first hashes.
os.environ.setdefault("ETH_HASH_BACKEND", "pysha3")

__version__ = "3.0.0"

__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    """`Project`, once it is wanted: pytest loads this package in every project that it tests."""
    if name != "Project":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from populus.project import Project

    return Project
