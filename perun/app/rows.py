"""What is remembered, one record a row, stored with the turn that it belongs to.

A payment's row is written with the command that makes it: after a crash it is done exactly if the
stored total of its machine reaches its `last`. Fields are only ever added, at the end.
"""

from __future__ import annotations

import enum
from typing import ClassVar, Final

from perun.core.state import PeerId
from perun.encoding.records import Extra, NumberedExtra
from perun.types import (
    Address,
    Asset,
    ChannelId,
    InstanceId,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)

__all__ = [
    "KINDS",
    "NOTED",
    "Contact",
    "Errand",
    "Event",
    "Flow",
    "Income",
    "Opening",
    "OwnRequest",
    "Payment",
    "RequestState",
    "SpokenFor",
    "Step",
    "WaitingNote",
]

NO_INSTANCE: Final = InstanceId(b"")


class Step(enum.IntEnum):
    """How far a payment of ours is."""

    FINDING = 0
    OPENING = 1
    """A machine for it is being agreed on; nothing is paid."""
    SIGNED = 2
    """Its segment is fixed and asked of the signer: it can no longer be taken back."""
    DELIVERED = 3
    """The payee has the total on disk."""
    DONE = 4
    """The payee has the note on disk, too."""
    FAILED = 5
    """Nothing was paid, and nothing will be."""


class Payment(NumberedExtra, frozen=True, array_like=True):
    """A payment of ours."""

    table: ClassVar[str] = "app_payments"
    id: bytes
    """32 random bytes, by which both ends name it."""
    key: str
    """Idempotency key."""
    digest: bytes
    """Hash of the parameters that came with the key."""
    token: str
    """Whose limit it counts against; empty: nobody's."""
    payee: PeerId
    asset: Asset
    amount: Wei
    created: UnixTime
    until: UnixTime
    """When it stops to look for a way, by our clock."""
    step: Step = Step.FINDING
    text: str = ""
    request: bytes = b""
    terms: bytes = b""
    """The request it pays, as bytes: another one with this id is refused."""
    relay: PeerId = b""
    """A hub that the payee names."""
    machine: InstanceId = NO_INSTANCE
    first: Wei = Wei(0)
    last: Wei = Wei(0)
    why: str = ""
    receipt: Signature = Signature(b"")
    receipt_at: UnixTime = UnixTime(0)
    refunds: bytes = b""
    """The payment to us that it gives back."""


class Income(NumberedExtra, frozen=True, array_like=True):
    """A payment to us whose note and money are both here."""

    table: ClassVar[str] = "app_incomes"
    id: bytes
    """The payer's random name for it."""
    payer: PeerId
    asset: Asset
    machine: InstanceId
    first: Wei
    last: Wei
    at: UnixTime
    text: str = ""
    request: bytes = b""
    """The request of ours for which it was counted."""
    refunds: bytes = b""
    """The payment of ours that it gives back."""
    why: str = ""
    """Why it was not counted for the request that it named."""
    receipt: Signature = Signature(b"")


class WaitingNote(Extra, frozen=True, array_like=True):
    """A note whose money has not come yet."""

    table: ClassVar[str] = "app_notes"
    machine: InstanceId
    first: Wei
    last: Wei
    payment: bytes
    request: bytes
    refunds: bytes
    text: str

    @property
    def row_key(self) -> bytes:
        """Segments of a machine never overlap."""
        return self.machine + self.last.to_bytes(16, "big")


class SpokenFor(Extra, frozen=True, array_like=True):
    """A machine whose oldest incomes are no longer kept: nothing below counts again."""

    table: ClassVar[str] = "app_spoken"
    machine: InstanceId
    until: Wei

    @property
    def row_key(self) -> bytes:
        """One a machine."""
        return self.machine


class RequestState(enum.IntEnum):
    """What became of a request of ours."""

    OPEN = 0
    PAID = 1
    EXPIRED = 2
    CANCELLED = 3


class OwnRequest(Extra, frozen=True, array_like=True):
    """A request of ours."""

    table: ClassVar[str] = "app_requests"
    id: bytes
    asset: Asset
    amount: Wei
    memo: str
    until: UnixTime
    relay: PeerId
    relay_host: str
    created: UnixTime
    key: str = ""
    digest: bytes = b""
    signature: Signature = Signature(b"")
    state: RequestState = RequestState.OPEN
    income: int = 0
    """Number of the income that paid it."""

    @property
    def row_key(self) -> bytes:
        """Its id."""
        return self.id


class Contact(Extra, frozen=True, array_like=True):
    """A name for a node."""

    table: ClassVar[str] = "app_contacts"
    kept: ClassVar[bool] = True
    name: str
    peer: PeerId
    host: str = ""
    account: Address = Address(b"")

    @property
    def row_key(self) -> bytes:
        """Its name."""
        return self.name.encode()


class Opening(Extra, frozen=True, array_like=True):
    """A machine that is being agreed on, so that somebody can be paid."""

    table: ClassVar[str] = "app_openings"
    payee: PeerId
    asset: Asset
    channel: ChannelId
    random: Salt
    """Our half of its salt: the same invitation again is the same machine."""
    lock: Wei
    validity: UnixTime
    since: UnixTime
    said: UnixTime
    """When we last invited."""
    replaces: InstanceId = NO_INSTANCE
    exact: bool = False
    """No larger than needed, after a refusal."""
    tried: tuple[ChannelId, ...] = ()
    """Where it was refused before."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs: those after the channel's peer."""

    @property
    def row_key(self) -> bytes:
        """One at a time for a payee and an asset."""
        return self.payee + self.asset


class Errand(Extra, frozen=True, array_like=True):
    """Something else that our user wanted and that moves money or costs gas."""

    table: ClassVar[str] = "app_errands"
    number: int
    method: str
    key: str
    digest: bytes
    token: str
    subject: bytes
    """The channel, or the asset."""
    asset: Asset
    spent: Wei
    """What counts against the token's limit in that asset …"""
    gas_spent: Wei
    """… and in ETH, for gas."""
    at: UnixTime
    state: str
    text: str = ""
    over: bool = False
    index: int = -1
    """Which of the channel's withdrawals it is; -1: none, or not known."""
    shown: bytes = b""
    """JSON of what somebody was invited to, as the interface shows it; empty: nobody was."""

    @property
    def row_key(self) -> bytes:
        """Its number."""
        return self.number.to_bytes(8, "big")


class Event(NumberedExtra, frozen=True, array_like=True):
    """Something that has become true."""

    table: ClassVar[str] = "app_events"
    at: UnixTime
    kind: str
    about: bytes
    data: bytes
    """JSON; or of a payment its row as it was then, which is shown when somebody asks."""


class Flow(Extra, frozen=True, array_like=True):
    """A stream: at which rate our node pays in it by itself, and what events have told of it."""

    table: ClassVar[str] = "app_flows"
    id: bytes
    """Of the invitation if it is ours, else of the instance: nobody else chooses it."""
    ticks: int = 0
    """Paid at once …"""
    every: Seconds = Seconds(0)
    """… and so often; 0: by our user's word only."""
    since: UnixTime = UnixTime(0)
    """Own clock up to which time is paid; 0: it has not begun."""
    told: Wei = Wei(0)
    """The total that the newest event has told."""

    @property
    def row_key(self) -> bytes:
        """Its id."""
        return self.id


KINDS: Final = (
    Payment,
    Income,
    WaitingNote,
    SpokenFor,
    OwnRequest,
    Contact,
    Opening,
    Errand,
    Event,
    Flow,
)
"""All of them."""

NOTED: Final = tuple(kind for kind in KINDS if kind.kept)
"""Those that go into backups."""
