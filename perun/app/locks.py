"""Hash locks: pay if a secret is shown in time, show it, and look. Two of them are a swap.

Whoever is invited is paid and locks nothing, so its node agrees by itself. A secret that comes out
in one lock is used in all under its hash (rule swap-5), whoever looks.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec.structs import replace

from perun.app import locked
from perun.app import values as v
from perun.app.errors import BadParams
from perun.app.methods import GetLocks, LockMoney, ShowSecret
from perun.app.rows import Errand
from perun.app.spending import digest_of, known_errand
from perun.app.texts import bytes_of, hexed, show_account, show_node
from perun.app.work import Caller, Work
from perun.core.nanocontracts.hash_lock import CommandLock, CommandReveal, payer_of_lock
from perun.core.rules.accounting import gain
from perun.core.state import InstanceView, Invitation, Role
from perun.types import Lock, Preimage, UnixTime, Wei

__all__ = ["lock", "locks", "show_secret"]

_LOCKS: Final = (Lock,)
_STATES: Final[dict[locked.Far, v.LockState]] = {
    "over": "over",
    "ruled": "decided",
    "opening": "opening",
    "onChain": "onChain",
    "known": "shown",
    "open": "open",
}


def lock(work: Work, caller: Caller, params: LockMoney) -> v.HashLock:
    """Locks a payment under a hash; it is as good as paid to whoever learns the secret."""
    digest = digest_of("lock", params)
    known = known_errand(work, params.idempotency_key, digest, "lock")
    if known is not None:
        return _again(work, known)
    to, own, theirs, asset = locked.stakes(work, caller, params)
    hash, now = bytes_of(params.hash, 32, "hash"), work.books.chain.head_time
    if params.until <= now:
        raise BadParams(f"it would be over before it begins: it is {now} on the chain")
    locked.meet(work, to, params.invitation)
    view = locked.place(work, to, asset, own, theirs)
    random = work.random()
    work.desk.do(
        CommandLock(*(view.id, own, hash, UnixTime(params.until)), random, locked.end_of(view, to))
    )
    key = params.idempotency_key
    return locked.invited(work, caller, "lock", key, digest, random, asset, own, _invitation)


def show_secret(work: Work, caller: Caller, params: ShowSecret) -> v.HashLock:
    """Takes a lock that pays us."""
    instance = locked.instance_of(work, _LOCKS, params.id, "lock")
    command = CommandReveal(instance.id, Preimage(bytes_of(params.secret, 32, "secret")))
    locked.once(work, caller, "showSecret", params, instance, lambda: work.desk.do(command))
    return _show(work, work.books.instances[instance.id])


def locks(work: Work, params: GetLocks) -> tuple[v.HashLock, ...]:
    """Invitations, what is locked, and what has ended lately; the newest last."""
    found = [_invitation(work, one) for one in locked.invitations(work, _LOCKS)]
    found += [_show(work, one) for one in locked.instances(work, _LOCKS)]
    found += locked.refused(work, v.HashLock, ("lock",), found)
    return locked.chosen(found, params.id, "lock")


# --------------------------------------------------------------------------------------- in parts


def _again(work: Work, known: Errand) -> v.HashLock:
    def look() -> v.HashLock:
        id = hexed(known.subject)
        return _show(work, locked.instance_of(work, _LOCKS, id, "lock"))

    return locked.again(work, known, v.HashLock, partial(_invitation, work), look)


def _invitation(work: Work, held: Invitation) -> v.HashLock:
    assert isinstance(held.terms, Lock)
    asset = work.books.channels[held.channel].channel.asset
    role = Role.BOB if held.theirs else Role.ALICE
    shown = _lock(work, held.id, held.terms, role, held.end, asset)
    return replace(shown, why=locked.why_invited(work, held), reached=locked.reached(work, held))


def _show(work: Work, instance: InstanceView) -> v.HashLock:
    assert isinstance(instance.terms, Lock)
    assert instance.role is not None
    asset = work.books.channels[instance.legs[0].channel].channel.asset
    far, shift = locked.how_far(work, instance)
    known, role = instance.invitation or instance.id, instance.role
    over = far in ("over", "ruled") and shift is not None
    return replace(
        _lock(work, known, instance.terms, role, instance.end, asset),
        instance=hexed(instance.id),
        state=_STATES[far],
        secret=None if instance.preimage is None else hexed(instance.preimage),
        gain=str(gain(role, shift or Wei(0))) if over else None,
    )


def _lock(
    work: Work, known: bytes, terms: Lock, role: Role, end: bytes, asset: bytes
) -> v.HashLock:
    contact = work.shelf.names.get(end)
    return v.HashLock(
        id=hexed(known),
        instance=None,
        peer=show_node(end),
        name="" if contact is None else contact.name,
        asset=show_account(asset),
        pays=role is payer_of_lock(terms),
        amount=str(terms.amount),
        hash=hexed(terms.hash),
        secret=None,
        state="invited",
        until=terms.deadline,
        gain=None,
    )
