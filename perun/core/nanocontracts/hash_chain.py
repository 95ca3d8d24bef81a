"""The stream: payments of one hash each, by whoever invited to it (protocol, section 4).

The payer gives out values of a chain of hashes whose root it has signed, newest last; a message
carries the newest value and what makes it count, so that whatever is lost on the way is made good
by the next. What it paid is gone when our user wants it paid, whether it has left us or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import ClassVar, Final

from msgspec.structs import replace

from perun.core.books import Books, Draft
from perun.core.config import Deployment
from perun.core.effects import SignItem
from perun.core.faults import (
    BadProposal,
    InstanceRejected,
    NotAllowedNow,
    NotEnoughMoney,
    PeerNotAllowed,
    UnexpectedMessage,
)
from perun.core.inputs import Command
from perun.core.limits import Limits
from perun.core.nanocontracts.keeping import Keeping
from perun.core.nanocontracts.kind import Due, Kind, domain_in
from perun.core.nanocontracts.payments import why_not
from perun.core.nanocontracts.shifts import check_times
from perun.core.notices import TicksDelivered, TicksReceived
from perun.core.rules.phases import fresh
from perun.core.rules.worth import dust_of, enforcing_costs
from perun.core.state import InstanceView, PeerId, Role, Totals
from perun.crypto.hashing import keccak
from perun.crypto.signatures import recover
from perun.encoding.hash_chain import (
    HashChainDomain,
    chain_digest,
    stream_id,
    tick_hash,
    ticks_evidence,
)
from perun.encoding.messages import OfInstance, Propose, Ticked, Ticks
from perun.types import (
    ZERO_ADDRESS,
    Address,
    Chain,
    ChannelId,
    InstanceId,
    Record,
    Salt,
    Seconds,
    Signature,
    Stream,
    StreamId,
    StreamRecord,
    UnixTime,
    Wei,
)

__all__ = [
    "HASH_CHAIN",
    "MOST_TICKS",
    "STREAMS",
    "CommandSettle",
    "CommandStream",
    "CommandTick",
    "StreamView",
    "paid_in",
]

MOST_TICKS: Final = 1_024
"""Of one chain of hashes, as the contract has it."""

_STEP: Final = 32
"""Between two rungs: so many hashes at most a tick costs its payer."""

_NO_ROOT: Final = bytes(32)
"""Said where nothing was paid."""


class StreamView(Record, frozen=True, gc=False, array_like=True):
    """What was paid in a stream: by us, or to us."""

    base: Wei = Wei(0)
    """What was paid before the newest chain of hashes."""
    root: bytes = b""
    """Of that chain; empty: there is none yet."""
    signature: Signature = Signature(b"")
    """Its payer's; empty: our signer is at work on it."""
    ticks: int = 0
    """How many of its values were given out, or have come."""
    value: bytes = b""
    """The newest of them, the root if there is none."""
    rungs: tuple[bytes, ...] = ()
    """Payer: values number 32, 64 … of it, from which those between are hashed."""
    wanted: Wei = Wei(0)
    """Payer: what our user wants paid in all; counts as gone."""
    held: Wei = Wei(0)
    """Payer: what the other end says it holds."""
    settled: bool = False
    """Over a hub: both ends have named the same total, and pay no more."""


STREAMS: Final = Keeping(StreamView)


# ------------------------------------------------------------------------------------- our user


class CommandStream(Command, frozen=True, gc=False):
    """Invite an end to be paid by us in a stream: the channel's peer, or somebody behind it as the
    hub."""

    channel: ChannelId
    lock: Wei
    """The most that we pay."""
    tick: Wei
    validity: UnixTime
    challenge: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandTick(Command, frozen=True, gc=False):
    """Pay so many ticks of a stream; several that come together leave as one message."""

    instance: InstanceId
    ticks: int = 1


class CommandSettle(Command, frozen=True, gc=False):
    """Pay no more in a stream, or want no more, and let it go at what was paid."""

    instance: InstanceId


def propose(draft: Draft, command: CommandStream, own: Address, end: Address) -> Stream:  # noqa: ARG001
    """What our user invites to."""
    return Stream(
        own,
        command.lock,
        command.tick,
        False,
        command.validity,
        command.challenge,
        command.random,
    )


# Rule stream-1.
def tick(draft: Draft, command: CommandTick) -> None:
    """Our user pays: counted at once, given out by `acts`.

    Raises:
        NotAllowedNow: it is not ours to pay in, not ready, or being closed.
        NotEnoughMoney: more than its lock has left.
    """
    instance, stream = _ours(draft, command.instance, "pay a tick")
    if instance.role is not Role.ALICE:
        raise NotAllowedNow("pay a tick", "the other end pays in it")
    why = why_not(draft.books, instance, stream)
    if why is not None:
        raise NotAllowedNow("pay a tick", why)
    if instance.via and not (instance.ready and instance.ready_sent):
        raise NotAllowedNow("pay a tick", "the other end has not said that it is ready")
    if instance.leave_sent:
        raise NotAllowedNow("pay a tick", "it is being closed")
    view = STREAMS.of(instance)
    wanted = Wei(view.wanted + command.ticks * stream.tick)
    if command.ticks <= 0 or wanted > stream.lock:
        raise NotEnoughMoney("ticks", Wei(stream.lock - view.wanted), Wei(wanted - view.wanted))
    draft.put(STREAMS.into(instance, replace(view, wanted=wanted)))


def together(books: Books, commands: Sequence[CommandTick]) -> Sequence[CommandTick]:
    """Several wishes of a moment as one, if its lock has room for all of them."""
    instance = books.instances.get(commands[0].instance)
    stream = None if instance is None else instance.terms
    if len(commands) == 1 or not isinstance(stream, Stream):
        return commands
    ticks = [command.ticks for command in commands]
    room = (stream.lock - STREAMS.of(instance).wanted) // stream.tick
    if min(ticks) <= 0 or sum(ticks) > room:
        return commands
    return (CommandTick(commands[0].instance, sum(ticks)),)


def settle(draft: Draft, command: CommandSettle) -> None:
    """Our user is done with it; see `acts`."""
    instance, _ = _ours(draft, command.instance, "settle it")
    draft.put(replace(instance, leave_sent=True))


def on_chain_signed(draft: Draft, chain: Chain, signature: Signature) -> InstanceId | None:
    """Our signer has signed a root: its ticks may leave."""
    instance = draft.find_instance(InstanceId(chain.stream))
    view = StreamView() if instance is None else STREAMS.of(instance)
    if instance is None or view.root != chain.root or view.signature:
        return None
    draft.put(STREAMS.into(instance, replace(view, signature=signature)))
    return instance.id


def _ours(draft: Draft, id: InstanceId, what: str) -> tuple[InstanceView, Stream]:
    instance = draft.instance(id)
    if not isinstance(instance.terms, Stream) or instance.role is None:
        raise NotAllowedNow(what, "this is not a stream of ours")
    return instance, instance.terms


class _HashChainKind(Kind[Stream, StreamRecord]):
    terms = Stream
    domain = HashChainDomain
    talks: ClassVar[bool] = False
    readies: ClassVar[bool] = True
    invites = MappingProxyType({CommandStream: propose})
    orders = MappingProxyType({CommandTick: tick, CommandSettle: settle})
    joins = MappingProxyType({CommandTick: together})
    signed = MappingProxyType({Chain: on_chain_signed})

    # ------------------------------------------------------------------------ what its terms say

    def id(self, deployment: Deployment, terms: Stream) -> InstanceId:
        return stream_id(domain_in(deployment, HashChainDomain), terms)

    def locks(self, terms: Stream) -> tuple[Wei, Wei]:
        return (Wei(0), terms.lock) if terms.bob_pays else (terms.lock, Wei(0))

    def signers(self, terms: Stream) -> tuple[Address | None, Address | None] | None:
        return (None, terms.payer) if terms.bob_pays else (terms.payer, None)

    def last_time(self, terms: Stream) -> UnixTime:
        return terms.validity

    def end_time(self, terms: Stream) -> UnixTime:
        return UnixTime(terms.validity + terms.challenge)

    # Rule stream-1.
    def check(self, limits: Limits, terms: Stream) -> None:
        check_times(limits, self.end_time(terms), terms.challenge)
        if terms.bob_pays or terms.payer == ZERO_ADDRESS:
            raise InstanceRejected("whoever pays in a stream invites to it")
        if not 0 < terms.tick <= terms.lock:
            raise InstanceRejected("its tick is nothing, or more than its lock")

    def taken(self, terms: Stream, role: Role) -> Wei:
        """A stream takes from its payer what it gives out, and nothing before."""
        return Wei(0)

    # -------------------------------------------------------------------------------- what it does

    def outcome(self, terms: Stream, on: StreamRecord | None, time: UnixTime) -> Wei | None:
        return None if on is None or time <= on.deadline else on.total

    # Rule stream-4.
    def known(self, terms: Stream, instance: InstanceView, totals: Totals) -> Wei | None:
        return paid_in(terms, instance)

    def enforceable(
        self, terms: Stream, instance: InstanceView, totals: Totals, time: UnixTime
    ) -> Wei:
        on = instance.head
        if on is None and time > terms.validity:
            return Wei(0)
        recorded = _recorded(on)
        if isinstance(on, StreamRecord) and time > on.deadline:
            return recorded
        return max(recorded, paid_in(terms, instance))

    def worst(self, terms: Stream, instance: InstanceView, totals: Totals) -> Wei:
        """What our user wants paid is gone, whatever became of it."""
        return max(STREAMS.of(instance).wanted, paid_in(terms, instance))

    def may_sign(self, books: Books, instance: InstanceView) -> str | None:
        return why_not(books, instance, _terms(instance))

    # ------------------------------------------------------------------- what its ends do unasked

    # Rules stream-2, stream-4.
    def acts(self, draft: Draft, instance: InstanceView) -> bool:
        """Gives out what our user wants paid; once it is to be closed, agrees on the total."""
        if not fresh(draft):
            return False
        if instance.role is Role.ALICE:
            instance = _give_out(draft, instance)
        if not instance.leave_sent:
            return False
        paid = paid_in(_terms(instance), instance)
        if not instance.via:
            # The one who is paid proposes, once it has heard the last; of nothing both may.
            return instance.role is Role.BOB or not STREAMS.of(instance).root
        if instance.role is Role.BOB:
            draft.send(instance.end, Ticked(instance.id, paid, True), instance.via)
        return STREAMS.of(instance).settled

    def ask_again(self, draft: Draft, instance: InstanceView) -> None:
        """The root that our signer has not signed."""
        view = STREAMS.of(instance)
        if instance.role is Role.ALICE and view.root and not view.signature:
            _ask(draft, instance)

    def hear(self, draft: Draft, instance: InstanceView, message: OfInstance) -> bool:
        if isinstance(message, Ticks) and instance.role is Role.BOB:
            return _on_ticks(draft, instance, message)
        if isinstance(message, Ticked) and instance.role is Role.ALICE:
            return _on_ticked(draft, instance, message)
        return super().hear(draft, instance, message)

    # --------------------------------------------------------------- what a tower is given of one

    def defending(self, instance: InstanceView) -> InstanceView:
        """What a payer has not given out yet is money."""
        return instance if instance.role is Role.BOB else replace(instance, kept=b"")

    def why_unwatched(self, deployment: Deployment, instance: InstanceView) -> str | None:
        view, stream = STREAMS.of(instance), _terms(instance)
        if instance.role is not Role.BOB or not view.signature:
            return None
        id = StreamId(instance.id)
        digest = chain_digest(
            domain_in(deployment, HashChainDomain), Chain(id, view.base, view.root)
        )
        if view.ticks > MOST_TICKS or recover(digest, view.signature) != stream.payer:
            return "a chain of hashes is not signed by its payer"
        if _hashed(id, view.value, view.ticks) != view.root:
            return "a tick does not lead to its root"
        return None

    def height(self, instance: InstanceView) -> int | None:
        return paid_in(_terms(instance), instance) if instance.role is Role.BOB else None

    # ------------------------------------------------------------------------------- what proves it

    def show(self, draft: Draft, instance: InstanceView, message: Propose) -> Propose:
        """To a hub what was paid; between two the removal itself says it."""
        paid = paid_in(_terms(instance), instance)
        if instance.role is Role.ALICE:
            return replace(message, paid=paid)
        return replace(message, received=paid)

    def believe(self, draft: Draft, instance: InstanceView, message: Propose) -> None:
        """A removal proves nothing that `Ticks` has not said."""

    # Rule stream-5.
    def named(
        self, terms: Stream, instance: InstanceView, message: Propose, peer: Role
    ) -> tuple[Wei, tuple[Wei, Wei]]:
        """What both ends say alike a hub pays on, and no more."""
        paid = message.paid if peer is Role.ALICE else message.received
        if paid > terms.lock:
            raise BadProposal("more than the stream has locked")
        return paid, (paid, Wei(0))

    def keep(self, draft: Draft, instance: InstanceView, message: Propose, peer: Role) -> None:
        """A hub needs no proof: it waits for both ends, or for the chain."""

    def forces(self, draft: Draft, instance: InstanceView, totals: tuple[Wei, Wei]) -> bool:
        """It holds no ticks: rule (c) is not for it."""
        return False

    # Rule stream-6.
    def due(self, draft: Draft, instance: InstanceView) -> Due | None:
        """The newest tick, if we are paid by it, the chain has less, and it is worth the gas."""
        stream, on, view = _terms(instance), instance.head, STREAMS.of(instance)
        paid = paid_in(stream, instance)
        if instance.role is not Role.BOB or not view.signature or paid <= _recorded(on):
            return None
        limit = on.deadline if isinstance(on, StreamRecord) else stream.validity
        if draft.now > limit or not _is_worth_it(draft, instance, paid):
            return None
        shown = (view.base, view.root, view.ticks, view.value, view.signature)
        return Due(ticks_evidence(stream, *shown), limit, answers=on is not None)


HASH_CHAIN = _HashChainKind()


def paid_in(stream: Stream, instance: InstanceView) -> Wei:
    """What was given out, or has come, as the contract counts it."""
    view = STREAMS.of(instance)
    return min(Wei(view.base + view.ticks * stream.tick), stream.lock)


# ------------------------------------------------------------------------------------- the payer


# Rule stream-2.
def _give_out(draft: Draft, instance: InstanceView) -> InstanceView:
    """As many ticks as are wanted and one chain of hashes has; after it another one is signed."""
    stream, view = _terms(instance), STREAMS.of(instance)
    paid = paid_in(stream, instance)
    if view.wanted > paid and why_not(draft.books, instance, stream) is None:
        if not view.root or (view.signature and view.ticks == MOST_TICKS):
            root, rungs = _chain(draft.config.seed, StreamId(instance.id), paid)
            view = replace(view, base=paid, root=root, signature=Signature(b""), ticks=0)
            instance = STREAMS.into(instance, replace(view, value=root, rungs=rungs))
            draft.put(instance)
            _ask(draft, instance)
            return instance
        if view.signature:
            ticks = min(MOST_TICKS, (view.wanted - view.base) // stream.tick)
            value = _value(StreamId(instance.id), view.rungs, ticks)
            view = replace(view, ticks=ticks, value=value)
            instance = STREAMS.into(instance, view)
            draft.put(instance)
            paid = paid_in(stream, instance)
            if ticks == MOST_TICKS and view.wanted > paid:
                return _give_out(draft, instance)
    untold = bool(view.signature) and view.held < paid
    if untold or (instance.leave_sent and (view.signature or not view.root)):
        _say(draft, instance)
    return instance


def _ask(draft: Draft, instance: InstanceView) -> None:
    view = STREAMS.of(instance)
    chain = Chain(StreamId(instance.id), view.base, view.root)
    draft.sign(SignItem(_terms(instance).payer, chain))


def _say(draft: Draft, instance: InstanceView) -> None:
    view = STREAMS.of(instance)
    last = instance.leave_sent and view.wanted == paid_in(_terms(instance), instance)
    root, value = view.root or _NO_ROOT, view.value or _NO_ROOT
    message = Ticks(instance.id, view.base, root, view.ticks, value, view.signature, last)
    draft.send(instance.end, message, instance.via)


def _chain(seed: bytes, id: StreamId, base: Wei) -> tuple[bytes, tuple[bytes, ...]]:
    """A new chain of hashes: its root, and every 32nd value, nearest to the root first.

    Its end follows from our own seed, which nobody knows, and is of no other chain.
    """
    rungs = [keccak(seed + b"ticks of a stream" + id + base.to_bytes(32, "big"))]
    for _ in range(MOST_TICKS // _STEP):
        rungs.append(_hashed(id, rungs[-1], _STEP))
    root, *others = reversed(rungs)
    return root, tuple(others)


def _value(id: StreamId, rungs: tuple[bytes, ...], ticks: int) -> bytes:
    """Value number `ticks`, at least 1."""
    rung, above = divmod(ticks - 1, _STEP)
    return _hashed(id, rungs[rung], _STEP - 1 - above)


def _on_ticked(draft: Draft, instance: InstanceView, message: Ticked) -> bool:
    """The other end holds so much; it may want no more."""
    view, paid = STREAMS.of(instance), paid_in(_terms(instance), instance)
    if message.total > paid:
        raise UnexpectedMessage("Ticked", "we never paid that")
    leaves = instance.leave_sent or message.last
    settled = message.last and message.total == paid and view.wanted == paid
    new = replace(view, held=max(view.held, message.total), settled=view.settled or settled)
    if new.held > view.held:
        draft.notify(TicksDelivered(instance.id, new.held))
    changed = replace(STREAMS.into(instance, new), leave_sent=leaves)
    if changed != instance:
        draft.put(changed)
    return leaves and (new.settled, leaves) != (view.settled, instance.leave_sent)


# ------------------------------------------------------------------------------------- the payee


# Rule stream-3.
def _on_ticks(draft: Draft, instance: InstanceView, message: Ticks) -> bool:
    """Counts what the payer has given out, and says so."""
    stream, view = _terms(instance), STREAMS.of(instance)
    before = paid_in(stream, instance)
    total = min(Wei(message.base + message.ticks * stream.tick), stream.lock)
    if total > before:
        why = why_not(draft.books, instance, stream)
        if why is not None:
            raise PeerNotAllowed("Ticks", why)
        _check(draft, instance, message)
        view = replace(
            view,
            base=message.base,
            root=message.root,
            signature=message.signature,
            ticks=message.ticks,
            value=message.value,
        )
        draft.notify(TicksReceived(instance.id, Wei(total - before), total))
    paid = max(total, before)
    settled = view.settled or (message.last and total == paid and bool(instance.via))
    leaves = instance.leave_sent or message.last
    kept = STREAMS.into(instance, replace(view, settled=settled))
    draft.put(replace(kept, leave_sent=leaves))
    if not (leaves and instance.via):
        draft.send(instance.end, Ticked(instance.id, paid, leaves), instance.via)
    return leaves


def _check(draft: Draft, instance: InstanceView, message: Ticks) -> None:
    """Raises `UnexpectedMessage` or `BadSignature` unless the chain would count it."""
    stream, view = _terms(instance), STREAMS.of(instance)
    id, goal, steps = StreamId(instance.id), message.root, message.ticks
    known = view.root == message.root and view.base == message.base and bool(view.signature)
    if known and message.ticks >= view.ticks:
        goal, steps = view.value, message.ticks - view.ticks
    else:
        chain = Chain(id, message.base, message.root)
        draft.checker.check(chain, message.signature, stream.payer)
    if _hashed(id, message.value, steps) != goal:
        raise UnexpectedMessage("Ticks", "its value does not lead to the root")
    if known and message.signature != view.signature:
        chain = Chain(id, message.base, message.root)
        draft.checker.check(chain, message.signature, stream.payer)


# ---------------------------------------------------------------------------------------- parts


def _hashed(id: StreamId, value: bytes, times: int) -> bytes:
    for _ in range(times):
        value = tick_hash(id, value)
    return value


def _terms(instance: InstanceView) -> Stream:
    assert isinstance(instance.terms, Stream)
    return instance.terms


def _recorded(on: object) -> Wei:
    return on.total if isinstance(on, StreamRecord) else Wei(0)


def _is_worth_it(draft: Draft, instance: InstanceView, total: Wei) -> bool:
    """Whether we would submit a total at all today: not below dust."""
    asset = draft.channel(instance.legs[0].channel).channel.asset
    cost = enforcing_costs(draft.config.limits, draft.chain)
    return total >= dust_of(draft.config.policy, asset, cost)
