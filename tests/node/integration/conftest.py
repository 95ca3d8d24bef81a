"""Real chain processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from perun import deploy
from perun.chain.anvil import Anvil
from perun.chain.memory import GENESIS_TIME
from perun.core.config import Deployment
from perun.node.settings import deployment_of


@pytest.fixture(scope="session")
def anvil() -> Iterator[Anvil]:
    """One anvil for all tests; blocks are made when told."""
    with Anvil(automine=False, genesis_time=GENESIS_TIME) as running:
        yield running


@pytest.fixture(scope="session")
def deployment(anvil: Anvil) -> Deployment:
    anvil.set_automine(True)
    suite = deploy(anvil.endpoint().web3)
    anvil.set_automine(False)
    return deployment_of(suite.chain_id, suite.places())
