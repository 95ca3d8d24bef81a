"""The same stage twice: on anvil, and on a chain in memory with the same chain id and nonces.

Gas is charged for the bytes of addresses, ids and signatures, so all of them have to be equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from populus.chain import AnvilChain
from populus.chain.anvil import find_anvil
from populus.project import Project
from tests.support.stage import Stage

TESTER_CHAIN_ID = 131277322940537  # eth-tester's own, not to be changed


class SameAnvil(AnvilChain):
    """anvil that calls itself eth-tester."""

    @property
    def settings(self) -> dict[str, Any]:
        return {**super().settings, "chain_id": TESTER_CHAIN_ID}


@pytest.fixture(scope="session")
def on_anvil(project: Project) -> Iterator[Stage]:
    """A stage on an anvil of our own."""
    if find_anvil(project.root) is None:
        pytest.skip("anvil is not installed: npm install")
    with SameAnvil(project, "anvil") as chain:
        yield Stage(chain)


@pytest.fixture(scope="session")
def in_memory(project: Project) -> Iterator[Stage]:
    """A stage on a chain in memory that nobody else uses."""
    with project.get_chain("tester") as chain:
        yield Stage(chain)  # type: ignore[arg-type]
