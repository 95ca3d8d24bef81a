"""What must be true of the contracts, whatever anybody does (protocol, section 7).

Each property is a function over the model that raises `Violated`. The stateful tests call them
after every step; since they compare the model with the contracts at every step as well, what
holds here holds there.

P6 (cost), P8 (restart) and P9 (griefing) speak of parties, not of the chain, and are not here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from perun.spec.contracts import Contracts
from perun.spec.custody import Dispute, Funds, Key, Payout
from perun.spec.ms_contract import MSContract
from perun.spec.nanos import Resolved, resolve
from perun.spec.reverts import Refused
from perun.types import ETH, Address, Asset, Channel, Nano, Wei


class Violated(AssertionError):
    """A property does not hold: its id, and the values that disagree."""

    def __init__(self, property_id: str, **values: object) -> None:
        shown = ", ".join(f"{name}={value}" for name, value in values.items())
        super().__init__(f"{property_id}: {shown}")


class Role(Enum):
    ALICE = "alice"
    BOB = "bob"

    def holdings(self, funds: Funds) -> int:
        return funds.alice if self is Role.ALICE else funds.bob

    def payout(self, payout: Payout) -> int:
        return payout.alice if self is Role.ALICE else payout.bob

    def lock(self, nano: Nano) -> int:
        return nano.alice_lock if self is Role.ALICE else nano.bob_lock

    def loss(self, from_alice_to_bob: int) -> int:
        return from_alice_to_bob if self is Role.ALICE else -from_alice_to_bob

    def account(self, channel: Channel) -> Address:
        return channel.alice if self is Role.ALICE else channel.bob


# ------------------------------------------------------------------------------ P1 conservation


def conservation(world: Contracts, assets: Iterable[Asset]) -> None:
    """P1. The balance in every asset covers all holdings and credits, unless its token forges
    balances; and what went into a channel is exactly what is in it and what was paid out of it."""
    ms, tokens = world.ms_contract, world.host.tokens
    for asset in assets:
        if asset in tokens and tokens[asset].forged:
            continue
        owed = sum(funds.alice + funds.bob for key, funds in ms.funds.items() if key[0] == asset)
        owed += sum(credit for (of, _), credit in ms.credits.items() if of == asset)
        has = world.host.balance(asset, ms.domain.contract)
        if has < owed:
            raise Violated("P1", asset=asset.hex(), has=has, owed=owed)
    for key, deposited in ms.deposited.items():
        funds = ms.funds.get(key, Funds())
        paid = ms.paid.get(key, 0)
        if funds.alice + funds.bob < 0 or deposited != paid + funds.alice + funds.bob:
            raise Violated("P1", channel=key[1].hex(), deposited=deposited, paid=paid, left=funds)


# -------------------------------------------------------------------------- P2 balance security


@dataclass(frozen=True, slots=True)
class Promise:
    """Something a party has signed that may yet be what counts: its newest fully signed state, an
    unresolved proposal, a live Close."""

    net: int
    nanos: tuple[Nano, ...] = ()


def balance_security(
    world: Contracts, role: Role, payouts: Sequence[Payout], promises: Collection[Promise]
) -> None:
    """P2, its chain part. `payouts` ended a channel; a party that answered every older state in
    time got at least the worst of what it had signed, its side of every outcome included."""
    before = payouts[0].before
    got = sum(role.payout(payout) for payout in payouts)
    settled = {resolved.nano: resolved.shift for pay in payouts for resolved in pay.resolved}
    worst = min(_worth(world, role, before, promise, settled) for promise in promises)
    if got < worst:
        raise Violated("P2", role=role, got=got, worst=worst, promises=promises)


def _worth(
    world: Contracts, role: Role, before: Funds, promise: Promise, settled: Mapping[Nano, int]
) -> int:
    """A party's money in `promise`, with outcomes as they were settled, or else as they are now;
    undecided ones at their worst.

    A nanocontract that answers otherwise afterwards changes nothing: the party had agreed to its
    clock. A promise whose other side cannot pay it was never enforceable: it is worth what is
    there.
    """
    free = role.holdings(before) - role.loss(promise.net)
    for nano in promise.nanos:
        shift = settled.get(nano)
        if shift is None:
            decided = resolve(nano, world.host)
            shift = decided.shift if decided else None
        free -= role.lock(nano) if shift is None else role.loss(shift)
    return min(free, before.alice + before.bob)


# -------------------------------------------------------------------------- P3 nothing unsigned


def nothing_unsigned(
    payout: Payout,
    has_agreed: Callable[[Role, Payout], bool],
    most_paid: Callable[[Role, Nano], int],
) -> None:
    """P3. A side's payout falls below its holdings only by what it signed: the `net` and the list
    of a state or Close, and in each instance no more than it signed there (`most_paid`), or, in a
    nanocontract decided otherwise, than its lock."""
    if payout.version == 0 and not payout.settling and (payout.net or payout.resolved):
        raise Violated("P3", payout=payout, version=0)
    for role in Role:
        signed = payout.version == 0 or has_agreed(role, payout)
        if not signed:
            raise Violated("P3", payout=payout, role=role, agreed=False)
        least = role.holdings(payout.before) - role.loss(payout.net)
        least -= sum(role.lock(nano) for nano in payout.remaining)
        for resolved in payout.resolved:
            limit = min(most_paid(role, resolved.nano), role.lock(resolved.nano))
            if role.loss(resolved.shift) > limit:
                raise Violated("P3", role=role, resolved=resolved, limit=limit)
            least -= role.loss(resolved.shift)
        if role.payout(payout) < least:
            raise Violated("P3", role=role, paid=role.payout(payout), least=least)


# ----------------------------------------------------------------------------- P4 hub neutrality


def hub_neutrality(
    incoming: Resolved, role_incoming: Role, outgoing: Resolved, role_outgoing: Role
) -> None:
    """P4. An instance locked in two channels, with the same locks and opposite roles for the hub,
    takes from it in one exactly what it gives it in the other."""
    change = -role_incoming.loss(incoming.shift) - role_outgoing.loss(outgoing.shift)
    if change != 0:
        raise Violated("P4", change=change, incoming=incoming, outgoing=outgoing)


# -------------------------------------------------------------------------- P5 guaranteed closing


def guaranteed_closing(
    world: Contracts,
    channel: Channel,
    role: Role,
    register: Callable[[], None],
    net: Wei,
    nanos: tuple[Nano, ...],
) -> None:
    """P5. Alone against everyone, a party has its free money one challenge after its `register`,
    and the rest when the last nano has expired; in its account or in its credit.

    `register` registers the state (`net`, `nanos`); the world is left as it was.
    """
    ms, host = world.ms_contract, world.host
    me = role.account(channel)
    key = (channel.asset, ms.channel_id(channel))
    start = _wealth(world, channel.asset, me)
    free = role.holdings(ms.funds.get(key, Funds())) - role.loss(net)
    free -= sum(role.lock(nano) for nano in nanos)
    with world.trial():
        world.call(register)
        dispute = ms.disputes[key]
        host.now = dispute.deadline + 1
        world.call(lambda: ms.settle(channel, net, nanos))
        got = _wealth(world, channel.asset, me) - start
        if channel.alice != channel.bob and _is_plain(world, channel.asset) and got < free:
            raise Violated("P5", role=role, got=got, free=free)
        if key in ms.disputes:
            left = ms.payouts[-1].remaining
            host.now = max(host.now, 1 + max(nano.expiry for nano in left))
            world.call(lambda: ms.settle(channel, Wei(0), left))
        if key in ms.disputes or key in ms.funds:
            raise Violated("P5", role=role, left=ms.funds.get(key))


def _wealth(world: Contracts, asset: Asset, account: Address) -> int:
    return world.host.balance(asset, account) + world.ms_contract.credit(asset, account)


def _is_plain(world: Contracts, asset: Asset) -> bool:
    return asset == ETH or world.host.tokens[asset].plain


# ------------------------------------------------------------------------------------ P7 isolation


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that `MSContract` owes, at one moment."""

    funds: dict[Key, Funds]
    disputes: dict[Key, Dispute]
    credits: dict[tuple[Asset, Address], int]

    @classmethod
    def of(cls, ms: MSContract) -> Snapshot:
        return cls(dict(ms.funds), dict(ms.disputes), dict(ms.credits))


def isolation(
    before: Snapshot, after: Snapshot, touched: Collection[Key], accounts: Collection[Address]
) -> None:
    """P7. A call for the channels `touched` changes no other channel, and no credit but those of
    `accounts` (the parties, the caller, the one who is funded) in the assets of these channels."""
    for name in ("funds", "disputes"):
        old, new = getattr(before, name), getattr(after, name)
        for key in (old.keys() | new.keys()) - set(touched):
            if old.get(key) != new.get(key):
                raise Violated("P7", what=name, channel=key[1].hex())
    assets = {asset for asset, _ in touched}
    for asset, account in before.credits.keys() | after.credits.keys():
        if asset in assets and account in accounts:
            continue
        if before.credits.get((asset, account), 0) != after.credits.get((asset, account), 0):
            raise Violated("P7", what="credit", asset=asset.hex(), account=account.hex())


# -------------------------------------------------------------------------------------- P10 no race


def no_race(world: Contracts, rival: Callable[[], None], answer: Callable[[], None]) -> None:
    """P10. `answer`, which would succeed now, still does when `rival` gets in before it.

    The rival may do anything but end the channel with the answerer's own signature on a Close.
    The world is left as it was.
    """
    with world.trial():
        try:
            world.call(answer)
        except Refused:
            return
    with world.trial():
        try:
            world.call(rival)
        except Refused:
            return
        try:
            world.call(answer)
        except Refused as refused:
            raise Violated("P10", refused=refused) from refused
