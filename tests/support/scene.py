"""Nodes with stores of their own on a scripted chain: real bytecode, no process, no web3."""

from __future__ import annotations

from pathlib import Path

from perun.bindings import ms_contract_calls
from perun.bindings.artifacts import artifact
from perun.bindings.calls import Call
from perun.core.config import HubPolicy, Policy
from perun.core.inputs import CommandAddMachine, CommandOffer, CommandPay
from perun.core.limits import Limits, limits_for
from perun.core.notices import InstanceAdded
from perun.core.rulebook import Rulebook
from perun.crypto import SecretKey
from perun.crypto.hashing import keccak
from perun.demo.character import Character
from perun.demo.wheels import Wheels
from perun.ports import Clock
from perun.referee.here import run
from perun.referee.rulebook import CodeBook
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.testing.pool import PooledTransaction
from perun.types import (
    ETH,
    ChannelId,
    InstanceId,
    MachineId,
    Nonce,
    Salt,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)
from perun.wire.local import LocalNetwork

ETHER = 10**18
NAMES = ("alice", "bob", "ingrid", "tower", "mallory")
KEYS = {name: SecretKey(keccak(f"scene {name}".encode())) for name in NAMES}


class _Clock:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def now(self) -> UnixTime:
        return self._scene.chain.now


class Scene(Wheels):
    """A chain, a network, and whoever has entered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain = ScriptedChain(rich=[key.address for key in KEYS.values()])
        self.chain.mine()
        self.deployment = self.chain.deployment
        self.limits: Limits = limits_for(self.deployment.contract.chain_id)
        self.any_price = True
        self.tic_tac_toe = self.chain.evm.tic_tac_toe
        self.rules: Rulebook = CodeBook({self.tic_tac_toe: artifact("TicTacToe").runtime}, run)
        self.network = LocalNetwork()
        self.clock: Clock = _Clock(self)
        self.since = 0
        self.cast: list[Character] = []

    def endpoint(self) -> ScriptedEndpoint:
        return ScriptedEndpoint(self.chain)

    def enter(self, name: str, policy: Policy | None = None) -> Character:
        """Somebody of `NAMES`, with a running node."""
        policy = policy or Policy(greatest_fee=Wei(ETHER), greatest_deposit=Wei(10 * ETHER))
        party = Character(name, KEYS[name], self, policy)
        self.cast.append(party)
        party.switch_on()
        return party

    def hub(self, name: str = "ingrid") -> Character:
        """A hub without fees."""
        return self.enter(name, Policy(greatest_deposit=Wei(10 * ETHER), hub=HubPolicy()))

    # ------------------------------------------------------------------------------------ wheels

    def mine(self, at: UnixTime | None = None) -> None:
        self.chain.mine(at=at)

    def later(self, seconds: int) -> UnixTime:
        return UnixTime(self.chain.now + seconds)

    def by_hand(self, key: SecretKey, call: Call) -> None:
        """A transaction that no node sends, waiting in the pool."""
        assert call.to is not None
        nonce = self.endpoint().next_nonce(key.address)
        self.chain.receive(
            PooledTransaction(key.address, nonce, call.to, call.data, call.value, 10**10)
        )

    def register_start(self, party: Character, channel: ChannelId) -> None:
        """Alice has gone back to how a channel of theirs began, for which nobody signs; mined."""
        start, none = State(channel, Version(0), Wei(0)), Signature(b"")
        contract, terms = self.deployment.contract.contract, party.channel(channel).channel
        self.by_hand(KEYS["alice"], ms_contract_calls.register(contract, terms, start, none, none))
        self.chain.mine()

    # ------------------------------------------------------------------------------------- doings

    def open(
        self, one: Character, other: Character, own: int = ETHER, theirs: int = ETHER
    ) -> ChannelId:
        """A channel of two, funded and final."""
        nonce = Nonce(len(one.books.channels) + 1)
        challenge = Seconds(600)
        offer = CommandOffer(
            other.peer, other.address, ETH, challenge, nonce, Wei(own), Wei(theirs)
        )
        one.do(offer)

        def funded() -> bool:
            views = [v for p in (one, other) for v in p.books.channels.values()]
            ours = [v for v in views if {v.channel.alice, v.channel.bob} == addresses]
            return len(ours) == 2 and all(
                (v.final.alice, v.final.bob) == (own, theirs) for v in ours
            )

        addresses = {one.address, other.address}
        self.until(funded)
        return one.channel_with(other)

    def machine(
        self,
        one: Character,
        channel: ChannelId,
        lock: int = ETHER // 2,
        lasts: int = 7_200,
        end: Character | None = None,
    ) -> MachineId:
        """A machine with equal locks, ready for payments."""
        known = {notice.instance for notice in one.heard(InstanceAdded)}
        one.do(
            CommandAddMachine(
                channel,
                Wei(lock),
                Wei(lock),
                self.later(lasts),
                Seconds(600),
                Salt(keccak(channel + bytes((len(known),)))),
                b"" if end is None else end.peer,
            )
        )

        def ready() -> list[InstanceId]:
            found = [n.instance for n in one.heard(InstanceAdded) if n.instance not in known]
            return [
                id
                for id in found
                if all(
                    view.watched and (not view.via or view.ready)
                    for party in self.cast
                    for view in (party.books.instances.get(id),)
                    if view is not None and view.role is not None
                )
            ]

        self.until(lambda: bool(ready()))
        return MachineId(ready()[0])

    def pay(self, payer: Character, machine: MachineId, *amounts: int) -> None:
        payer.do(*(CommandPay(machine, Wei(amount)) for amount in amounts))
        self.settle()
