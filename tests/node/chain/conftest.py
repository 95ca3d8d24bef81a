"""A scripted chain with two people on it, and a chain port for one of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perun.bindings import abi, ms_contract_calls
from perun.bindings.calls import Call
from perun.chain.fees import FeePolicy
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Report
from perun.chain.service import ChainService
from perun.chain.wishes import wish_of
from perun.core.chain_view import OnChain
from perun.core.config import Deployment
from perun.core.effects import DepositMoney, OpenChannel, Register, Settle, Submit, Watch
from perun.core.inputs import ChainChannel, ChainInstance, Input
from perun.core.limits import Limits
from perun.core.signing import digest
from perun.crypto import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import channel_id
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.pool import PooledTransaction, ScriptedAccount
from perun.types import (
    ETH,
    Asset,
    Channel,
    ChannelId,
    Close,
    Nonce,
    Seconds,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

ALICE, BOB, INGRID = (SecretKey(bytes((n,)) * 32) for n in (1, 2, 3))
ARTIFACTS = Path(__file__).parents[2] / "contracts" / "artifacts"
CHALLENGE = Seconds(600)
LIMITS = Limits(
    finality_blocks=2,
    freshness=Seconds(60),
    margin=Seconds(60),
    least_challenge=Seconds(600),
    least_machine_challenge=Seconds(600),
)


@dataclass
class Watcher:
    """Somebody with a chain port, and what it has said."""

    site: Site
    key: SecretKey
    journal: Journal = field(default_factory=MemoryJournal)
    policy: FeePolicy | None = None
    limits: Limits = LIMITS

    def __post_init__(self) -> None:
        self.endpoint = ScriptedEndpoint(self.site.chain)
        self.inputs: list[Input] = []
        self.reports: list[Report] = []
        self.start()

    def start(self) -> None:
        """(Re)starts the port on the same journal: what a killed process forgets is forgotten."""
        self.port = ChainService(
            self.endpoint,
            self.site.deployment,
            ScriptedAccount(self.key.address),
            self.inputs.extend,
            limits=self.limits,
            journal=self.journal,
            policy=self.policy,
            report=self.reports.append,
        )

    def poll(self) -> list[Input]:
        """One round; what it brought."""
        self.inputs.clear()
        self.port.poll()
        return list(self.inputs)

    def seen(self, id: ChannelId) -> tuple[OnChain, OnChain] | None:
        """Newest and final view of a channel that the last round brought; None if unchanged."""
        found = [i for i in self.inputs if isinstance(i, ChainChannel) and i.id == id]
        return (found[-1].head, found[-1].final) if found else None

    def seen_instance(self, id: bytes) -> ChainInstance | None:
        found = [i for i in self.inputs if isinstance(i, ChainInstance) and i.id == id]
        return found[-1] if found else None

    def of(self, kind: type) -> list[Report]:
        """Reports of a kind so far."""
        return [report for report in self.reports if isinstance(report, kind)]


class Site:
    """The chain, and a channel between Alice and Bob."""

    def __init__(self) -> None:
        self.chain = ScriptedChain(rich=[ALICE.address, BOB.address, INGRID.address])
        self.deployment: Deployment = self.chain.deployment
        self.channel = Channel(
            ALICE.address,
            BOB.address,
            ALICE.address,
            BOB.address,
            ETH,
            CHALLENGE,
            Nonce(7),
        )
        self.id = channel_id(self.deployment.contract, self.channel)
        self._nonces: dict[bytes, int] = {}

    def watcher(self, key: SecretKey = ALICE, **settings: object) -> Watcher:
        return Watcher(self, key, **settings)  # type: ignore[arg-type]

    def later(self, seconds: int) -> UnixTime:
        return UnixTime(self.chain.now + seconds)

    # ------------------------------------------------------------------------- straight to a block

    def act(self, key: SecretKey, call: Call) -> None:
        """A transaction of `key`, mined at once in a block of its own."""
        self.chain.mine([self.transaction(key, call)])

    def transaction(self, key: SecretKey, call: Call, *, most: int = 10**10) -> PooledTransaction:
        assert call.to is not None
        nonce = ScriptedEndpoint(self.chain).next_nonce(key.address, self.chain.head.number)
        return PooledTransaction(key.address, nonce, call.to, call.data, call.value, most)

    def open(self, key: SecretKey, amount: int) -> None:
        self.act(
            key,
            ms_contract_calls.open_channel(
                self.deployment.contract.contract, self.channel, Wei(amount), self.later(300)
            ),
        )

    # --------------------------------------------------------------------------------- wishes

    def deposit(self, amount: int, *, lasts: int = 300) -> Submit:
        return Submit(
            b"d" + self.id,
            DepositMoney(ETH, self.id, False, Wei(amount), self.later(lasts)),
        )

    def opening(self, amount: int) -> Submit:
        return Submit(b"o" + self.id, OpenChannel(self.channel, Wei(amount), self.later(300)))

    def register(self, version: int, net: int = 0) -> Submit:
        state = State(self.id, Version(version), Wei(net))
        hashed = digest(self.deployment, state)
        signed = (sign(hashed, ALICE), sign(hashed, BOB))
        return Submit(
            b"r" + self.id, Register(self.channel, self.id, state.version, state.net, (), *signed)
        )

    def call(self, submit: Submit) -> Call:
        """The call that a submitter would send."""
        return wish_of(submit, self.deployment, ALICE.address).call

    def dust(self, key: SecretKey, amount: int, *, to_bob: bool) -> PooledTransaction:
        """A stranger's deposit, not mined yet."""
        call = ms_contract_calls.deposit(
            self.deployment.contract.contract,
            ETH,
            self.id,
            Wei(amount),
            self.later(300),
            to_bob=to_bob,
        )
        return self.transaction(key, call)

    def withdrawal(self, amount: int) -> Call:
        """Alice takes so much out, agreed on by both."""
        wish = Withdraw(self.id, 0, Wei(amount), Wei(0), self.later(300))
        pair = signed(self, wish, ALICE), signed(self, wish, BOB)
        return ms_contract_calls.withdraw(
            self.deployment.contract.contract, self.channel, wish, *pair
        )

    def closing(self) -> Call:
        """The end, agreed on by both."""
        wish = Close(self.id, Wei(0), self.later(300))
        pair = signed(self, wish, ALICE), signed(self, wish, BOB)
        return ms_contract_calls.close(self.deployment.contract.contract, self.channel, wish, *pair)

    def settle(self, net: int = 0) -> Submit:
        return Submit(b"s" + self.id, Settle(self.channel, self.id, Wei(net), ()))

    @property
    def watch(self) -> Watch:
        return Watch(channel=self.id, asset=ETH, terms=self.channel)

    def holdings(self) -> tuple[int, int]:
        """Alice's and Bob's, in the newest block."""
        query = ms_contract_calls.holdings(self.deployment.contract.contract, ETH, self.id)
        found = ScriptedEndpoint(self.chain).ask(query, self.chain.head.number)
        return found.alice, found.bob


def signed(site: Site, message: Statement | Withdraw | Close, key: SecretKey) -> Signature:
    """By one party's key."""
    return sign(digest(site.deployment, message), key)


def plain_token(site: Site, rich: SecretKey) -> Asset:
    """A token of which `rich` has a million."""
    built = json.loads((ARTIFACTS / "PlainToken.json").read_text())
    token = site.chain.evm.deploy(bytes.fromhex(built["bytecode"].removeprefix("0x")))
    mint = abi.encode_call("mint(address,uint256)", rich.address, 10**6)
    site.act(rich, Call(token, mint))
    return Asset(token)


@pytest.fixture
def site() -> Site:
    return Site()
