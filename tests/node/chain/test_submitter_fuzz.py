"""Whatever pools, builders, reorganisations, other wallets and power cuts do: every deposit once.

A deposit is the one transaction that moves money twice if it is mined twice. Each has an amount of
its own, a power of two, so that the channel's holdings name the deposits that were mined.
"""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from perun.bindings.calls import Call
from perun.bindings.failures import NodeRefused, NodeUnreachable
from perun.chain.reports import Dropped
from perun.core.effects import DepositMoney, Submit
from perun.types import ETH, UnixTime, Wei
from tests.node.chain.conftest import ALICE, INGRID, Site, Watcher

MOST_WISHES = 12


class Weather(RuleBasedStateMachine):
    """Alice's submitter in a storm."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.site.chain.mine()
        self.watcher = Watcher(self.site, ALICE)
        self.wishes: list[Submit] = []
        self.look()

    def look(self) -> None:
        with suppress(NodeUnreachable):
            self.watcher.poll()

    @precondition(lambda self: len(self.wishes) < MOST_WISHES)
    @rule()
    def wish(self) -> None:
        number = len(self.wishes)
        until = UnixTime(self.site.chain.now + 100_000)
        deposit = DepositMoney(ETH, self.site.id, False, Wei(1 << number), until)
        self.wishes.append(Submit(b"d%d" % number, deposit))
        self.watcher.port.submit(self.wishes[-1])
        self.look()

    @rule(taken=st.integers(0, 3))
    def block(self, taken: int) -> None:
        """Builders take what they like."""
        self.site.chain.mine(list(self.site.chain.pool.values())[:taken])
        self.look()

    @rule(depth=st.integers(1, 2), kept=st.booleans(), taken=st.integers(0, 3))
    def reorganise(self, depth: int, kept: bool, taken: int) -> None:
        """Never behind a block that counts as final."""
        chain = self.site.chain
        final = self.watcher.port.follower.final
        assert final is not None
        depth = min(depth, chain.head.number - final.number)
        if depth:
            chain.reorganise(depth, keep=kept)
            for _ in range(depth + 1):
                chain.mine(list(chain.pool.values())[:taken])
        self.look()

    @rule()
    def pool_is_full(self) -> None:
        self.site.chain.pool.clear()
        self.look()

    @rule(mined=st.booleans())
    def another_wallet_sends(self, mined: bool) -> None:
        """From the same account: mined at once, or waiting with a greater bid than ours."""
        foreign = self.site.transaction(ALICE, Call(INGRID.address, b"", Wei(1)), most=10**12)
        if mined:
            self.site.chain.mine([foreign])
        else:
            with suppress(NodeRefused):
                self.site.chain.receive(foreign)
        self.look()

    @rule()
    def core_asks_again(self) -> None:
        for wish in self.wishes:
            self.watcher.port.submit(wish)
        self.look()

    @rule()
    def power_cut(self) -> None:
        self.watcher.start()
        for wish in self.wishes:
            self.watcher.port.submit(wish)
        self.look()

    @rule()
    def power_cut_before_sending(self) -> None:
        """The journal has it, the node does not."""
        self.watcher.endpoint.reachable = False
        self.look()
        self.watcher.start()
        self.watcher.endpoint.reachable = True
        for wish in self.wishes:
            self.watcher.port.submit(wish)
        self.look()

    @invariant()
    def nothing_is_deposited_twice(self) -> None:
        assert self.site.holdings()[0] < 1 << len(self.wishes)

    def teardown(self) -> None:
        for _ in range(40):
            self.site.chain.mine()
            self.core_asks_again()  # as it does at every block, until it sees the money
        assert self.watcher.of(Dropped) == []
        assert self.site.holdings() == ((1 << len(self.wishes)) - 1, 0)
        assert self.watcher.port.submitter.idle


TestWeather = Weather.TestCase
TestWeather.settings = settings(stateful_step_count=30, deadline=None)
