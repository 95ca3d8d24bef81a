"""Sees everything an honest party signs, sends, accepts, and holds it against sections 5 and 6.

The rules are written out again here, from the specification and not from `perun.core`: what is
asked of the chain is asked of the simulated chain, what was signed is remembered here for ever.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perun.app.rows import Income, Payment
from perun.core.effects import Sign
from perun.core.notices import (
    ExitOnly,
    InstanceAdded,
    InstanceRemoved,
    Notice,
    PaymentReceived,
    ProposalRefused,
    TicksReceived,
    TransferDone,
)
from perun.core.state import ChannelView, HubInstance, InstanceView, LegStatus, Role, Totals
from perun.encoding.messages import (
    AcceptChannel,
    AnswerClose,
    AnswerState,
    AnswerWithdraw,
    Invited,
    Note,
    Noted,
    OfferChannel,
    OfferClose,
    OfferWithdraw,
    Paid,
    Pay,
    Play,
    Played,
    Propose,
    ReadySigned,
    RequestInstance,
    RevealSecret,
    Ticked,
    Ticks,
)
from perun.testing.network import meant
from perun.types import (
    Chain,
    ChannelId,
    Close,
    Deal,
    Flip,
    FlipRecord,
    Game,
    GameRecord,
    Hands,
    InstanceId,
    Lock,
    Machine,
    MachineId,
    Move,
    Nano,
    Open,
    Position,
    Ready,
    State,
    Statement,
    UnixTime,
    Wei,
    Withdraw,
)
from tests.games.simulation import board, luck, shares
from tests.games.simulation.stakes import Stakes
from tests.games.simulation.umpire import Umpire
from tests.games.simulation.violated import Violated

if TYPE_CHECKING:
    from tests.games.simulation.actor import Actor

GREATEST_FEE = 1
"""What an end allows a hub to charge for one instance."""


@dataclass(slots=True)
class Witness:
    """What one honest party has signed and sent in all its lives, and what that lets it expect."""

    actor: Actor
    states: dict[tuple[ChannelId, int], set[State]] = field(default_factory=dict)
    """Everything signed, by version. More than one only if the first never left (a power cut)."""
    sent_states: dict[tuple[ChannelId, int], State] = field(default_factory=dict)
    statements: dict[MachineId, int] = field(default_factory=dict)
    """Highest total signed."""
    sent_totals: dict[MachineId, int] = field(default_factory=dict)
    closes: set[Close] = field(default_factory=set)
    withdraws: set[Withdraw] = field(default_factory=set)
    opens: set[Open] = field(default_factory=set)
    sent_offers: set[Close | Withdraw | Open] = field(default_factory=set)
    forgotten: set[Close | Withdraw | Open] = field(default_factory=set)
    """Offers that an unmarked copy knows nothing of: peers show states, not these."""
    received: dict[MachineId, int] = field(default_factory=dict)
    """Highest total that its node said was received."""
    transferred: dict[tuple[ChannelId, int], int] = field(default_factory=dict)
    """What transfers brought it, by channel and version."""
    ordered: int = 0
    """What its user has told it to pay by transfers and fees, at most."""
    locked: dict[bytes, int] = field(default_factory=dict)
    """What its user has told it to lock, by the hash of the secret that takes it."""
    paid_by_hand: int = 0
    """What its user has paid in machines, without the program above."""
    virtual: set[InstanceId] = field(default_factory=set)
    """Instances over the hub that it has asked for: each may have cost a fee."""
    told_to_close: set[ChannelId] = field(default_factory=set)
    """Channels that its user wanted closed by agreement."""
    safe_at_backup: int = 0
    """What it had earned when its copy was made, if a copy took its store's place."""
    copied: bool = False
    """Whether an old copy was put in its store's place, so that it may hear of it."""
    heard_all: bool = True
    """Whether no notice was lost in a power cut: then `done` says what was really paid."""
    fees: int = 0
    flips: dict[InstanceId, int] = field(default_factory=dict)
    """What each flip brings it at least."""
    flip_roles: dict[InstanceId, Role] = field(default_factory=dict)
    revealed: dict[InstanceId, int] = field(default_factory=dict)
    left_before: frozenset[InstanceId] = frozenset()
    """Machines that counted no more when the present turn began."""
    seen: Counter[str] = field(default_factory=Counter)
    umpire: Umpire = field(init=False)
    """Of its games in turns."""
    stakes: Stakes = field(init=False)
    """Its deals, bets and streams."""

    def __post_init__(self) -> None:
        self.umpire, self.stakes = Umpire(self), Stakes(self)

    # ---------------------------------------------------------------------------------- signing

    def about_to_sign(self, sign: Sign) -> None:
        """Raises `Violated` if it must not."""
        self._may_a_copy(sign)
        states = [item.message for item in sign.items if isinstance(item.message, State)]
        for item in sign.items:
            self.seen["signed " + type(item.message).__name__] += 1
            match item.message:
                case State():
                    self._state(item.message, states)
                case Statement():
                    self._statement(item.message)
                case Close():
                    self._close(item.message)
                case Withdraw():
                    self._withdraw(item.message)
                case Open():
                    self._open(item.message)
                case Position():
                    self.umpire.position(item.message)
                case Move():
                    self.umpire.move(item.message)
                case Chain():
                    self.stakes.chain(item.message)
                case Ready():
                    view, listed = self.listed(item.message.machine)
                    if view is not None and not listed:
                        raise Violated("A2: Ready before its own state is fully signed")

    def _may_a_copy(self, sign: Sign) -> None:
        """Rule store-2, of a store that was put back and says so."""
        if not (self.actor.store.exit_only or self.actor.node.books.exit_only):
            return
        for item in sign.items:
            message = item.message
            if isinstance(message, State | Statement | Open | Withdraw):
                raise Violated("B11: a copy signs", message=message)
            if isinstance(message, Close) and message.channel not in self.told_to_close:
                raise Violated("B11: a copy signs a Close that nobody asked for", message=message)

    def _state(self, state: State, together: list[State]) -> None:
        books = self.actor.node.books
        known = self.states.setdefault((state.channel, state.version), set())
        if state in known:
            return
        view = books.channels[state.channel]
        highest = max((v for c, v in self.sent_states if c == state.channel), default=0)
        if self.unmarked:
            # What was under way its peer may have got after it has shown its newest state.
            highest = min(self._both_signed(view), int(view.seen))
        if state.version <= highest:
            raise Violated("P8: version not above all sent", state=state, highest=highest)
        self.may_sign(view, "State")
        opening = view.funding.drawn and view.agreed is None and state.version == 2
        if not opening:
            self._solvent(view, state)
        self._nanos(view, state, together)
        known.add(state)

    def _both_signed(self, view: ChannelView) -> int:
        """Version of the newest state in its peer's hands that it has signed, too."""
        theirs = self.actor.world.by_peer(view.peer).node.books.channels.get(view.id)
        agreed = None if theirs is None else theirs.agreed
        return 0 if agreed is None else agreed.state.version

    def may_sign(self, view: ChannelView, what: str) -> None:
        """Raises `Violated` while nothing of a channel may be signed."""
        books, world = self.actor.node.books, self.actor.world
        if books.exit_only:
            raise Violated("B11: an exit only store signs", what=what)
        age = world.clock - books.chain.head_time
        if age > world.limits.freshness:
            raise Violated("A6: signed with a stale view", what=what, age=age)
        for on in (view.head, view.final):
            if on.dispute is not None or on.ended:
                raise Violated("A6: signed in a channel in dispute or ended", what=what)
        for close in self.closes - self.forgotten:
            if close.channel == view.id and books.chain.final_time <= close.valid_until:
                raise Violated("A8: signed while a Close is alive", what=what, close=close)

    def _holdings(self, view: ChannelView) -> list[int]:
        """What final blocks show, less every Withdraw that may still be mined."""
        held = [int(view.final.alice), int(view.final.bob)]
        final = self.actor.node.books.chain.final_time
        for wish in self.withdraws:
            alive = final <= wish.valid_until and wish.index >= view.final.withdrawals
            if wish.channel == view.id and alive and wish not in self.forgotten:
                held[0] -= wish.alice_amount
                held[1] -= wish.bob_amount
        return held

    def _solvent(self, view: ChannelView, state: State) -> None:
        held = self._holdings(view)
        free = (
            held[0] - state.net - sum(nano.alice_lock for nano in state.nanos),
            held[1] + state.net - sum(nano.bob_lock for nano in state.nanos),
        )
        if min(free) < 0:
            raise Violated("A8: signed a state that need not be solvent", free=free, state=state)

    def _nanos(self, view: ChannelView, state: State, together: list[State]) -> None:
        order = [(nano.id, nano.app) for nano in state.nanos]
        if len(order) > 64 or sorted(set(order)) != order:
            raise Violated("A9: a list that register would not take")
        old = view.agreed.state.nanos if view.agreed is not None else ()
        for nano in state.nanos:
            if nano not in old:
                self._lockable(view, nano)
        changed = {nano.id for nano in set(old) ^ set(state.nanos)}
        for id in changed:
            instance = self.actor.node.books.instances.get(id)
            if instance is not None and instance.role is None:
                self._pair(view, instance, id, id in {nano.id for nano in old}, together)
        if len(changed) > 2:
            raise Violated("section 5: more than one instance changed at once")

    def _lockable(self, view: ChannelView, nano: Nano) -> None:
        instance = self.actor.node.books.instances.get(nano.id)
        if instance is None:
            raise Violated("A9: locked an instance whose parameters it does not know")
        terms = instance.terms
        machine = isinstance(terms, Machine | Game | Deal)
        if isinstance(terms, Game):
            banks = terms.alice_bank + terms.bob_bank
            ends = UnixTime(terms.validity + terms.challenge + banks)
            locks = terms.alice_lock, terms.bob_lock
        elif isinstance(terms, Machine):
            ends, locks = terms.validity + terms.challenge, (terms.alice_lock, terms.bob_lock)
        elif isinstance(terms, Flip | Hands):
            ends, locks = terms.validity + terms.window, (terms.alice_lock, terms.bob_lock)
        elif shares.is_shared(terms):
            ends, locks = terms.validity + terms.challenge, shares.locks(terms)
        else:
            ends = terms.deadline
            locks = (Wei(0), terms.amount) if terms.bob_pays else (terms.amount, Wei(0))
        if nano.expiry != ends:
            raise Violated("A9: expiry is not the final time", nano=nano)
        if (nano.alice_lock, nano.bob_lock) != (locks[::-1] if nano.swapped else locks):
            raise Violated("A9: locks are not the instance's own", nano=nano)
        hub = instance.role is None
        if instance.head is not None or (hub and not instance.watched):
            raise Violated("A4: locked an instance that was submitted, or not looked at")
        if machine and instance.role is not None:
            mine = (terms.alice, terms.bob)[instance.role]
            if mine != self.actor.key.address:
                raise Violated("A9: its role is not signed for by its own key")
            place = view.role.other if nano.swapped else view.role
            if place is not instance.role:
                raise Violated("A9: it stands on the wrong side")

    def _pair(
        self,
        view: ChannelView,
        instance: InstanceView,
        id: InstanceId,
        removal: bool,
        together: list[State],
    ) -> None:
        """Section 6: neither until both, but for rules (a) to (d)."""
        others = [leg for leg in instance.legs if leg.channel != view.id]
        if len(others) != 1:
            raise Violated("A9: a hub's instance without two channels", instance=id)
        if len({state.channel for state in together}) == 2:
            for leg in others:
                self.may_sign(self.actor.node.books.channels[leg.channel], "pair")
            self._fits(together)
            return
        if not removal:
            raise Violated("A1: the hub adds on one side alone", instance=id)
        if others[0].status.name == "REMOVED":
            self.seen["hub removed on the other side by rule (d)"] += 1
            return
        if self._decided(instance):
            self.seen["hub removed at an outcome by rules (a), (b)"] += 1
            return
        payer = _only_payer(instance)
        if payer is None:
            raise Violated("A1: the hub removes a two-way machine on one side alone", instance=id)
        leg = next(leg for leg in instance.legs if leg.channel == view.id)
        end = view.role if leg.swapped else view.role.other
        if end is payer:
            raise Violated("rule (c): the hub receives here and goes first", instance=id)
        (state,) = together
        net = view.agreed.state.net if view.agreed is not None else 0
        pays = state.net - net if view.role is Role.ALICE else net - state.net
        if pays > self._evidence(instance, payer):
            raise Violated("rule (c): the hub pays more than it can force elsewhere", pays=pays)
        self.seen["hub removed on one side by rule (c)"] += 1

    def _fits(self, together: list[State]) -> None:
        """Both halves change the same, and what the hub pays in one it gets in the other."""
        changes, gain = [], 0
        added: set[InstanceId] = set()
        for state in together:
            view = self.actor.node.books.channels[state.channel]
            net, old = (0, ()) if view.agreed is None else (view.agreed.state.net, _nanos_of(view))
            changes.append({nano.id for nano in set(old) ^ set(state.nanos)})
            added |= {nano.id for nano in set(state.nanos) - set(old)}
            gain += net - state.net if view.role is Role.ALICE else state.net - net
        if changes[0] != changes[1]:
            raise Violated("A1: the halves of a pair change different instances", states=together)
        if gain < sum(self._crossing(id).fee for id in added):
            raise Violated("P4: a pair in which the hub loses", gain=gain, states=together)
        self.seen["replaced over the hub"] += len(changes[0]) == 2

    def _crossing(self, id: InstanceId) -> HubInstance:
        return self.actor.node.books.hub_instances[id]

    def _evidence(self, instance: InstanceView, payer: Role) -> int:
        """What the hub can make the payer's channel pay, whatever anybody submits."""
        terms = instance.terms
        assert isinstance(terms, Machine | Lock), "by others both sides can lose"
        if not isinstance(terms, Machine):
            return terms.amount if instance.preimage is not None else 0
        totals = self.actor.node.books.totals.get(instance.id)
        held = totals.received if totals is not None else 0
        final = instance.final
        recorded = 0
        if final is not None:
            recorded = final.paid_by_alice if payer is Role.ALICE else final.paid_by_bob
        time = self.actor.node.books.chain.head_time
        last = instance.head.deadline if instance.head is not None else terms.validity
        return max(recorded, held if time <= last else 0)

    def _decided(self, instance: InstanceView) -> bool:
        """Whether a final block shows the outcome, or that there will be none."""
        time, on = self.actor.node.books.chain.final_time, instance.final
        terms = instance.terms
        if shares.is_shared(terms):
            return shares.outcome(terms, on, time) is not None
        if isinstance(terms, Flip | Hands):
            assert on is None or isinstance(on, FlipRecord)
            return luck.outcome(terms, on, time) is not None
        if isinstance(terms, Game):
            assert on is None or isinstance(on, GameRecord)
            return board.outcome(terms, on, time) is not None
        if isinstance(terms, Machine):
            return time > (terms.validity + terms.challenge if on is None else on.deadline)
        return on is not None or time > terms.deadline

    def listed(self, id: InstanceId) -> tuple[ChannelView | None, bool]:
        """Its channel, and whether that one's newest fully signed state has it."""
        books = self.actor.node.books
        instance = books.instances.get(id)
        if instance is None or instance.role is None:
            return None, False
        view = books.channels[instance.legs[0].channel]
        listed = view.agreed is not None and any(n.id == id for n in view.agreed.state.nanos)
        return view, listed

    def _removal_signed(self, view: ChannelView, id: InstanceId) -> bool:
        """Whether it has signed a state above the newest full one that drops the instance."""
        full = view.agreed.state.version if view.agreed is not None else 0
        above = [p.state for p in view.proposals]
        if view.held is not None and view.held.answering:
            above.append(view.held.state)
        return any(s.version > full and all(n.id != id for n in s.nanos) for s in above)

    def leaving(self, id: InstanceId) -> bool:
        """Whether it has signed that an instance goes, or that is done."""
        view, listed = self.listed(MachineId(id))
        return view is not None and (not listed or self._removal_signed(view, id))

    def before_turn(self) -> None:
        """A payment may be accepted and its machine removed within one turn, in this order."""
        instances = self.actor.node.books.instances
        self.left_before = frozenset(id for id in instances if self.leaving(id))

    def _statement(self, statement: Statement) -> None:
        id = statement.machine
        if statement.paid < self.sent_totals.get(id, 0) and not self.unmarked:
            raise Violated("P8: a total below one it sent", paid=statement.paid)
        view, listed = self.listed(id)
        if statement.paid > self.statements.get(id, 0):
            if view is None or not listed:
                raise Violated("A2: paid before the state is fully signed")
            if self._removal_signed(view, id):
                raise Violated("A11: paid in a machine whose removal it has signed")
            instance = self.actor.node.books.instances[id]
            if instance.via and not self.actor.heard_ready(id):
                raise Violated("A2: paid without the other end's Ready")
            if any(close.channel == view.id for close in self._live_closes()):
                raise Violated("A8: paid while a Close is alive")
        self.statements[id] = max(self.statements.get(id, 0), statement.paid)

    def _live_closes(self) -> list[Close]:
        final = self.actor.node.books.chain.final_time
        return [close for close in self.closes - self.forgotten if final <= close.valid_until]

    def _close(self, close: Close) -> None:
        if close in self.closes:
            return
        books = self.actor.node.books
        view = books.channels[close.channel]
        net = view.agreed.state.net if view.agreed is not None else 0
        if view.agreed is not None and view.agreed.state.nanos:
            raise Violated("A8: a Close over listed instances")
        if close.net != net:
            raise Violated("A8: a Close at another net than the newest state's", close=close)
        full = view.agreed.state.version if view.agreed is not None else 0
        # What an old copy does not know of is undone by its Close, at amounts its user was shown.
        sent = [v for c, v in self.sent_states if c == view.id and v > full]
        if any(not self.copied or v <= view.signed for v in sent):
            raise Violated("A8: a Close while a state of its own is unresolved")
        if close.valid_until > books.chain.head_time + view.channel.challenge:
            raise Violated("A8: a Close that lives longer than a challenge")
        if view.deposits or self._live_opens(view):
            raise Violated("D1: a Close while a deposit or an Open is on its way")
        if self.actor.world.clock - books.chain.head_time > self.actor.world.limits.freshness:
            raise Violated("A6: signed with a stale view", what="Close")
        self.closes.add(close)

    def _live_opens(self, view: ChannelView) -> list[Open]:
        final = self.actor.node.books.chain.final_time
        known = self.opens - self.forgotten
        return [o for o in known if o.channel == view.id and final <= o.valid_until]

    def _withdraw(self, wish: Withdraw) -> None:
        if wish in self.withdraws:
            return
        view = self.actor.node.books.channels[wish.channel]
        self.may_sign(view, "Withdraw")
        if view.deposits or self._live_opens(view):
            raise Violated("D1: a Withdraw while a deposit or an Open is on its way")
        self.withdraws.add(wish)
        full = view.agreed.state if view.agreed is not None else None
        for (channel, version), states in self.states.items():
            if channel == view.id and (full is None or version > full.version):
                for state in states:
                    if (channel, version) in self.sent_states:
                        self._solvent(view, state)
        if full is not None:
            self._solvent(view, full)

    def _open(self, leave: Open) -> None:
        if leave in self.opens or leave.valid_until == 0:
            return
        view = self.actor.node.books.channels[leave.channel]
        final = self.actor.node.books.chain.final_time
        for other in self.opens - self.forgotten:
            peer = self.actor.node.books.channels[other.channel].peer
            if final <= other.valid_until and peer == view.peer:
                raise Violated("C5: a second live Open for one peer")
        self.opens.add(leave)

    def forget_offers(self) -> None:
        """An old copy without a mark has taken the store's place."""
        kept: set[Close | Withdraw | Open] = set()
        for view in self.actor.store.records():
            if isinstance(view, ChannelView):
                kept |= {offer.withdraw for offer in view.withdraws}
                kept |= {offer.open for offer in view.opens}
                kept |= {view.close.close} if view.close is not None else set()
        self.forgotten = (self.closes | self.withdraws | self.opens) - kept

    def forget_unwritten(self) -> None:
        """After a power cut: an offer that was signed, and neither stored nor sent, is no offer."""
        kept: set[Close | Withdraw | Open] = set(self.sent_offers)
        for view in self.actor.node.books.channels.values():
            kept |= {offer.withdraw for offer in view.withdraws}
            kept |= {offer.open for offer in view.opens}
            kept |= {view.close.close} if view.close is not None else set()
        self.closes = {close for close in self.closes if close in kept}
        self.withdraws = {wish for wish in self.withdraws if wish in kept}
        self.opens = {leave for leave in self.opens if leave in kept}

    # ---------------------------------------------------------------------------------- sending

    def left(self, frame: bytes) -> None:
        """Bytes leave: whatever they rely on must be on the disk already."""
        match message := meant(frame):
            case Propose(state):
                self._state_left(state)
            case OfferChannel(first=first) if first is not None:
                self._state_left(first.state)
            case Invited(half=half) | RequestInstance(own_half=half) if half is not None:
                self._state_left(half.state)
            case AnswerState(channel, version):
                stored = self.actor.store.row(ChannelView, channel)
                assert stored is None or isinstance(stored, ChannelView)
                full = stored.agreed if stored is not None else None
                if full is None or full.state.version < version:
                    raise Violated("write before you send: an answer", version=version)
                self._state_left(full.state)
            case OfferClose(close):
                self.sent_offers.add(close)
            case AnswerClose(channel):
                self.sent_offers |= {c for c in self.closes if c.channel == channel}
            case OfferWithdraw(wish):
                self.sent_offers.add(wish)
            case AnswerWithdraw(channel):
                self.sent_offers |= {w for w in self.withdraws if w.channel == channel}
            case AcceptChannel(open=leave) if leave is not None:
                self.sent_offers.add(leave)
            case Play() | Played():
                self.umpire.left(message)
            case Ticks() | Ticked():
                self.stakes.left(message)
            case RevealSecret(id):
                view, listed = self.listed(id)
                if view is not None and not listed:
                    raise Violated("flip-3: a secret of what no state lists", instance=id)
            case Note(machine, first, last, payment):
                self._note_left(machine, first, last, payment)
            case Noted(machine, last):
                self._noted_left(machine, last)
            case Pay(machine) | Paid(machine) | ReadySigned(machine) if self._forgotten(machine):
                pass
            case Pay(machine, paid):
                totals = self._totals(machine)
                if totals is None or totals.sent < paid:
                    raise Violated("write before you send: a statement", paid=paid)
                self.sent_totals[machine] = max(self.sent_totals.get(machine, 0), paid)
            case Paid(machine, paid):
                totals = self._totals(machine)
                if paid and (totals is None or totals.received < paid):
                    raise Violated("acknowledged before it was stored", paid=paid)
            case ReadySigned(machine):
                row = self.actor.store.row(InstanceView, machine)
                if not isinstance(row, InstanceView) or not row.ready_sent:
                    raise Violated("write before you send: a Ready")

    def _note_left(self, machine: bytes, first: int, last: int, payment: bytes) -> None:
        rows = self.actor.store.numbered(Payment, 0, 100_000)
        part = (machine, first, last, payment)
        if all((row.machine, row.first, row.last, row.id) != part for row in rows):
            raise Violated("write before you send: a note", machine=machine, last=last)

    def _noted_left(self, machine: bytes, last: int) -> None:
        rows = self.actor.store.numbered(Income, 0, 100_000)
        if all((row.machine, row.last) != (machine, last) for row in rows):
            raise Violated("write before you send: a note's answer", machine=machine, last=last)

    def _forgotten(self, machine: bytes) -> bool:
        """Over, and dropped from memory and disk in the same turn: nothing relies on it."""
        unknown = machine not in self.actor.node.books.instances
        return unknown and self.actor.store.row(InstanceView, machine) is None

    def _totals(self, machine: bytes) -> Totals | None:
        row = self.actor.store.row(Totals, machine)
        assert row is None or isinstance(row, Totals)
        return row

    def _state_left(self, state: State) -> None:
        key = (state.channel, int(state.version))
        old = self.sent_states.setdefault(key, state)
        if old != state and not self.unmarked:
            raise Violated("P8: two states with one version", one=old, two=state)
        row = self.actor.store.row(ChannelView, state.channel)
        if not isinstance(row, ChannelView) or row.signed < state.version:
            raise Violated("write before you send: a state", version=state.version)

    # --------------------------------------------------------------------------------- counting

    def told(self, notice: Notice) -> None:
        """What the node tells its user becomes what the user expects to own."""
        self.seen["told " + type(notice).__name__] += 1
        if isinstance(notice, InstanceAdded | InstanceRemoved):
            self.look_at_flips()
            self.stakes.look()
        if isinstance(notice, ExitOnly) and not self.copied:
            raise Violated("B11: a store that was never copied is taken for a copy", notice=notice)
        if isinstance(notice, PaymentReceived):
            self._accepted(notice)
        elif isinstance(notice, ProposalRefused):
            # A removal that is refused lets an instance count again, in the same turn.
            self.left_before = frozenset()
        elif isinstance(notice, TicksReceived):
            self.stakes.received(notice)
        elif isinstance(notice, InstanceRemoved) and notice.instance in self.umpire.worth:
            self.umpire.removed(notice)
        elif isinstance(notice, InstanceRemoved) and notice.instance in self.stakes.terms:
            self.stakes.removed(notice)
        elif isinstance(notice, InstanceRemoved) and self.stakes.streams(notice.instance):
            self.stakes.ended(notice)
        elif isinstance(notice, InstanceRemoved) and notice.instance in self.flips:
            # Removed by both: at its result, or before anything was decided.
            role = self.flip_roles[notice.instance]
            self.flips[notice.instance] = notice.shift if role is Role.BOB else -notice.shift
            self.seen["flips and hands removed by both"] += 1
        elif isinstance(notice, TransferDone):
            self.transferred[notice.channel, notice.version] = notice.amount
        elif isinstance(notice, InstanceAdded):
            instance = self.actor.node.books.instances.get(notice.instance)
            # One that is forgotten in the same turn may have cost a fee, too.
            if instance is None or (instance.via and instance.role is Role.ALICE):
                self.fees += GREATEST_FEE
                self.virtual.add(notice.instance)

    def look_at_flips(self) -> None:
        """What luck may take, and what it has given for good: both secrets known in time."""
        books, limits = self.actor.node.books, self.actor.world.limits
        for one in books.instances.values():
            flip = one.terms
            agreed = one.legs and one.legs[0].status is not LegStatus.NEW
            if not isinstance(flip, Flip | Hands) or one.role is None or not agreed:
                continue
            own = (flip.alice_lock, flip.bob_lock)[one.role]
            self.flip_roles[one.id] = one.role
            worst = self.flips.setdefault(one.id, -own)
            in_time = books.chain.head_time <= flip.validity - 2 * limits.margin
            if worst < 0 and all(one.secrets) and in_time and self.listed(MachineId(one.id))[1]:
                shift = luck.result(flip, *one.secrets)
                gain = -shift if one.role is Role.ALICE else shift
                if gain >= 0:
                    self.flips[one.id] = gain
                    self.seen[f"{type(flip).__name__.lower()} won"] += 1

    def _accepted(self, notice: PaymentReceived) -> None:
        id, books = notice.machine, self.actor.node.books
        if notice.total <= self.received.get(id, 0):
            return
        instance = books.instances[id]
        machine = instance.machine
        assert machine is not None
        view, _ = self.listed(id)
        head, limits = self.actor.world.chain.head, self.actor.world.limits
        if (view is None or self.leaving(id)) and id in self.left_before:
            raise Violated("A4: accepted in a machine that is not listed, or leaving")
        if books.chain.head_time > machine.validity - limits.margin:
            raise Violated("A4: accepted too late to enforce", now=head.time)
        if instance.head is not None or (view is not None and view.head.dispute is not None):
            raise Violated("A4: accepted after a submission or in a dispute")
        lock = machine.bob_lock if instance.role is Role.ALICE else machine.alice_lock
        if notice.total - self.statements.get(id, 0) > lock:
            raise Violated("A4: accepted more than the lock covers", total=notice.total)
        if self.actor.world.clock - books.chain.head_time > limits.freshness:
            raise Violated("A6: accepted with a stale view")
        self.received[id] = notice.total

    @property
    def expects(self) -> int:
        """What it must own more at the end than at the beginning: earned less spent."""
        machines = sum(self.received.values()) - sum(self.statements.values())
        shown = self.actor.world.shown_secrets
        locks = sum(amount for hash, amount in self.locked.items() if hash in shown)
        earned = sum(amount for amount in self.transferred.values() if amount > 0)
        paid = sum(-amount for amount in self.transferred.values() if amount < 0) + self.fees
        drawn = sum(self.flips.values()) + sum(self.umpire.worth.values()) + sum(self.stakes.gains)
        if self.heard_all:
            return machines - locks + earned + drawn - paid
        spent = locks + self._undone() + self.ordered + GREATEST_FEE * len(self._asked_for())
        # Peers may take a little unasked (`Policy.greatest_loss`), and of that no notice is sure.
        spent += sum(view.taken for view in self.actor.node.books.channels.values())
        if self.copied:
            # What it does not know of, peers may keep back; what it has given is gone anyway.
            gains = (*self.flips.values(), *self.umpire.worth.values())
            lost = sum(max(0, -gain) for gain in gains)
            lost += self.stakes.lost
            return self.safe_at_backup - sum(self.statements.values()) - spent - lost
        return machines + earned + drawn - spent

    @property
    def safe(self) -> int:
        """What it has earned by now and a newest state of this moment gives it for ever."""
        machines = sum(t for id, t in self.received.items() if not self.listed(id)[1])
        return machines + sum(amount for amount in self.transferred.values() if amount > 0)

    @property
    def unmarked(self) -> bool:
        """Whether it goes on as if its old copy were the newest: no peer has shown it a newer state
        yet, and no place for backups is asked here. Totals, which harm nobody, may repeat, and what
        it has signed and no peer has answered."""
        return self.copied and not self.actor.node.books.exit_only

    def _asked_for(self) -> set[InstanceId]:
        """Instances over the hub that may have cost a fee."""
        known = self.actor.node.books.instances.values()
        return self.virtual | {one.id for one in known if one.via and one.role is Role.ALICE}

    def _undone(self) -> int:
        """What came back of transfers, which an unresolved refusal of ours may have taken again
        without a word that outlived the power cut."""
        undone = 0
        for (channel, version), amount in self.transferred.items():
            before = [a for (c, v), a in self.transferred.items() if c == channel and v < version]
            undone += amount if amount > 0 and -amount in before else 0
        return undone


def _nanos_of(view: ChannelView) -> tuple[Nano, ...]:
    return () if view.agreed is None else view.agreed.state.nanos


def _only_payer(instance: InstanceView) -> Role | None:
    terms = instance.terms
    if isinstance(terms, Lock):
        return Role.BOB if terms.bob_pays else Role.ALICE
    if not isinstance(terms, Machine):
        return None  # A stream's ticks no hub holds.
    if terms.bob_lock == 0:
        return Role.ALICE
    return Role.BOB if terms.alice_lock == 0 else None
