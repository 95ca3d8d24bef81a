"""How two people swap by two hash locks: what one types as a ticket, and the steps of each side.

Each side has a node where it gives and one where it gets; in one network that may be the same node.
The holder of the secret locks first, and shows it once the other lock is good; the other side locks
when it sees the first. All that is at stake is in the two locks, so a process that ends has lost
time and nothing else, with one exception: somebody has to bring the secret to whoever has locked
second. In one network his node does that by itself (rule swap-5), in two its daemon (`Carrier`).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar, Final, TypeVar

import msgspec
from msgspec.structs import replace

from perun.api.client import CallRefused, Node, NotReached
from perun.app.values import Account, HashLock, NodeName, Status
from perun.core.limits import limits_for, outage_of
from perun.core.rules.swaps import Place, check_swap, look_worth, times
from perun.crypto import keccak
from perun.errors import Misuse
from perun.types import ChainId, Lock, Salt, UnixTime, Wei

__all__ = [
    "MOST_PARTS",
    "BadTicket",
    "Leg",
    "NotSwapped",
    "Ticket",
    "give",
    "give_parts",
    "look",
    "pieces",
    "plan",
    "read",
    "secrets_of",
    "take",
    "take_parts",
]

_PREFIX: Final = "perun-swap:"
_MOST: Final = 4_096
_EARLY: Final = ("invited", "opening")
_PAUSE: Final = 0.5
"""Seconds between two looks at a node."""
_DAILY_PPM: Final = 40_000
"""By how much a price moves in a day, one standard deviation, where it is told what a look is
worth: 4 %, about that of ether."""

T = TypeVar("T")
MOST_PARTS: Final = 32
_NEXT: Final = 600
"""Seconds within which the holder locks the next part."""

Tell = Callable[[str], None]


@dataclass(eq=False)
class BadTicket(Misuse):
    """What somebody gave us is no offer of a swap, or one for other networks."""

    why: str

    template: ClassVar[str] = "no swap for this node: {why}"
    hint: ClassVar[str] = "ask for the whole line that `perun swap give` has printed"


@dataclass(eq=False)
class NotSwapped(Misuse):
    """It came to nothing, and nothing has moved."""

    why: str
    until: str
    """When what is locked is free again."""

    template: ClassVar[str] = "not swapped: {why}; what you have locked is free again after {until}"


Keep = Callable[["Ticket", HashLock], None]


class Leg(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """One of the two locks."""

    network: Annotated[str, msgspec.Meta(pattern=r"^eip155:[0-9]{1,20}\Z")]
    contract: Account
    asset: Account
    amount: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,38}\Z")]
    until: Annotated[int, msgspec.Meta(gt=0, lt=2**34)]
    to: NodeName
    """Who is paid."""


class Ticket(msgspec.Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What the holder of the secret offers."""

    hash: Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
    first: Leg
    """Paid by the holder."""
    second: Leg
    more: Annotated[
        tuple[Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")], ...],
        msgspec.Meta(max_length=MOST_PARTS - 1),
    ] = ()
    """Hashes of the parts after the first, one at a time; the amounts are those of all."""

    def __str__(self) -> str:
        return _PREFIX + base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def read(text: str) -> Ticket:
    """A ticket that somebody has typed. Raises `BadTicket`."""
    body = text.strip().removeprefix(_PREFIX)
    if body == text.strip() or len(body) > _MOST:
        raise BadTicket(f"it does not begin with {_PREFIX}, or is too long")
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Ticket)
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadTicket(str(error)) from None


# -------------------------------------------------------------------------------------- its parts


# Rule swap-4.
def pieces(ticket: Ticket) -> tuple[Ticket, ...]:
    """A ticket for each part, as equal as can be.

    Raises:
        BadTicket: one would be nothing, or has the secret of another.
    """
    hashes = (ticket.hash, *ticket.more)
    if len(set(hashes)) < len(hashes):
        raise BadTicket("two of its parts are under one hash")
    legs = zip(_cut(ticket.first, len(hashes)), _cut(ticket.second, len(hashes)), strict=True)
    return tuple(
        Ticket(hash, first, second) for hash, (first, second) in zip(hashes, legs, strict=True)
    )


def _cut(leg: Leg, parts: int) -> list[Leg]:
    small, rest = divmod(int(leg.amount), parts)
    if not small:
        raise BadTicket(f"{leg.amount} of the smallest unit cannot be cut into {parts} parts")
    return [replace(leg, amount=str(small + (index < rest))) for index in range(parts)]


def secrets_of(seed: bytes, parts: int) -> list[bytes]:
    """The secret of each part: what one of them shows says nothing of the others."""
    if parts == 1:
        return [seed]
    return [keccak(seed + number.to_bytes(4, "big")) for number in range(parts)]


def give_parts(
    here: Node, there: Node, ticket: Ticket, seed: bytes, tell: Tell
) -> Iterator[HashLock]:
    """The holder's side, part by part: one is at stake at a time. See `give`."""
    whole = pieces(ticket)
    for number, (piece, secret) in enumerate(zip(whole, secrets_of(seed, len(whole)), strict=True)):
        if number:
            piece = _ends_anew(here, there, piece)
        offered = "" if number else f"; hand this over: perun swap take {ticket}"
        yield give(here, there, piece, secret, tell, offered)


def _ends_anew(here: Node, there: Node, piece: Ticket) -> Ticket:
    """With the earliest ends that are safe now; those of our lock, if it is there already."""
    first, second = times(_place(here.status()), _place(there.status()))
    ours = next((one for one in here.locks() if one.hash == piece.hash and one.pays), None)
    until = first if ours is None else ours.until
    return _ending(piece, until, until - (first - second))


def _ending(piece: Ticket, first: int, second: int) -> Ticket:
    return replace(
        piece, first=replace(piece.first, until=first), second=replace(piece.second, until=second)
    )


def take_parts(
    first: Node, second: Node, ticket: Ticket, tell: Tell, keep: Keep
) -> Iterator[HashLock]:
    """The other side, part by part. See `take`."""
    apart = ticket.first.until - ticket.second.until
    for number, piece in enumerate(pieces(ticket)):
        if number:
            last = first.status().block.time + _NEXT
            theirs = _seen(first, piece.hash, piece.first, last, "now", later=True)
            # Its holder chooses the end of his lock, and is to look no longer than in the first.
            _, most = times(_place(first.status()), _place(second.status()))
            piece = _ending(piece, theirs.until, min(theirs.until - apart, most))
        yield take(first, second, piece, tell, keep)


# ---------------------------------------------------------------------------------- what is agreed


def plan(
    here: Node,
    there: Node,
    whom: NodeName,
    given: tuple[str, Account],
    wanted: tuple[str, Account],
    seed: bytes,
    parts: int = 1,
) -> Ticket:
    """What the holder offers, with the earliest ends that are safe.

    Args:
        given: amount and asset, in our node here.
        wanted: the same, in our node there.
        seed: from which the secrets follow.
    """
    hash, *more = ("0x" + keccak(secret).hex() for secret in secrets_of(seed, parts))
    ours, theirs = here.status(), there.status()
    first, second = times(_place(ours), _place(theirs))
    return Ticket(
        hash,
        Leg(ours.network.caip2, ours.network.contract, given[1], given[0], first, whom),
        Leg(
            *(theirs.network.caip2, theirs.network.contract, wanted[1], wanted[0], second),
            theirs.node,
        ),
        tuple(more),
    )


def look(ticket: Ticket, there: Status) -> tuple[int, Wei]:
    """How long the holder may look at the market, seconds, and what that is worth at most, of what
    the second lock of one part pays (rule swap-3)."""
    seconds, part = max(0, ticket.second.until - there.block.time), pieces(ticket)[0].second
    return seconds, look_worth(Wei(int(part.amount)), _DAILY_PPM, seconds)


# --------------------------------------------------------------------------------------- two sides


# Rules swap-1, swap-2.
def give(
    here: Node, there: Node, ticket: Ticket, secret: bytes, tell: Tell, offered: str = ""
) -> HashLock:
    """The holder's side: locks, waits for the other lock, and shows the secret.

    It may be called again with the same ticket and secret, and goes on where it stands.

    Args:
        ticket: of one part.
        offered: what is told once we have locked.

    Returns:
        What we are paid by.

    Raises:
        NotSwapped: the other side did not lock in time, or not what was asked for.
    """
    first, second = ticket.first, ticket.second
    shown = next((one for one in _paying(there, ticket.hash, second) if one.secret), None)
    if shown is not None:
        return _ended(there, shown.id, tell)
    ours = _locked(here, first, ticket.hash, _clock(first.until))
    tell(f"locked{offered}")
    places = _place(here.status()), _place(there.status())
    limits = places[1].limits
    last = second.until - 2 * limits.margin - limits.freshness
    theirs = _seen(there, ticket.hash, second, last, _clock(first.until))
    places = _place(here.status()), _place(there.status())
    check_swap(_terms(ours), _terms(theirs), places)
    tell("they have locked theirs: showing the secret")
    there.show_secret(theirs.id, "0x" + secret.hex(), idempotency_key=_key("show", ticket.hash))
    return _ended(there, theirs.id, tell)


def take(
    first: Node,
    second: Node,
    ticket: Ticket,
    tell: Tell,
    keep: Keep = lambda _ticket, _theirs: None,
) -> HashLock:
    """The other side: waits for the holder's lock, locks, and takes the first by what is shown.

    It may be called again with the same ticket, and goes on where it stands.

    Args:
        first: our node where the holder pays us.
        second: our node where we pay.
        ticket: of one part.
        keep: puts what goes on without us on disk; it is given the part, and the lock that pays us.

    Returns:
        What we are paid by.

    Raises:
        NotSwapped: the holder has not locked, or has not shown the secret.
    """
    limits = _place(second.status()).limits
    last = ticket.second.until - 2 * limits.margin - limits.freshness
    ours = next((one for one in second.locks() if one.hash == ticket.hash and one.pays), None)
    theirs = _seen(first, ticket.hash, ticket.first, last, "now", later=ours is not None)
    if ours is None:
        places = _place(first.status()), _place(second.status())
        leg = ticket.second
        planned = Lock(
            Wei(int(leg.amount)),
            *(False, bytes.fromhex(ticket.hash[2:]), UnixTime(leg.until), Salt(bytes(32))),
        )
        check_swap(_terms(theirs), planned, places)
        keep(ticket, theirs)
        tell("they have locked theirs: locking yours")
        ours = _locked(second, leg, ticket.hash, _clock(leg.until))
    tell("locked; waiting for the secret")
    while True:
        (ours,) = _insisting(partial(second.locks, ours.id), tell)
        (theirs,) = _insisting(partial(first.locks, theirs.id), tell)
        secret = ours.secret or theirs.secret
        if secret is not None:
            break
        if ours.state == "over":
            raise NotSwapped("they have not shown the secret", "now")
        time.sleep(_PAUSE)
    # The node knows it already if it is the same one, and asks at the next block; so it asks now.
    if theirs.state != "over":
        key = _key("show", ticket.hash)
        show = partial(first.show_secret, theirs.id, secret, idempotency_key=key)
        _insisting(show, tell)
    return _ended(first, theirs.id, tell)


# --------------------------------------------------------------------------------------- in parts


def _place(status: Status) -> Place:
    chain = ChainId(int(status.network.caip2.partition(":")[2]))
    return Place(limits_for(chain), UnixTime(status.block.time), outage_of(chain))


def _key(what: str, hash: str) -> str:
    """The same ticket again locks and shows nothing twice."""
    return f"swap {what} {hash}"


def _terms(lock: HashLock) -> Lock:
    hash = bytes.fromhex(lock.hash[2:])
    return Lock(Wei(int(lock.amount)), False, hash, UnixTime(lock.until), Salt(bytes(32)))


def _locked(node: Node, leg: Leg, hash: str, until: str) -> HashLock:
    """Our lock, once both have signed it."""
    key = _key("lock", hash)
    with _refused(leg.until):
        one = node.lock(leg.to, leg.amount, hash, leg.until, leg.asset, idempotency_key=key)
        while one.state in _EARLY:
            time.sleep(_PAUSE)
            (one,) = node.locks(one.id)
    if one.state == "over" and one.secret is None:
        raise NotSwapped(one.why or "they did not agree", "now" if one.why else until)
    return one


@contextmanager
def _refused(until: int) -> Iterator[None]:
    """An invitation that was declined is no longer there."""
    try:
        yield
    except CallRefused as error:
        if error.name != "NoSuch":
            raise
        raise NotSwapped("they do not agree, or cannot", _clock(until)) from None


def _insisting(act: Callable[[], T], tell: Tell) -> T:
    """Asks a node until it answers: whoever has locked second must not stop looking for the secret
    because a node was started again, or was busy."""
    told = ""
    while True:
        try:
            return act()
        except (NotReached, CallRefused) as fault:
            if isinstance(fault, CallRefused) and fault.name == "NoSuch":
                raise
            if str(fault) != told:
                tell(f"{fault}; asked again")
            told = str(fault)
            time.sleep(_PAUSE)


def _seen(
    node: Node, hash: str, leg: Leg, last: int, until: str, *, later: bool = False
) -> HashLock:
    """The lock that pays us what was agreed on, fully signed. Anybody who has heard the hash can
    lock less under it, so what is less is waited beside.

    Args:
        last: until when it is waited for, by the chain's clock.
        until: when what we have locked is free again.
        later: whether more may have happened in it.

    Raises:
        NotSwapped: it has not come by then.
    """
    while True:
        for one in _paying(node, hash, leg):
            if one.state not in _EARLY if later else one.state == "open":
                return one
        if node.status().block.time > last:
            found = [one for one in node.locks() if one.hash == hash and not one.pays]
            locked = ", ".join(f"{one.amount} of {one.asset}" for one in found)
            why = f"they have locked {locked}" if found else "they have not locked theirs in time"
            raise NotSwapped(why, until)
        time.sleep(_PAUSE)


def _paying(node: Node, hash: str, leg: Leg) -> Iterator[HashLock]:
    """Locks that pay us what was agreed on, however far they are."""
    for one in node.locks():
        same = one.hash == hash and not one.pays and one.asset.lower() == leg.asset.lower()
        if same and int(one.amount) >= int(leg.amount):
            yield one


def _ended(node: Node, id: str, tell: Tell) -> HashLock:
    """Once it is paid, or the chain has decided."""
    while True:
        (one,) = _insisting(partial(node.locks, id), tell)
        if one.state in ("over", "decided"):
            return one
        time.sleep(_PAUSE)


def _clock(seconds: int) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))
