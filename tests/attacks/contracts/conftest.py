"""A hub between two ends: two channels, one machine locked in both."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from perun.types import ETH, Nano
from tests.support.channels import BasicChannel, new_channel
from tests.support.instances import PaymentMachine, new_machine
from tests.support.stage import Stage


@dataclass(frozen=True, slots=True)
class Path:
    """Alice pays Bob over Ingrid. Each channel holds 100 a side; the machine locks 10 and 10."""

    stage: Stage
    left: BasicChannel
    right: BasicChannel
    machine: PaymentMachine
    left_nano: Nano
    right_nano: Nano

    def register(self, left_version: int = 2, right_version: int = 2) -> None:
        """Both channels go to the chain with the machine listed."""
        self.left.register(self.stage.alice, left_version, 0, (self.left_nano,))
        self.right.register(self.stage.bob, right_version, 0, (self.right_nano,))

    def settle(self, side: str) -> None:
        channel, nano = (
            (self.left, self.left_nano) if side == "left" else (self.right, self.right_nano)
        )
        if channel.holdings().disputed:
            channel.settle(self.stage.carol, 0, (nano,))

    def with_machine(self, **terms: int) -> Path:
        """The same channels, a machine with other terms (and the same salt)."""
        machine = self.machine.changed(**terms)
        left = machine.nano(swapped=self.left_nano.swapped)
        right = machine.nano(swapped=self.right_nano.swapped)
        return Path(self.stage, self.left, self.right, machine, left, right)


def new_path(stage: Stage, left_first: bool = True, right_first: bool = True) -> Path:
    """Orientation: whether the machine's Alice side is also the channel's, left and right."""
    alice, bob, ingrid = stage.alice, stage.bob, stage.ingrid
    left = new_channel(stage, *((alice, ingrid) if left_first else (ingrid, alice)))
    right = new_channel(stage, *((ingrid, bob) if right_first else (bob, ingrid)))
    machine = new_machine(stage, alice, bob)
    nanos = machine.nano(swapped=not left_first), machine.nano(swapped=not right_first)
    return Path(stage, left.fund(100, 100), right.fund(100, 100), machine, *nanos)


@pytest.fixture(scope="session")
def path(stage: Stage) -> Path:
    """Nothing swapped. Made once; tests are rolled back."""
    return new_path(stage)


@pytest.fixture(scope="session")
def funded(stage: Stage) -> BasicChannel:
    """Alice's and Bob's channel in ETH with 10 and 10 wei."""
    return new_channel(stage).fund(10, 10)


@pytest.fixture(scope="session")
def treasure(stage: Stage) -> int:
    """Other people's money in the contract: 500 ether of credit and of holdings."""
    ether = 10**18
    stage.ms.send(
        stage.treasury, "fund", ETH, stage.treasury.account, 250 * ether, value=250 * ether
    )
    new_channel(stage, stage.ingrid, stage.carol).fund(125 * ether, 125 * ether)
    return 500 * ether
