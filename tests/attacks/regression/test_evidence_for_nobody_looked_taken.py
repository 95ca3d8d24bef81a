"""A call to an address without code succeeds, so evidence for it once vanished without an event."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from tests.support.channels import new_channel
from tests.support.instances import new_nano
from tests.support.reverts import reverts
from tests.support.stage import Stage


@pytest.mark.parametrize("app", [b"\x77" * 20, bytes(20), bytes(19) + b"\x04"])
def test_evidence_for_an_address_without_code_is_reported(stage: Stage, app: bytes) -> None:
    """An unused address, zero, and the identity precompile, which takes anything."""
    channel = new_channel(stage).fund(10, 10)
    nanos = (new_nano(app, 1),)
    receipt = channel.register(stage.alice, 2, 0, nanos, evidence=(b"x",))
    assert receipt.only("EvidenceFailed") == {"id": channel.id, "index": 0}


def test_it_needs_the_whole_allowance_like_any_failure(stage: Stage) -> None:
    channel = new_channel(stage).fund(10, 10)
    nanos = (new_nano(b"\x77" * 20, 1),)
    with reverts("NotEnoughGas", ANY, 300_000):
        channel.register(stage.alice, 2, 0, nanos, evidence=(b"x",), gas=350_000)
