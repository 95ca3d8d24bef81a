"""Fixtures for everybody: the stage, its cast, and hypothesis profiles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from perun.testing.owners import Owner
from populus.chain.anvil import find_anvil
from tests.support.contracts import Deployed
from tests.support.postgres import Servers, programs, servers
from tests.support.stage import Stage

if TYPE_CHECKING:
    from populus.chain import TesterChain

# `HYPOTHESIS_PROFILE=deep pytest` searches far; the default is the same few examples every time.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}
settings.register_profile("quick", max_examples=30, derandomize=True, database=None, **_COMMON)
settings.register_profile("deep", max_examples=3_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

ROOT = Path(__file__).resolve().parents[1]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """The whole suite runs on two cores; a part of it starts sooner in one process."""
    asked = [Path(config.invocation_params.dir, name).resolve() for name in config.args]
    whole = all(path in (ROOT, ROOT / "tests") for path in asked)
    return 2 if whole and (os.cpu_count() or 1) > 1 else 0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `chain` start a real node: without one they are skipped, and say so."""
    if find_anvil(ROOT) is None:
        for item in items:
            if item.get_closest_marker("chain"):
                item.add_marker(pytest.mark.skip("anvil is not installed: npm install"))


@pytest.fixture(scope="session")
def stage(chain: TesterChain) -> Stage:
    """The contracts, a token and the cast on the chain in memory; every test is rolled back."""
    return Stage(chain)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Servers]:
    """Two servers that do not wait for the disk; without PostgreSQL the test is skipped."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with servers() as running:
        yield running


@pytest.fixture
def alice(stage: Stage) -> Owner:
    return stage.alice


@pytest.fixture
def bob(stage: Stage) -> Owner:
    return stage.bob


@pytest.fixture
def ingrid(stage: Stage) -> Owner:
    return stage.ingrid


@pytest.fixture
def mallory(stage: Stage) -> Owner:
    return stage.mallory


@pytest.fixture
def carol(stage: Stage) -> Owner:
    """Anybody: no part in any channel unless a test gives her one."""
    return stage.carol


@pytest.fixture(scope="session")
def liar(stage: Stage) -> Deployed:
    """A nanocontract that answers as told: `liar.send(x, "set", id, done, shift)`."""
    return stage.deploy("LiarNanocontract")
