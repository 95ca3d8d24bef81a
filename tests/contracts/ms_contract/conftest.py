"""Channels of Alice and Bob, in ETH and in a token."""

from __future__ import annotations

import pytest

from perun.types import ETH
from tests.support.channels import BasicChannel, new_channel
from tests.support.stage import Stage


@pytest.fixture(params=["ETH", "token"])
def asset(request: pytest.FixtureRequest, stage: Stage) -> bytes:
    """Both kinds of asset."""
    return ETH if request.param == "ETH" else stage.token.address


# Made once: every test is rolled back to the moment they were made.


@pytest.fixture(scope="session")
def channel(stage: Stage) -> BasicChannel:
    """An ETH channel that holds nothing yet."""
    return new_channel(stage)


@pytest.fixture(scope="session")
def funded(stage: Stage) -> BasicChannel:
    """An ETH channel that holds 10 and 10 wei."""
    return new_channel(stage).fund(10, 10)
