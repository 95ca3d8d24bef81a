"""Keys and limits of what moves money: nothing twice, nothing beyond what a token may."""

from __future__ import annotations

from functools import cache

import msgspec

from perun.app.errors import Forbidden, KeyReused, SpendLimit
from perun.app.methods import METHODS, Params, Scope
from perun.app.rows import Errand
from perun.app.work import Caller, Work
from perun.crypto.hashing import keccak
from perun.types import Asset, UnixTime, Wei

__all__ = ["allow", "check_limit", "digest_of", "errand", "known_errand"]

NOTHING = Wei(0)

_IGNORED = frozenset({"idempotency_key", "wait", "consent"})
"""What may differ where the same is asked for again."""


def digest_of(method: str, params: Params) -> bytes:
    """What is asked for, without its key and without how long its caller waits."""
    fields = {name: getattr(params, name) for name in _names(type(params))}
    return keccak(msgspec.json.encode((method, fields)))


@cache
def _names(kind: type[Params]) -> tuple[str, ...]:
    return tuple(sorted(name for name in kind.__struct_fields__ if name not in _IGNORED))


def allow(caller: Caller, method: str) -> None:
    """Raises `Forbidden` unless the token is good for the method."""
    needs = METHODS[method].scope
    if caller.scope < needs:
        raise Forbidden(method, needs.name.lower(), caller.scope.name.lower())


def check_limit(work: Work, caller: Caller, asset: Asset, amount: int) -> None:
    """Raises `SpendLimit` if a token would have spent more than it may."""
    if caller.scope is Scope.ALL:
        return
    limit = caller.limits.get(asset, Wei(0))
    spent = work.shelf.spent_by(caller.token, asset).since(work.now)
    if spent + amount > limit:
        raise SpendLimit(asset, limit, spent, amount)


def known_errand(work: Work, key: str, digest: bytes, method: str) -> Errand | None:
    """What was done with this key before.

    Raises:
        KeyReused: something else.
    """
    number = work.shelf.errand_keys.get(key)
    if number is None:
        if key in work.shelf.by_key:
            raise KeyReused(key, "method")
        return None
    known = work.shelf.errands[number]
    if known.digest != digest:
        raise KeyReused(key, method)
    return known


def errand(
    work: Work,
    caller: Caller,
    method: str,
    key: str,
    digest: bytes,
    subject: bytes,
    asset: Asset,
    spent: Wei = NOTHING,
    gas_spent: Wei = NOTHING,
    state: str = "",
    text: str = "",
) -> Errand:
    """Remembers something that our user wanted, and what it spends."""
    token = caller.token if caller.scope is not Scope.ALL else ""
    row = Errand(
        work.shelf.next_errand,
        method,
        key,
        digest,
        token,
        subject,
        asset,
        spent,
        gas_spent,
        UnixTime(work.now),
        state,
        text,
    )
    work.put(row)
    return row
