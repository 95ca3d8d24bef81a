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

from perun.api.client import CallRefused, Node, NotReached
from perun.app.values import Account, HashLock, NodeName, Status
from perun.core.limits import limits_for, outage_of
from perun.core.rules.swaps import Place, check_swap, look_worth, times
from perun.crypto import keccak
from perun.errors import Misuse
from perun.types import ChainId, Lock, Salt, UnixTime, Wei

__all__ = ["BadTicket", "Leg", "NotSwapped", "Ticket", "give", "look", "plan", "read", "take"]

_PREFIX: Final = "perun-swap:"
_MOST: Final = 4_096
_EARLY: Final = ("invited", "opening")
_PAUSE: Final = 0.5
"""Seconds between two looks at a node."""
_DAILY_PPM: Final = 40_000
"""By how much a price moves in a day, one standard deviation, where it is told what a look is
worth: 4 %, about that of ether."""

T = TypeVar("T")
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


# ---------------------------------------------------------------------------------- what is agreed


def plan(
    here: Node,
    there: Node,
    whom: NodeName,
    given: tuple[str, Account],
    wanted: tuple[str, Account],
    secret: bytes,
) -> Ticket:
    """What the holder offers, with the earliest ends that are safe.

    Args:
        given: amount and asset, in our node here.
        wanted: the same, in our node there.
    """
    ours, theirs = here.status(), there.status()
    first, second = times(_place(ours), _place(theirs))
    return Ticket(
        "0x" + keccak(secret).hex(),
        Leg(ours.network.caip2, ours.network.contract, given[1], given[0], first, whom),
        Leg(
            *(theirs.network.caip2, theirs.network.contract, wanted[1], wanted[0], second),
            theirs.node,
        ),
    )


def look(ticket: Ticket, there: Status) -> tuple[int, Wei]:
    """How long the holder may look at the market, seconds, and what that is worth at most, of what
    the second lock pays (rule swap-3)."""
    seconds = max(0, ticket.second.until - there.block.time)
    return seconds, look_worth(Wei(int(ticket.second.amount)), _DAILY_PPM, seconds)


# --------------------------------------------------------------------------------------- two sides


# Rules swap-1, swap-2.
def give(here: Node, there: Node, ticket: Ticket, secret: bytes, tell: Tell) -> HashLock:
    """The holder's side: locks, waits for the other lock, and shows the secret.

    Returns:
        What we are paid by.

    Raises:
        NotSwapped: the other side did not lock in time, or not what was asked for.
    """
    first, second = ticket.first, ticket.second
    ours = _locked(here, first, ticket.hash, _clock(first.until))
    tell(f"locked; hand this over: perun swap take {ticket}")
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
    keep: Callable[[HashLock], None] = lambda _theirs: None,
) -> HashLock:
    """The other side: waits for the holder's lock, locks, and takes the first by what is shown.

    It may be called again with the same ticket, and goes on where it stands.

    Args:
        first: our node where the holder pays us.
        second: our node where we pay.
        keep: puts what goes on without us on disk; it is given the lock that pays us.

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
        keep(theirs)
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
        found = [
            one
            for one in node.locks()
            if one.hash == hash
            and not one.pays
            and (one.state not in _EARLY if later else one.state == "open")
        ]
        for one in found:
            if one.asset.lower() == leg.asset.lower() and int(one.amount) >= int(leg.amount):
                return one
        if node.status().block.time > last:
            locked = ", ".join(f"{one.amount} of {one.asset}" for one in found)
            why = f"they have locked {locked}" if found else "they have not locked theirs in time"
            raise NotSwapped(why, until)
        time.sleep(_PAUSE)


def _ended(node: Node, id: str, tell: Tell) -> HashLock:
    """Once it is paid, or the chain has decided."""
    while True:
        (one,) = _insisting(partial(node.locks, id), tell)
        if one.state in ("over", "decided"):
            return one
        time.sleep(_PAUSE)


def _clock(seconds: int) -> str:
    return time.strftime("%H:%M", time.localtime(seconds))
