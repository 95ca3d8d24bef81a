"""What the follower has folded from events is what the contract answers when asked directly."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Call
from perun.core.chain_view import EMPTY, OnChain
from perun.core.config import Deployment
from perun.core.signing import digest
from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.pool import PooledTransaction
from perun.types import (
    ETH,
    Address,
    Close,
    InstanceId,
    Nano,
    Settlement,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)
from tests.node.chain.conftest import ALICE, BOB, INGRID, Site

NET = Wei(3)


class Watched(RuleBasedStateMachine):
    """A channel that anything happens to, and a follower that sees only some of the blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.deployment: Deployment = self.site.deployment
        self.contract = self.deployment.contract.contract
        self.watcher = self.site.watcher(INGRID)
        self.watcher.port.watch(self.site.watch)
        self.view: tuple[OnChain, OnChain] = (EMPTY, EMPTY)
        self.quick = True
        self.site.chain.mine()

    # ------------------------------------------------------------------------------------- chain

    def send(self, key: SecretKey, call: Call) -> None:
        nonce = ScriptedEndpoint(self.site.chain).next_nonce(key.address)
        transaction = PooledTransaction(
            key.address, nonce, call.to or Address(bytes(20)), call.data, call.value, 10**10
        )
        self.site.chain.receive(transaction)
        # Mostly mined and seen at once, so that stories get far; else in whatever block comes.
        if self.quick:
            self.site.chain.mine()
            self.look()

    @rule(quick=st.booleans())
    def pace(self, quick: bool) -> None:
        self.quick = quick

    def signed(self, message: State | Withdraw | Close) -> tuple[bytes, bytes]:
        hashed = digest(self.deployment, message)
        return sign(hashed, ALICE), sign(hashed, BOB)

    @rule(key=st.sampled_from([ALICE, BOB]), amount=st.integers(1, 50))
    def open(self, key: SecretKey, amount: int) -> None:
        until = self.site.later(500)
        channel = self.site.channel
        self.send(key, ms_contract_calls.open_channel(self.contract, channel, Wei(amount), until))

    @rule(index=st.integers(0, 2), amounts=st.tuples(st.integers(0, 20), st.integers(0, 20)))
    def withdraw(self, index: int, amounts: tuple[int, int]) -> None:
        wish = Withdraw(self.site.id, index, Wei(amounts[0]), Wei(amounts[1]), self.site.later(500))
        call = ms_contract_calls.withdraw(
            self.contract, self.site.channel, wish, *self.signed(wish)
        )
        self.send(ALICE, call)

    @rule(version=st.integers(0, 6), locked=st.booleans())
    def register(self, version: int, locked: bool) -> None:
        nano = Nano(
            self.deployment.vpm.contract,
            InstanceId(b"\x05" * 32),
            Wei(2),
            Wei(0),
            UnixTime(2**33),
            False,
        )
        nanos = (nano,) if locked and version else ()
        state = State(self.site.id, Version(version), NET if version else Wei(0), nanos)
        call = ms_contract_calls.register(
            self.contract, self.site.channel, state, *self.signed(state)
        )
        self.send(BOB, call)

    @rule(wait=st.sampled_from([1, 700]))
    def settle(self, wait: int) -> None:
        self.site.chain.mine(at=self.site.later(wait))
        self.look()
        dispute = self.view[0].dispute
        if dispute is not None:
            net = Wei(0) if dispute.settling else dispute.net
            settlement = Settlement(self.site.channel, net, dispute.nanos)
            self.send(ALICE, ms_contract_calls.settle(self.contract, settlement))

    @rule()
    def close(self) -> None:
        wish = Close(self.site.id, Wei(0), self.site.later(500))
        call = ms_contract_calls.close(self.contract, self.site.channel, wish, *self.signed(wish))
        self.send(BOB, call)

    @rule(count=st.integers(1, 3))
    def blocks(self, count: int) -> None:
        for _ in range(count):
            self.site.chain.mine()
        self.look()

    @rule(depth=st.integers(1, 3), kept=st.booleans())
    def reorganise(self, depth: int, kept: bool) -> None:
        """Also behind what counts as final: then everything is read again."""
        chain = self.site.chain
        depth = min(depth, chain.head.number)
        chain.reorganise(depth, keep=kept)
        for _ in range(depth + 1):
            chain.mine()
        self.look()

    @rule()
    def look(self) -> None:
        self.watcher.poll()
        self.view = self.watcher.seen(self.site.id) or self.view

    # ----------------------------------------------------------------------------------- compare

    @invariant()
    def both_views_are_what_the_contract_says(self) -> None:
        follower, chain = self.watcher.port.follower, self.site.chain
        if follower.head is None or follower.head != chain.head:
            return  # it has not looked at this block yet
        assert follower.final is not None
        blocks = (follower.head.number, follower.final.number)
        for on, number in zip(self.view, blocks, strict=True):
            self.compare(on, number)

    def compare(self, on: OnChain, number: int) -> None:
        endpoint = ScriptedEndpoint(self.site.chain)
        ask = (self.contract, ETH, self.site.id)
        held = endpoint.ask(ms_contract_calls.holdings(*ask), number)
        known = endpoint.ask(ms_contract_calls.dispute(*ask), number)
        assert (on.alice, on.bob, on.withdrawals) == (held.alice, held.bob, held.withdrawals)
        assert (on.dispute is not None) == held.disputed
        if on.dispute is not None:
            shown = (on.dispute.version, on.dispute.deadline, on.dispute.settling)
            assert shown == (known.version, known.deadline, known.settling)


TestWatched = Watched.TestCase
TestWatched.settings = settings(stateful_step_count=25, deadline=None)
