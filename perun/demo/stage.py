"""Everything around the cast: chain, contracts, network, one clock.

All nodes run in one thread in a fixed order, and blocks come when told: the same seed is the same
story, to the wei.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from perun import deployments
from perun.bindings import transport
from perun.bindings.calls import Call
from perun.chain.memory import rich_key
from perun.chain.rpc import RpcEndpoint
from perun.core.config import Deployment, Policy
from perun.core.limits import limits_for
from perun.core.rulebook import NO_RULES
from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.crypto.interop import eth_private_key
from perun.demo.chains import DemoChain
from perun.demo.character import Character
from perun.demo.wheels import Wheels
from perun.node.settings import deployment_of
from perun.ports import Clock
from perun.types import Address, UnixTime, Wei
from perun.wire.local import LocalNetwork

__all__ = ["ENDS", "ETHER", "PURSE", "Stage"]

ETHER: Final = 10**18

ENDS: Final = Policy(greatest_deposit=Wei(ETHER), greatest_fee=Wei(ETHER // 100))
"""Somebody who joins channels with up to 1 ETH, and pays a hub up to 0.01 ETH for one crossing."""

PURSE: Final = Wei(10 * ETHER)
"""What somebody begins with."""


class _StageClock:
    """Shows the newest block's time: on this stage the chain's clock is everybody's."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return self._stage.now


class Stage(Wheels):
    """Chain, contracts and network."""

    any_price = False
    rules = NO_RULES

    def __init__(self, chain: DemoChain, folder: Path, seed: int) -> None:
        """Deploys the contracts."""
        self.folder = folder
        self.seed = seed
        self._chain = chain
        self._endpoint = chain.endpoint()
        rich = eth_private_key(rich_key(0))
        suite = deployments.deploy(self._endpoint.web3, rich)
        self.deployment: Deployment = deployment_of(suite.chain_id, suite.places())
        self.limits = limits_for(suite.chain_id)
        self.network = LocalNetwork()
        self.clock: Clock = _StageClock(self)
        self.cast: list[Character] = []
        self.sync()
        self.since = self.head.number

    def sync(self) -> None:
        """Takes over the newest block as everybody's time."""
        head = self._endpoint.block()
        assert head is not None
        self.head, self.now = head, head.time

    def endpoint(self) -> RpcEndpoint:
        """A way to the chain."""
        return self._chain.endpoint()

    def balance(self, account: Address) -> Wei:
        """ETH of an account in the newest block, wei."""
        return self._endpoint.balance(account)

    # ---------------------------------------------------------------------------------- the cast

    def secret(self, what: str) -> bytes:
        """32 bytes that follow from the seed: keys, salts, preimages."""
        return keccak(f"perun demo {self.seed} {what}".encode())

    def enter(self, name: str, policy: Policy | None = None, purse: Wei = PURSE) -> Character:
        """Somebody with a key, ETH in the account, and a running node.

        Args:
            policy: what the node agrees to by itself; `ENDS` if not given.
            purse: in wei.
        """
        key = SecretKey(self.secret(f"key of {name}"))
        rich = eth_private_key(rich_key(0))
        transport.submit(self._endpoint.web3, Call(key.address, b"", purse), rich)
        party = Character(name, key, self, ENDS if policy is None else policy)
        self.cast.append(party)
        party.switch_on()
        return party

    def begin(self) -> None:
        """From now on blocks come only when told."""
        self._chain.set_automine(False)
        self.block()

    # --------------------------------------------------------------------------------- the wheels

    def mine(self, at: UnixTime | None = None) -> None:
        """See `Wheels`."""
        self._chain.mine(at=at)
        self.sync()

    def jump(self, time: UnixTime) -> None:
        """A block at that time, or the next one if it is past already."""
        self.block(at=UnixTime(max(time, self.now + 1)))

    def patient(self, happened: Callable[[], bool], what: str) -> None:
        """Like `until`, when only messages are needed."""
        self.settle()
        if not happened():
            self.until(happened, what)
