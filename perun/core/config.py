"""What a node is told once: which contracts, who it is, what it agrees to without asking."""

from __future__ import annotations

from typing import Final, TypeVar

from perun import checks
from perun.core.limits import Limits
from perun.encoding.domains import (
    Domain,
    MSContractDomain,
)
from perun.encoding.machine import (
    VPMDomain,
)
from perun.errors import AmountOutOfRange
from perun.types import ETH, Address, Asset, Record, Wei

__all__ = ["Config", "Deployment", "HubPolicy", "Identity", "Policy", "Worth"]


_MILLION: Final = 1_000_000

D = TypeVar("D", bound=Domain)


def _check_amounts(policy: Record, *fields: str) -> None:
    """Raises `NotAnAmount`, `AmountOutOfRange`: below 0, or more than any token has."""
    for field in fields:
        checks.wide_amount(field, getattr(policy, field))


class Deployment(Record, frozen=True, gc=False):
    """The contracts of one chain: the list of nanocontracts an honest party locks [A9]."""

    contract: MSContractDomain
    vpm: VPMDomain
    """`Ready` is in its domain whatever the kind, and statements pass it by the thousand."""
    others: tuple[Domain, ...] = ()
    """Nanocontracts besides, those that this chain has as far as we know. A kind asks for its own;
    instances of one that is not there are refused."""

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Of all its contracts, MSContract's first."""
        return (self.contract, self.vpm, *self.others)

    def find(self, kind: type[D]) -> D | None:
        """The domain of that type; None: this chain has no such contract that we know."""
        domain: Domain
        for domain in (self.vpm, *self.others):
            if type(domain) is kind:
                return domain
        return None


class Identity(Record, frozen=True, gc=False):
    """Who we are in new channels (protocol, section 2)."""

    account: Address
    """Owns the money. A hub that lets channels be drawn on its credit has a *till* here: an account
    of its own with limited funds (protocol, section 3)."""
    key: Address
    """Signs states and statements; never changes for the life of a store."""
    peer: bytes
    """The key's 33 bytes: how peers reach us."""


class HubPolicy(Record, frozen=True, gc=False):
    """What a hub charges and allows (protocol, section 6, Fees); rates are per million.

    Amounts are in wei; in a channel of a token what is worth as much (`Policy.worths`), and in one
    without a price nothing, but for limits that are not set.
    """

    base_fee: Wei = Wei(0)
    amount_ppm: int = 0
    """Per unit the hub locks."""
    amount_day_ppm: int = 0
    """Per unit the hub locks and day until the final time."""
    open_fee: Wei = Wei(0)
    """For a channel that draws on the till."""
    greatest_draw: Wei = Wei(0)
    asks: bool = False
    """Whether a channel that draws on the till waits for our user's word (`CommandJoin`) when
    nothing here speaks against it; a program above asks what the core cannot know."""
    paused: bool = False
    """Takes no new channel and no new instance; what there is goes on."""
    greatest_lock: Wei = Wei(2**111 - 1)
    """Most the hub locks in one instance."""
    peer_quota: Wei = Wei(2**111 - 1)
    """Most the hub has locked towards one peer at a time."""
    reserved_slots: int = 16
    """Of the 64, kept for small short-lived instances [C3]."""
    small_lock: Wei = Wei(0)
    """What counts as small …"""
    short_life: int = 3_600
    """… and as short-lived, seconds."""
    greatest_queue: int = 64
    """Requests that may wait for one channel."""
    quote_validity: int = 60
    greatest_channels: int = 10_000
    """So that (channels × gas to answer) stays below a tenth of what a challenge offers [C4]."""

    def __post_init__(self) -> None:
        _check_amounts(self, "base_fee", "open_fee", "greatest_draw")
        _check_amounts(self, "greatest_lock", "peer_quota", "small_lock")
        for field in ("amount_ppm", "amount_day_ppm"):
            checks.between(field, getattr(self, field), 0, _MILLION)
        checks.between("reserved_slots", self.reserved_slots, 0, 64)
        for field in ("short_life", "greatest_queue", "quote_validity", "greatest_channels"):
            checks.unsigned(field, getattr(self, field), 32)


class Worth(Record, frozen=True, gc=False):
    """What a token is worth to us, so that it can be compared with what gas costs.

    A dollar token of 6 decimals, 3,000 of which buy an ETH: `Worth(token, 3_000 * 10**6, 10**18)`.
    """

    asset: Asset
    units: int
    """So many smallest units of the token …"""
    wei: Wei
    """… are worth so much."""

    def __post_init__(self) -> None:
        for field in ("units", "wei"):
            value = getattr(self, field)
            checks.wide_amount(field, value)
            if not value:
                raise AmountOutOfRange(field, value, 1, 2**256 - 1)


class Policy(Record, frozen=True, gc=False):
    """What is agreed to without asking our user. Everything else is held or refused.

    Limits are in wei. In a channel of a token they are what is worth as much by `worths`, rounded
    down; of a token without a price nothing is agreed to unasked but what costs us nothing.
    """

    assets: tuple[Asset, ...] = (ETH,)
    worths: tuple[Worth, ...] = ()
    """Prices of the tokens among them. Without one nothing says whether a channel is worth a
    dispute: where the limits ask for that (`Limits.least_channel`) it is refused."""
    unpriced: tuple[Asset, ...] = ()
    """Tokens accepted without a price, whatever a dispute costs."""
    join: bool = True
    """Join channels that ask us for no deposit."""
    greatest_deposit: Wei = Wei(0)
    """… or for at most this, put in once the other side's is final."""
    greatest_deposits: Wei | None = None
    """Most of that in all channels of each asset that have not ended, since offers are as many as
    peers like; None: as much as `greatest_deposit`, for a hub no limit."""
    greatest_lock: Wei | None = None
    """Most we lock in an instance that a peer proposes; None: as much as `greatest_deposit`.

    Nothing is lost by a lock, but the money waits for the end of the instance.
    """
    greatest_fee: Wei = Wei(0)
    """Most we pay a hub for one instance."""
    greatest_loss: Wei = Wei(0)
    """Most that a peer's transfers, and hash locks and coin flips that we are invited to, may take
    from us unasked: all of one channel together, since it says as many as it likes; what a flip
    brings back is not counted."""
    close: bool = True
    """Countersign a Close at the newest state."""
    withdraw: bool = True
    """Countersign a Withdraw that leaves every state solvent."""
    hub: HubPolicy | None = None
    """Set: let instances cross us."""

    def __post_init__(self) -> None:
        _check_amounts(self, "greatest_deposit", "greatest_fee", "greatest_loss")
        for field in ("greatest_deposits", "greatest_lock"):
            if getattr(self, field) is not None:
                _check_amounts(self, field)


class Config(Record, frozen=True, gc=False):
    """Everything the core is told about itself."""

    deployment: Deployment
    identity: Identity
    limits: Limits
    seed: bytes
    """32 secret random bytes of this store: our half of a salt is a hash of it and the other half,
    so that a repeated invitation names the same instance and nobody can prepare one [A4]."""
    policy: Policy = Policy()

    def __repr__(self) -> str:
        """Without the seed, which must not come into logs."""
        return f"Config({self.identity!r}, {self.deployment!r})"
