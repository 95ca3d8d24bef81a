"""Somebody without scruples: keys, a memory for everything that was ever said, and no rules.

An adversary speaks for one or several parties that have conspired. It remembers every signature it
has seen, adds its own to anything, and turns what it holds into messages and transactions. What an
honest node would never do is a method here; when to do it is up to whoever plays it.
"""

from __future__ import annotations

from collections.abc import Iterable

from perun.bindings import hash_time_lock, ms_contract_calls, vpm
from perun.bindings.calls import Call
from perun.core.books import Books
from perun.core.config import Deployment
from perun.core.effects import Signable
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.signing import digest
from perun.core.state import PeerId
from perun.crypto.hashing import keccak
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.messages import (
    AcceptChannel,
    AnswerClose,
    AnswerState,
    AnswerWithdraw,
    Invited,
    Leave,
    Message,
    OfferClose,
    OfferWithdraw,
    Over,
    Pay,
    Play,
    Played,
    Propose,
    RequestInstance,
    ShowState,
    decode,
    encode,
)
from perun.errors import PeerFault
from perun.types import (
    Address,
    Channel,
    ChannelId,
    Close,
    Game,
    GameId,
    InstanceId,
    Lock,
    Machine,
    MachineId,
    Open,
    Position,
    Preimage,
    Signature,
    State,
    Statement,
    Terms,
    Version,
    Wei,
    Withdraw,
)

__all__ = ["Adversary"]

_NOTHING = Signature(b"")


class Adversary:
    """What conspirators know and can make of it."""

    def __init__(self, deployment: Deployment, parties: Iterable[tuple[PeerId, SecretKey]]) -> None:
        """Knows nothing yet.

        Args:
            parties: the conspirators: how each is known on the wire, and its key.
        """
        self.deployment = deployment
        self.keys: dict[PeerId, SecretKey] = dict(parties)
        self.by_address = {key.address: key for key in self.keys.values()}
        self.channels: dict[ChannelId, Channel] = {}
        self.terms: dict[InstanceId, Terms] = {}
        self.preimages: dict[InstanceId, Preimage] = {}
        self.states: dict[State, dict[Address, Signature]] = {}
        """Every state with at least one signature, by who has signed it."""
        self.statements: dict[MachineId, dict[int, tuple[Address, Signature]]] = {}
        """Every total of an honest payer, with its signature."""
        self.positions: dict[Position, dict[Address, Signature]] = {}
        """Every position of a game that an honest player has signed, by who."""
        self.closes: dict[Close, Signature] = {}
        """Signed by the honest side, or by nobody."""
        self.withdraws: dict[Withdraw, Signature] = {}
        self.opens: dict[Open, Signature] = {}
        self.frames: list[tuple[PeerId, bytes]] = []
        """Every letter that one of us sent: to whom, and what. For replays."""

    # ----------------------------------------------------------------------------------- learning

    def learn(self, books: Books) -> None:
        """Channels and terms that a conspirator's own node knows."""
        self.channels |= {view.id: view.channel for view in books.channels.values()}
        for instance in books.instances.values():
            self.terms[instance.id] = instance.terms
            if instance.preimage is not None:
                self.preimages[instance.id] = instance.preimage
        for view in books.channels.values():
            full = view.agreed
            if full is not None:
                channel = view.channel
                keys = (channel.alice_key, channel.bob_key)
                signed = self.states.setdefault(full.state, {})
                for key, signature in (
                    (keys[view.role], full.own),
                    (keys[view.role.other], full.peer),
                ):
                    if signature:
                        signed[key] = signature

    def hear(self, sender: PeerId, receiver: PeerId, frame: bytes) -> None:
        """Remembers a letter that a conspirator has sent, got, or carried."""
        if sender in self.keys:
            self.frames.append((receiver, frame))
        try:
            message = decode(frame)
            if isinstance(message, Over):
                if not {sender, receiver} & self.keys.keys():
                    return
                message = decode(message.message)
        except PeerFault:
            return
        self._keep(sender, message)

    def _keep(self, sender: PeerId, message: Message) -> None:
        match message:
            case Propose(state, signature):
                self._keep_state(sender, state, signature)
            case Invited(half=half) if half is not None:
                self._keep_state(sender, half.state, half.signature)
            case RequestInstance(own_half=own, other_half=other):
                if own is not None:
                    self._keep_state(sender, own.state, own.signature)
                if other is not None:
                    # Whoever has signed it, it is not the sender.
                    self._keep_state(b"", other.state, other.signature)
            case ShowState(state, alice, bob):
                channel = self.channels.get(state.channel)
                if channel is not None:
                    signed = self.states.setdefault(state, {})
                    signed[channel.alice_key], signed[channel.bob_key] = alice, bob
            case AnswerState(id, version, signature):
                for state in [s for s in self.states if (s.channel, s.version) == (id, version)]:
                    self._keep_state(sender, state, signature)
            case Pay(machine, paid, signature):
                self._keep_statement(sender, machine, paid, signature)
            case Leave(machine, by_alice, by_bob, signature) if signature:
                terms = self.terms.get(machine)
                if isinstance(terms, Machine):
                    by_sender = by_alice if self._is(sender, terms.alice) else by_bob
                    self._keep_statement(sender, MachineId(machine), by_sender, signature)
            case Play(instance=id, version=version, signature=signature):
                words = message.turn, message.shift, keccak(message.position)
                position = Position(GameId(id), Version(version), *words)
                self._keep_position(sender, position, signature)
            case Played(id, version, signature):
                for position in [p for p in self.positions if (p.game, p.version) == (id, version)]:
                    self._keep_position(sender, position, signature)
            case OfferClose(close, signature):
                self.closes[close] = signature
            case AnswerClose(_, signature):
                for close in self.closes:
                    self.closes[close] = self.closes[close] or signature
            case OfferWithdraw(withdraw, signature):
                self.withdraws[withdraw] = signature
            case AnswerWithdraw(id, index, signature):
                for withdrawal in self.withdraws:
                    if (withdrawal.channel, withdrawal.index) == (id, index):
                        self.withdraws[withdrawal] = signature
            case AcceptChannel(open=leave, open_signature=signature) if leave is not None:
                self.opens[leave] = signature
            case _:
                pass

    def _is(self, peer: PeerId, key: Address) -> bool:
        known = self.keys.get(peer)
        return known is not None and known.address == key

    def _keep_state(self, sender: PeerId, state: State, signature: Signature) -> None:
        channel = self.channels.get(state.channel)
        if channel is None:
            return
        own = self.keys.get(sender)
        if own is not None:
            self.states.setdefault(state, {})[own.address] = signature
            return
        ours = set(self.by_address) & {channel.alice_key, channel.bob_key}
        for key in {channel.alice_key, channel.bob_key} - ours:
            self.states.setdefault(state, {})[key] = signature

    def _keep_statement(
        self, sender: PeerId, machine: MachineId, paid: int, signature: Signature
    ) -> None:
        terms = self.terms.get(InstanceId(machine))
        if sender in self.keys or not isinstance(terms, Machine):
            return
        for key in (terms.alice, terms.bob):
            if key not in self.by_address:
                self.statements.setdefault(machine, {})[paid] = (key, signature)

    def _keep_position(self, sender: PeerId, position: Position, signature: Signature) -> None:
        terms = self.terms.get(InstanceId(position.game))
        if not isinstance(terms, Game):
            return
        known = self.positions.setdefault(position, {})
        if sender in self.keys:
            known[self.keys[sender].address] = signature
            return
        for key in {terms.alice, terms.bob} - set(self.by_address):
            known[key] = signature

    # ------------------------------------------------------------------------------------ signing

    def sign(self, key: Address, message: Signable) -> Signature:
        """A good signature of a conspirator over anything."""
        return sign(digest(self.deployment, message), self.by_address[key])

    def both(self, state: State) -> tuple[Signature, Signature] | None:
        """Alice's and Bob's signatures of a state: theirs as remembered, ours as needed."""
        channel = self.channels[state.channel]
        known = self.states.get(state, {})
        found: list[Signature] = []
        for key in (channel.alice_key, channel.bob_key):
            if key in self.by_address:
                found.append(self.sign(key, state))
            elif key in known:
                found.append(known[key])
            else:
                return None
        return found[0], found[1]

    def playable(self) -> list[tuple[Game, Position, tuple[Signature, Signature]]]:
        """Every position that `submitPosition` would take from us, with its signatures; lowest
        version first."""
        found = []
        for position, known in self.positions.items():
            game = self.terms.get(InstanceId(position.game))
            assert isinstance(game, Game)
            pair = [
                self.sign(key, position) if key in self.by_address else known.get(key, _NOTHING)
                for key in (game.alice, game.bob)
            ]
            if all(pair):
                found.append((game, position, (pair[0], pair[1])))
        return sorted(found, key=lambda one: (one[1].version, one[1].game, one[1].shift))

    def enforceable(self) -> list[State]:
        """Every state that `register` would take from us, lowest version first."""
        return sorted(
            (state for state in self.states if self.both(state) is not None),
            key=lambda state: (state.version, state.net, state.channel),
        )

    # ------------------------------------------------------------------------------------ letters

    def letter(self, message: Message, via: PeerId = b"") -> bytes:
        """The bytes by which a conspirator says something, also about what runs over a hub."""
        frame = encode(message)
        return encode(Over(via, frame)) if via else frame

    def statement(self, machine: MachineId, key: Address, paid: int) -> Pay:
        """A payment of any total."""
        return Pay(machine, Wei(paid), self.sign(key, Statement(machine, Wei(paid))))

    # ------------------------------------------------------------------------------- transactions

    def register(self, state: State, evidence: tuple[bytes, ...] = ()) -> Call | None:
        """`register` of a state; None without its signatures."""
        pair = self.both(state)
        if pair is None:
            return None
        contract = self.deployment.contract.contract
        channel = self.channels[state.channel]
        return ms_contract_calls.register(contract, channel, state, *pair, evidence)

    def register_nothing(self, id: ChannelId) -> Call:
        """`register` of version 0, which nobody signs."""
        nothing = State(id, 0, 0, ())  # type: ignore[arg-type]
        return ms_contract_calls.register(
            self.deployment.contract.contract, self.channels[id], nothing, _NOTHING, _NOTHING, ()
        )

    def submit(self, id: MachineId, own: int, theirs: int) -> Call | None:
        """`submitStatements`: ours at any total, the other side's at most at one it has signed."""
        machine = self.terms.get(InstanceId(id))
        if not isinstance(machine, Machine):
            return None
        paid: list[int] = []
        signatures: list[Signature] = []
        known = self.statements.get(id, {})
        for key in (machine.alice, machine.bob):
            if key in self.by_address:
                paid.append(own)
                signatures.append(self.sign(key, Statement(id, Wei(own))) if own else _NOTHING)
            else:
                best = max((total for total in known if total <= theirs), default=0)
                paid.append(best)
                signatures.append(known[best][1] if best else _NOTHING)
        return vpm.submit_statements(
            self.deployment.vpm.contract,
            machine,
            Wei(paid[0]),
            signatures[0],
            Wei(paid[1]),
            signatures[1],
        )

    def reveal(self, id: InstanceId) -> Call | None:
        """`reveal` of a hash lock whose secret we know."""
        lock, preimage = self.terms.get(id), self.preimages.get(id)
        if not isinstance(lock, Lock) or preimage is None:
            return None
        return hash_time_lock.reveal(HASH_LOCK.app(self.deployment), lock, preimage)

    def close(self, close: Close) -> Call | None:
        """`close` by an offer that the honest side has signed."""
        pair = self._pair(close.channel, close, self.closes.get(close, _NOTHING))
        if pair is None:
            return None
        contract = self.deployment.contract.contract
        return ms_contract_calls.close(contract, self.channels[close.channel], close, *pair)

    def withdraw(self, withdrawal: Withdraw) -> Call | None:
        """`withdraw` by an offer that the honest side has signed."""
        pair = self._pair(withdrawal.channel, withdrawal, self.withdraws.get(withdrawal, _NOTHING))
        if pair is None:
            return None
        contract = self.deployment.contract.contract
        terms = self.channels[withdrawal.channel]
        return ms_contract_calls.withdraw(contract, terms, withdrawal, *pair)

    def open_both(self, leave: Open) -> tuple[Address, Call] | None:
        """`openBoth` by an `Open` that we were given, once more; and who has to send it."""
        channel = self.channels.get(leave.channel)
        if channel is None or channel.alice_key not in self.by_address:
            return None
        contract = self.deployment.contract.contract
        call = ms_contract_calls.open_both(
            contract, channel, leave, self.opens[leave], by_bob=False
        )
        return channel.alice, call

    def _pair(
        self, id: ChannelId, message: Close | Withdraw, theirs: Signature
    ) -> tuple[Signature, Signature] | None:
        channel = self.channels.get(id)
        if channel is None:
            return None
        found = [
            self.sign(key, message) if key in self.by_address else theirs
            for key in (channel.alice_key, channel.bob_key)
        ]
        return (found[0], found[1]) if all(found) else None
