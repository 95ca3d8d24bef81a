"""What crooks try: an `Adversary` with the keys of all who conspire, let loose on the world.

Their own nodes go on running meanwhile, so that there is something to cheat with.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from perun.bindings import ms_contract_calls
from perun.bindings.calls import Call
from perun.bindings.failures import NodeRefused
from perun.core.state import ChannelView
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    AnswerState,
    Invited,
    Leave,
    LetGo,
    Message,
    OfferClose,
    OfferWithdraw,
    Over,
    Pay,
    Play,
    Propose,
    RequestInstance,
    RevealSecret,
    ShowPrice,
    ShowState,
    SignedHalf,
    Ticked,
    Ticks,
    decode,
    encode,
)
from perun.errors import Misuse, PeerFault
from perun.testing.adversary import Adversary
from perun.testing.network import Letter
from perun.types import (
    ETH,
    Address,
    Close,
    GameId,
    InstanceId,
    Machine,
    MachineId,
    Nano,
    Position,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)
from tests.games.simulation.actor import Actor
from tests.games.simulation.theatre import Theatre


class Crooks:
    """The conspirators together; does nothing if there are none."""

    def __init__(self, world: Theatre) -> None:
        self.world = world
        self.mind = Adversary(world.deployment, [(actor.peer, actor.key) for actor in world.crooks])
        self._peers = set(self.mind.keys)
        self._plan: tuple[int, int] | None = None
        """How the next thing that one of their nodes says is changed."""
        world.network.rule = self._overhear

    def _overhear(self, letter: Letter) -> Sequence[Letter]:
        sender, receiver, frame = letter
        if {sender, receiver} & self._peers:
            self.mind.hear(sender, receiver, frame)
        if self._plan is not None and sender in self._peers:
            plan, self._plan = self._plan, None
            frame = self._changed(letter, *plan) or frame
        return ((sender, receiver, frame),)

    def learn(self) -> bool:
        for actor in self.world.crooks:
            self.mind.learn(actor.node.books)
        return bool(self.world.crooks)

    # ------------------------------------------------------------------------------------- choices

    def _crook(self, number: int) -> Actor:
        return self.world.crooks[number % len(self.world.crooks)]

    def _against_honest(self, actor: Actor, number: int) -> ChannelView | None:
        found = [
            view
            for view in actor.channels()
            if self.world.by_peer(view.peer).honest and not view.final.ended
        ]
        return found[number % len(found)] if found else None

    def _machine(self, number: int) -> tuple[MachineId, Machine] | None:
        found = [
            (MachineId(id), terms)
            for id, terms in self.mind.terms.items()
            if isinstance(terms, Machine) and {terms.alice, terms.bob} & set(self.mind.by_address)
        ]
        return found[number % len(found)] if found else None

    def _say(self, actor: Actor, view: ChannelView, message: Message) -> bool:
        frame = self.mind.letter(message)
        self.world.network.deliver(actor.peer, view.peer, (frame,))
        return True

    def send(self, call: Call | None, number: int) -> bool:
        """From a key's own lane, so that it does not disturb the node's nonces."""
        if call is None:
            return False
        try:
            self.world.send(self._crook(number).key.address, call)
        except NodeRefused:
            return False
        return True

    # ------------------------------------------------------------------------------------- states

    def propose(self, who: int, which: int, shape: int, amount: int) -> bool:
        """Signs a state that its node never would."""
        if not self.learn():
            return False
        actor = self._crook(who)
        view = self._against_honest(actor, which)
        if view is None:
            return False
        full = view.agreed.state if view.agreed is not None else None
        net, nanos = (full.net, full.nanos) if full is not None else (Wei(0), ())
        highest = max((s.version for s in self.mind.states if s.channel == view.id), default=0)
        own = highest + 1 + ((highest + 1) % 2 != view.role.value)
        version = own + (0, 0, 0, 0, 1, 2, -2)[shape % 7]
        wanted = self._list(nanos, shape // 7, amount)
        moved = Wei(net + (amount % 401 - 200) * (1 if shape % 2 else 0))
        try:
            state = State(view.id, Version(max(1, version)), moved, wanted)
        except Misuse:
            return False
        removed = [nano.id for nano in nanos if nano not in wanted]
        added = [nano.id for nano in wanted if nano not in nanos]
        message = Propose(
            state,
            self.mind.sign(actor.key.address, state),
            shape % 5,
            added[0] if added else None,
            removed[0] if removed else None,
            paid=Wei(amount % 300),
            received=Wei(amount % 70),
        )
        self.mind.states.setdefault(state, {})[actor.key.address] = message.signature
        return self._say(actor, view, message)

    def _list(self, nanos: tuple[Nano, ...], shape: int, amount: int) -> tuple[Nano, ...]:
        """The list left alone, or tampered with in one of the ways of [A9] and [B4]."""
        nano = nanos[amount % len(nanos)] if nanos else None
        others = tuple(other for other in nanos if other is not nano)
        spare = [known for state in self.mind.states for known in state.nanos if known not in nanos]
        match shape % 8:
            case 0 | 1:
                return others
            case 2 if nano is not None:
                return tuple(sorted((*nanos, nano), key=lambda n: (n.id, n.app)))
            case 3 if nano is not None:
                changed = replace(nano, expiry=UnixTime(nano.expiry + amount))
            case 4 if nano is not None:
                changed = replace(nano, alice_lock=Wei(amount % 50), bob_lock=Wei(0))
            case 5 if nano is not None:
                changed = replace(nano, swapped=not nano.swapped)
            case 6 if spare:
                again = spare[amount % len(spare)]
                return tuple(sorted((*nanos, again), key=lambda n: (n.id, n.app)))
            case 7 if spare:
                changed = spare[amount % len(spare)]
            case _:
                return nanos
        return tuple(sorted((*others, changed), key=lambda n: (n.id, n.app)))

    def show(self, who: int, which: int, pick: int, _: int) -> bool:
        """Shows an old state, or answers an old proposal again."""
        if not self.learn():
            return False
        actor = self._crook(who)
        view = self._against_honest(actor, which)
        states = [state for state in self.mind.enforceable() if view and state.channel == view.id]
        if view is None or not states:
            return False
        state = states[pick % len(states)]
        pair = self.mind.both(state)
        assert pair is not None
        if pick % 2:
            return self._say(actor, view, ShowState(state, *pair))
        return self._say(actor, view, AnswerState(view.id, state.version, pair[view.role]))

    def alter(self, which: int, field: int, amount: int, _: int) -> bool:
        """Changes what a crook's node is about to say, and signs it."""
        if not self.learn():
            return False
        if self.world.lines is not None:
            # Under way it cannot be changed by anybody.
            self._plan = (field, amount)
            return True
        held = self.world.network.held or []
        mine = [n for n, (sender, _to, _frame) in enumerate(held) if sender in self._peers]
        if not mine:
            return False
        index = mine[which % len(mine)]
        sender, receiver, _ = held[index]
        changed = self._changed(held[index], field, amount)
        if changed is None:
            return False
        held[index] = (sender, receiver, changed)
        return True

    def _changed(self, letter: Letter, field: int, amount: int) -> bytes | None:
        """Other words in a letter of a crook's; None: it stays."""
        sender, _, frame = letter
        try:
            changed = self._altered(decode(frame), sender, field, amount)
        except (PeerFault, Misuse):
            return None
        return None if changed is None else encode(changed)

    def _altered(self, message: Message, sender: bytes, field: int, amount: int) -> Message | None:
        key = self.mind.keys[sender].address
        other = self.mind.frames[amount % len(self.mind.frames)][1]
        match message:
            case Propose(state):
                changes = (
                    {"net": Wei(state.net + amount % 101 - 50)},
                    {"version": Version(state.version + 2)},
                    {"nanos": state.nanos[1:]},
                    {"nanos": self._worse(message, amount)},
                    {"nanos": self._half_done(message, keep=False)},
                    {"nanos": self._half_done(message, keep=True)},
                )
                state = replace(state, **changes[field % 6])
                return replace(
                    message,
                    state=state,
                    signature=self.mind.sign(key, state),
                    paid=message.paid if field // 6 % 2 else Wei(amount % 200),
                )
            case Pay(machine, paid):
                total = Wei(max(1, paid + amount % 301 - 100))
                return self.mind.statement(machine, key, total)
            case RequestInstance(other_half=half) if half is not None and field % 5:
                return self._other_request(message, half, field, amount)
            case Invited(half=half) if half is not None:
                state = replace(half.state, version=Version(half.state.version + 2 * (field % 2)))
                signature = self.mind.sign(key, state) if amount % 2 else half.signature
                return replace(message, half=SignedHalf(state, signature))
            case RequestInstance():
                return replace(message, replaces=self._any_instance(amount))
            case Play():
                return self._other_play(message, key, field, amount)
            case Ticks() | Ticked() | LetGo() | ShowPrice() | RevealSecret():
                return _other_evidence(message, field, amount)
            case OfferClose(close):
                close = replace(close, net=Wei(close.net + amount % 101 - 50))
                return OfferClose(close, self.mind.sign(key, close))
            case OfferWithdraw(wish):
                wish = replace(wish, alice_amount=Wei(amount), bob_amount=Wei(0))
                return OfferWithdraw(wish, self.mind.sign(key, wish))
            case Leave(_, by_alice, by_bob):
                if field % 3 == 0:
                    return replace(message, successor=self._any_instance(amount))
                if field % 2:
                    return replace(message, paid_by_alice=Wei(amount % 200))
                return replace(message, paid_by_alice=by_bob, paid_by_bob=by_alice)
            case Over(hub, inner) if field % 5:
                words = self._altered(decode(inner), sender, field // 5, amount)
                return None if words is None else Over(hub, encode(words))
            case Over(_, inner):
                # As if over another hub, or what was said before.
                replaced = decode(other)
                if isinstance(replaced, Over):
                    return replaced
                actors = self.world.actors
                return Over(actors[amount % len(actors)].peer, inner)
            case _:
                return decode(other)

    def _other_play(self, message: Play, key: Address, field: int, amount: int) -> Play:
        """Another position than the one that its node has made."""
        position = bytearray(message.position)
        position[1 + 2 * (amount % 2)] ^= 1 << amount // 2 % 8
        changes = (
            {"version": message.version + amount % 40},
            {"turn": amount % 3},
            {"turn": 0, "shift": Wei(amount % 241 - 120)},
            {"position": bytes(position)},
            {"move": b""},
            {"move": bytes([amount % 256])},
        )
        changed = replace(message, **changes[field % 6])  # type: ignore[arg-type]
        signed = Position(
            GameId(changed.instance),
            Version(changed.version),
            changed.turn,
            changed.shift,
            keccak(changed.position),
        )
        return replace(changed, signature=self.mind.sign(key, signed))

    def _other_request(
        self, message: RequestInstance, half: SignedHalf, field: int, amount: int
    ) -> RequestInstance:
        """An inviter's request with another half of the other end than the one that was given."""
        state = replace(half.state, version=Version(half.state.version + 2 * (amount % 3)))
        known = [
            SignedHalf(state, signature)
            for state, signed in self.mind.states.items()
            if state.channel == half.state.channel
            for signature in signed.values()
        ]
        others = (
            SignedHalf(state, half.signature),
            SignedHalf(replace(half.state, nanos=()), half.signature),
            known[amount % len(known)] if known else half,
            message.own_half or half,
        )
        return replace(message, other_half=others[field % 4])

    def _worse(self, message: Propose, amount: int) -> tuple[Nano, ...]:
        """What the proposal adds, with a longer end or less at stake for us [A9]."""

        def change(nano: Nano) -> Nano:
            if nano.id != message.adds:
                return nano
            if amount % 2:
                return replace(nano, expiry=UnixTime(nano.expiry + 1 + amount))
            return replace(nano, alice_lock=Wei(nano.alice_lock // 2))

        return tuple(change(nano) for nano in message.state.nanos)

    def _half_done(self, message: Propose, *, keep: bool) -> tuple[Nano, ...]:
        """What takes another's place left out, or the other kept beside it."""
        nanos = message.state.nanos
        if not keep:
            return tuple(nano for nano in nanos if nano.id != message.adds)
        known = [nano for state in self.mind.states for nano in state.nanos]
        old = [nano for nano in known if nano.id == message.removes][:1]
        return tuple(sorted((*nanos, *old), key=lambda n: (n.id, n.app)))

    def _any_instance(self, number: int) -> InstanceId | None:
        """One that is known, or none."""
        known = [None, *(InstanceId(id) for id in self.mind.terms)]
        return known[number % len(known)]

    def replay(self, which: int, *_: int) -> bool:
        """Says something again, to whom it was said."""
        if not self.mind.frames:
            return False
        receiver, frame = self.mind.frames[which % len(self.mind.frames)]
        for sender in sorted(self._peers):
            if sender != receiver:
                self.world.network.deliver(sender, receiver, (frame,))
                return True
        return False

    # --------------------------------------------------------------------------------------- chain

    def register(self, who: int, which: int, pick: int, _: int) -> bool:
        """Opens a dispute with any state, also one the honest side has not heard back of."""
        if not self.learn():
            return False
        view = self._against_honest(self._crook(who), which)
        if view is None:
            return False
        if pick % 5 == 0:
            return self.send(self.mind.register_nothing(view.id), who)
        states = [state for state in self.mind.enforceable() if state.channel == view.id]
        if not states:
            return False
        state = states[-1] if pick % 5 == 1 else states[pick % len(states)]
        return self.send(self.mind.register(state), who)

    def forge(self, which: int, shape: int, amount: int, _: int) -> bool:
        """Two crooks write any history they like into the channel between them."""
        if not self.learn() or len(self.world.crooks) < 2:
            return False
        names = set(self.mind.by_address)
        shared = [
            (id, channel)
            for id, channel in self.mind.channels.items()
            if {channel.alice_key, channel.bob_key} <= names
        ]
        if not shared:
            return False
        id, _channel = shared[which % len(shared)]
        spare = {nano for state in self.mind.states for nano in state.nanos}
        # In full, since a set has another order in every process.
        nanos = tuple(sorted(spare, key=lambda n: (n.id, n.app, repr(n)))[: shape % 4])
        try:
            state = State(id, Version(1 + amount % 50), Wei(amount % 401 - 200), nanos)
        except Misuse:
            return False
        return self.send(self.mind.register(state), which)

    def submit(self, which: int, own: int, theirs: int, _: int) -> bool:
        """Statements of any total of its own; the honest side's newest or older ones."""
        if not self.learn():
            return False
        found = self._machine(which)
        if found is None:
            return False
        return self.send(self.mind.submit(found[0], own % 250, theirs % 250), which)

    def pay(self, which: int, total: int, *_: int) -> bool:
        """A payment beyond its lock, late, or in a machine that is gone."""
        if not self.learn():
            return False
        found = self._machine(which)
        if found is None:
            return False
        id, terms = found
        for actor in self.world.crooks:
            instance = actor.node.books.instances.get(id)
            if instance is None or instance.role is None:
                continue
            key = (terms.alice, terms.bob)[instance.role]
            message = self.mind.statement(id, key, 1 + total % 400)
            frame = self.mind.letter(message, instance.via)
            self.world.network.deliver(actor.peer, instance.end, (frame,))
            return True
        return False

    # -------------------------------------------------------------------------------------- offers

    def offer(self, who: int, which: int, shape: int, amount: int) -> bool:
        """Offers a Close or a Withdraw that is not what stands in the newest state."""
        if not self.learn():
            return False
        actor = self._crook(who)
        view = self._against_honest(actor, which)
        if view is None:
            return False
        now = self.world.chain.now
        life = (100, 300, 900, 5_000)[amount % 4]
        net = view.agreed.state.net if view.agreed is not None else 0
        if shape % 2:
            moved = Wei(net + (amount % 101 - 50) * (shape // 2 % 2))
            close = Close(view.id, moved, UnixTime(now + life), shape // 4 % 4)
            self.mind.closes.setdefault(close, type(view.own_proof)(b""))
            return self._say(
                actor, view, OfferClose(close, self.mind.sign(actor.key.address, close))
            )
        wish = Withdraw(
            view.id,
            view.final.withdrawals,
            Wei(amount % 700),
            Wei(shape % 500),
            UnixTime(now + life),
        )
        self.mind.withdraws.setdefault(wish, type(view.own_proof)(b""))
        return self._say(actor, view, OfferWithdraw(wish, self.mind.sign(actor.key.address, wish)))

    def use_offers(self, who: int, which: int, kind: int, _: int) -> bool:
        """Brings to the chain what the honest side has signed, when it suits."""
        if not self.learn():
            return False
        mind = self.mind
        if kind % 5 == 4:
            return self._draw_again(which)
        closes = [call for close in mind.closes if (call := mind.close(close)) is not None]
        withdraws = [call for wish in mind.withdraws if (call := mind.withdraw(wish)) is not None]
        calls = closes if kind % 2 else withdraws
        if not calls:
            return False
        return self.send(calls[which % len(calls)], who)

    def _draw_again(self, which: int) -> bool:
        """An `Open` that was used, or has lapsed, for as long as the channel's slot is empty."""
        opens = list(self.mind.opens)
        found = self.mind.open_both(opens[which % len(opens)]) if opens else None
        if found is None:
            return False
        self.world.seen["Opens used again"] += 1
        try:
            self.world.send(*found)
        except NodeRefused:
            return False
        return True

    def reveal(self, who: int, which: int, *_: int) -> bool:
        """Shows a secret on chain that it was told off chain."""
        if not self.learn() or not self.mind.preimages:
            return False
        ids = list(self.mind.preimages)
        return self.send(self.mind.reveal(ids[which % len(ids)]), who)

    def dust(self, who: int, which: int, side: int, amount: int) -> bool:
        """Adds to any channel, living or dead."""
        if not self.learn():
            return False
        ids = list(self.world.channels())
        call = ms_contract_calls.deposit(
            self.world.deployment.contract.contract,
            ETH,
            ids[which % len(ids)],
            Wei(1 + amount % 40),
            UnixTime(self.world.chain.now + 600),
            to_bob=side % 2 == 0,
        )
        self.world.seen["dust deposits"] += 1
        return self.send(call, who)


def _other_evidence(
    message: Ticks | Ticked | LetGo | ShowPrice | RevealSecret, field: int, amount: int
) -> Message:
    """Another total, shift, price or secret than the one that is proved or true."""
    match message:
        case Ticks():
            changes: tuple[dict[str, object], ...] = (
                {"base": Wei(message.base + 1 + amount % 60)},
                {"ticks": (message.ticks + 1 + amount) % 1_024},
                {"value": message.root, "ticks": 0},
                {"base": Wei(amount % 60), "ticks": 0, "value": message.root},
                {"last": not message.last},
            )
            return replace(message, **changes[field % 5])  # type: ignore[arg-type]
        case Ticked():
            return replace(message, total=Wei(amount % 90), last=field % 2 == 0)
        case LetGo():
            return replace(message, shift=Wei(amount % 101 - 50))
        case ShowPrice():
            return replace(message, price=Wei(message.price + amount % 101 - 50))
        case RevealSecret():
            return replace(message, secret=bytes([amount % 256]) + message.secret[1:])


__all__ = ["Crooks"]
