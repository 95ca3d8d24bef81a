"""Hash locks: pay if a secret is shown in time, show it, and look. Two of them are a swap.

Whoever is invited is paid and locks nothing, so its node agrees by itself. A secret that comes out
in one lock is used in all under its hash (rule swap-5), whoever looks.
"""

from __future__ import annotations

from typing import Final

from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.inviting import end_of, meet, place
from perun.app.locked import Far, Locked, Sort
from perun.app.methods import GetLocks, LockMoney, ShowSecret
from perun.app.texts import Who, bytes_of, hexed
from perun.app.ways import check_far, route_of
from perun.app.work import Caller, Work
from perun.core.nanocontracts.hash_lock import CommandLock, CommandReveal, payer_of_lock
from perun.types import Asset, Lock, Preimage, Salt, UnixTime, Wei

__all__ = ["lock", "locks", "show_secret"]

_STATES: Final[dict[Far, v.LockState]] = {
    "asked": "invited",
    "invited": "invited",
    "opening": "opening",
    "open": "open",
    "known": "shown",
    "onChain": "onChain",
    "ruled": "decided",
    "over": "over",
}


def lock(work: Work, caller: Caller, params: LockMoney) -> v.HashLock:
    """Locks a payment under a hash; it is as good as paid to whoever learns the secret."""

    def begin(to: Who, own: Wei, theirs: Wei, asset: Asset) -> Salt:
        hash, now = bytes_of(params.hash, 32, "hash"), work.books.chain.head_time
        if params.until <= now:
            raise BadParams(f"it would be over before it begins: it is {now} on the chain")
        meet(work, to, params.invitation)
        view = place(work, to, asset, own, theirs)
        random, route = work.random(), route_of(work, view, to.peer)
        if route:
            check_far(work, asset, own)
        until = UnixTime(params.until)
        work.desk.do(CommandLock(view.id, own, hash, until, random, end_of(view, to), route))
        return random

    return _SORT.invite(work, caller, "lock", params, begin)


def show_secret(work: Work, caller: Caller, params: ShowSecret) -> v.HashLock:
    """Takes a lock that pays us."""
    instance = _SORT.find(work, params.id)
    command = CommandReveal(instance.id, Preimage(bytes_of(params.secret, 32, "secret")))
    return _SORT.order(work, caller, "showSecret", params, instance, lambda: work.desk.do(command))


def locks(work: Work, params: GetLocks) -> tuple[v.HashLock, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    return _SORT.all(work, params.id)


def _lock(_work: Work, one: Locked) -> v.HashLock:
    terms, secret = one.terms, None if one.view is None else one.view.preimage
    assert isinstance(terms, Lock)
    return v.HashLock(
        id=one.id,
        instance=one.instance,
        peer=one.peer,
        name=one.name,
        asset=one.asset,
        pays=one.role is payer_of_lock(terms),
        amount=str(terms.amount),
        hash=hexed(terms.hash),
        secret=None if secret is None else hexed(secret),
        state=_STATES[one.far],
        until=terms.deadline,
        gain=one.gain if one.far in ("over", "ruled") else None,
    )


_SORT: Final = Sort("lock", (Lock,), ("lock",), v.HashLock, _lock)
