"""Reasons why the core refuses: `Misuse` for our own user, `PeerFault` for what a peer said.

A step that raises one of these has changed nothing. The values that disagreed are fields.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from perun.errors import Misuse, PeerFault
from perun.types import ETH, Address, Asset, InstanceId
from perun.units import format_ether

__all__ = [
    "AssetNotPriced",
    "BadProposal",
    "BadVersion",
    "ChannelRejected",
    "ChannelTooSmall",
    "InstanceRejected",
    "KeyNotProved",
    "NotAllowedNow",
    "NotEnoughMoney",
    "PeerNotAllowed",
    "StatementRefused",
    "UnexpectedMessage",
    "WaitsForItsTurn",
    "Unknown",
]


@dataclass(eq=False)
class Unknown(Misuse):
    """No such channel, instance or proposal here."""

    what: str
    id: bytes

    template: ClassVar[str] = "no {what} {id}"


@dataclass(eq=False)
class NotAllowedNow(Misuse):
    """The channel is in a phase, or our view of the chain in a state, that forbids it."""

    what: str
    why: str

    template: ClassVar[str] = "cannot {what} now: {why}"
    hint: ClassVar[str] = "money already signed for is safe; wait, or leave through the chain"


@dataclass(eq=False)
class NotEnoughMoney(Misuse):
    """Our free money, or the room of a machine, is smaller than the amount."""

    what: str
    available: int
    wanted: int
    asset: Asset | None = None
    """Said where people read it: then amounts of ETH are in ether."""

    def _said(self) -> str:
        show = format_ether if self.asset == ETH else str
        unit = " ETH" if self.asset == ETH else ""
        return f"{self.what}: {show(self.wanted)}{unit} wanted, {show(self.available)} available"


@dataclass(eq=False)
class InstanceRejected(Misuse):
    """Terms that an honest party does not lock (protocol, section 4)."""

    why: str

    template: ClassVar[str] = "instance refused: {why}"


@dataclass(eq=False)
class ChannelRejected(PeerFault):
    """Terms of a channel that an honest party does not join (protocol, section 5, Joining)."""

    why: str

    template: ClassVar[str] = "channel refused: {why}"


@dataclass(eq=False)
class ChannelTooSmall(ChannelRejected):
    """A dispute would cost more than the channel holds; both in the asset's smallest unit."""

    why: str = field(init=False)
    holds: int
    least: int

    hint: ClassVar[str] = "put more in, or start the node with `any_price=True`"

    def __post_init__(self) -> None:
        self.why = f"it would hold {self.holds}, and a dispute cost {self.least}"


@dataclass(eq=False)
class AssetNotPriced(ChannelRejected):
    """Nobody has said what a token is worth, so nothing says whether it pays for a dispute."""

    why: str = field(init=False)
    asset: Asset

    hint: ClassVar[str] = "give its price in `Policy.worths`, or list it in `Policy.unpriced`"

    def __post_init__(self) -> None:
        self.why = f"we know no price of the token 0x{self.asset.hex()} to compare with gas"


@dataclass(eq=False)
class KeyNotProved(ChannelRejected):
    """The account that owns the peer's side has not said that the peer's key signs for it [B10].

    An account with an ECDSA key says so by a signature in the offer or the answer. A contract
    (a Safe, a wallet of EIP-4337) cannot: signatures of contracts (EIP-1271) count nowhere here.
    """

    why: str = field(init=False)
    account: Address
    key: Address

    hint: ClassVar[str] = "if the account is a contract, wait until a final block shows its `open`"

    def __post_init__(self) -> None:
        self.why = (
            f"0x{self.account.hex()} has not proved its key: it signs, by ECDSA, or if it is a "
            "contract sends its own `open` of 1 wei or more"
        )


@dataclass(eq=False)
class UnexpectedMessage(PeerFault):
    """A message that fits nothing we know, or comes from somebody it is not about."""

    message: str
    why: str

    template: ClassVar[str] = "{message} ignored: {why}"


@dataclass(eq=False)
class PeerNotAllowed(PeerFault):
    """A message that the channel's phase forbids to take up; the peer sends it again."""

    message: str
    why: str

    template: ClassVar[str] = "{message} left aside: {why}"


@dataclass(eq=False)
class BadVersion(PeerFault):
    """A proposal of the wrong parity, or too far above what either side can have signed [C1]."""

    offered: int
    highest: int

    template: ClassVar[str] = "version {offered} against {highest} signed so far"


@dataclass(eq=False)
class BadProposal(PeerFault):
    """A proposed state whose content no honest party would propose; it is refused."""

    why: str

    template: ClassVar[str] = "{why}"


@dataclass(eq=False)
class WaitsForItsTurn(BadProposal):
    """Hub: a half whose request waits for a channel; its end waits no longer."""

    instance: InstanceId


@dataclass(eq=False)
class StatementRefused(PeerFault):
    """A statement that we do not count (protocol, section 5, Accepting a payment)."""

    why: str
    offered: int
    limit: int

    template: ClassVar[str] = "{why} (total {offered}, limit {limit})"
