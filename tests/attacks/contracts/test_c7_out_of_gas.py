"""C7: a state that cannot be settled within one transaction (EIP-7825: 16,777,216 gas)."""

from __future__ import annotations

import pytest

from perun.types import ETH
from tests.support.channels import Holdings, new_channel
from tests.support.instances import new_nano
from tests.support.stage import FOREVER, Stage

LIMIT = 16_000_000


@pytest.mark.parametrize("asset", ["ETH", "token"])
def test_64_burning_nanos_and_two_burning_payees_are_settled(stage: Stage, asset: str) -> None:
    """Everything that can burn its whole allowance does, cold, and all comes out at once."""
    burner = stage.deploy("GasBurningNanocontract")
    token = stage.deploy_token("GasBurningToken")
    alice, bob = (
        stage.party_at(stage.deploy("GasBurningPayee").address, party)
        for party in (stage.alice, stage.bob)
    )
    channel = new_channel(stage, alice, bob, token if asset == "token" else ETH).fund(100, 100)
    token.send(stage.carol, "setBurning", True)
    nanos = [new_nano(burner, number, 1, 1, 0) for number in range(64)]
    channel.register(alice.key, 2, 0, nanos)
    channel.wait_until_settleable()

    receipt = channel.settle(stage.carol, 0, nanos, gas=LIMIT)

    assert 64 * 120_000 < receipt.gas_used < LIMIT
    assert channel.holdings() == Holdings(0, 0)
    assert channel.credits() == (100, 100)


def test_64_remaining_burners_are_settled_again(stage: Stage) -> None:
    burner = stage.deploy("GasBurningNanocontract")
    channel = new_channel(stage).fund(100, 100)
    nanos = [new_nano(burner, number, 1, 1, FOREVER) for number in range(64)]
    channel.register(stage.alice, 2, 0, nanos)
    channel.wait_until_settleable()
    first = channel.settle(stage.carol, 0, nanos, gas=LIMIT)
    assert first.only("Settled")["alicePaid"] == 36
    assert channel.settle(stage.carol, 0, nanos, gas=LIMIT).events == ()


def test_evidence_for_64_burning_nanos_fits_in_parts(stage: Stage) -> None:
    """Not in one: 64 · 300,000 is above the limit; the sender chooses how much it brings."""
    burner = stage.deploy("GasBurningNanocontract")
    channel = new_channel(stage).fund(100, 100)
    nanos = [new_nano(burner, number) for number in range(64)]
    for start in (0, 32):
        evidence = [b"x" if start <= number < start + 32 else b"" for number in range(64)]
        receipt = channel.register(stage.alice, 2, 0, nanos, evidence=evidence, gas=LIMIT)
        assert receipt.count("EvidenceFailed") == 32
