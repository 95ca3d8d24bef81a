"""What can happen to a node: its user commands, a peer says, the chain shows, the signer is done.

Everything the core must not fetch itself comes in here: time (`Tick`, `ChainBlock`), randomness (a
field of the command that needs it), signatures (`Signed`), the chain (snapshots). Amounts are in
the asset's smallest unit, times in Unix seconds.
"""

from __future__ import annotations

from perun.core.chain_view import OnChain
from perun.core.effects import Sign
from perun.core.state import PeerId
from perun.encoding.messages import Message
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    InstanceId,
    MachineId,
    Nonce,
    Record,
    Recorded,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

__all__ = [
    "ChainAnnounced",
    "ChainBlock",
    "ChainChannel",
    "ChainCredit",
    "ChainInstance",
    "Command",
    "CommandAddMachine",
    "CommandAnswer",
    "CommandClaim",
    "CommandClose",
    "CommandConsent",
    "CommandInviteAgain",
    "CommandDispute",
    "CommandFund",
    "CommandJoin",
    "CommandOffer",
    "CommandPay",
    "CommandRemove",
    "CommandReplace",
    "CommandShow",
    "CommandTransfer",
    "CommandWithdraw",
    "Connected",
    "Input",
    "Outdated",
    "Received",
    "Restarted",
    "Signed",
    "Tick",
]


# -------------------------------------------------------------------------------------- our user


class Command(Record, frozen=True, gc=False):
    """Something that our user asks for. Those of one kind of nanocontract stand with that kind."""


class CommandOffer(Command, frozen=True, gc=False):
    """Offer a channel to a peer; we stand as its Alice (protocol, section 5, Joining)."""

    peer: PeerId
    account: Address
    """The peer's account; its key is that of its `PeerId`."""
    asset: Asset
    challenge: Seconds
    nonce: Nonce
    """Random, drawn for this channel."""
    own_amount: Wei
    peer_amount: Wei = Wei(0)
    """What the peer is asked to put in."""
    draw: bool = False
    """Fund both sides by one `openBoth`, the peer's share out of its credit."""
    fee: Wei = Wei(0)
    """What we pay the peer by the first state, for its share."""
    to_credit: bool = False
    """Pay us into our credit when the channel closes by agreement."""


class CommandJoin(Command, frozen=True, gc=False):
    """Answer a channel that a peer offered and our policy left to our user."""

    channel: ChannelId
    accept: bool
    to_credit: bool = False
    reason: str = "not wanted"
    """What the peer hears if we do not accept."""


class CommandFund(Command, frozen=True, gc=False):
    """Deposit to our side of a channel."""

    channel: ChannelId
    amount: Wei


class CommandTransfer(Command, frozen=True, gc=False):
    """Pay the peer by a new state; for many payments use a machine."""

    channel: ChannelId
    amount: Wei


class CommandAnswer(Command, frozen=True, gc=False):
    """Sign or refuse a peer's proposal that our policy left to our user."""

    channel: ChannelId
    version: Version
    accept: bool
    reason: str = ""


class CommandAddMachine(Command, frozen=True, gc=False):
    """Lock a payment machine with an end: the channel's peer, or somebody behind it as the hub."""

    channel: ChannelId
    own_lock: Wei
    peer_lock: Wei
    validity: UnixTime
    challenge: Seconds
    random: Salt
    """Our half of the salt."""
    end: PeerId = b""
    """The other end of a virtual channel; empty: the channel's peer."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs: those after the channel's peer, in order; then only we can pay in it."""


class CommandConsent(Command, frozen=True, gc=False):
    """Answer an invitation that was left to our user."""

    invitation: Salt
    """The inviter's half of the salt, by which it is known."""
    accept: bool
    reason: str = "not wanted"
    """What the inviter hears if we do not accept."""
    word: bytes = b""
    """What our user chooses, in a kind that asks: a hand, the last byte modulo 3."""


class CommandInviteAgain(Command, frozen=True, gc=False):
    """Say an invitation of ours again, to somebody who may not have heard it."""

    invitation: Salt


class CommandPay(Command, frozen=True, gc=False):
    """Pay `amount` in a machine: one signature, one message."""

    machine: MachineId
    amount: Wei


class CommandShow(Command, frozen=True, gc=False):
    """Say our newest statement of a machine again: the payee may have missed it, or refused it for
    a reason that is gone."""

    machine: MachineId


class CommandRemove(Command, frozen=True, gc=False):
    """Take an instance out at what was paid in it; closes a virtual channel."""

    instance: InstanceId


class CommandReplace(Command, frozen=True, gc=False):
    """Resize or renew a machine: removed and added with a fresh salt in one state."""

    machine: MachineId
    own_lock: Wei
    peer_lock: Wei
    validity: UnixTime
    challenge: Seconds
    random: Salt


class CommandClose(Command, frozen=True, gc=False):
    """End a channel by agreement, at its newest state, which must list no nano."""

    channel: ChannelId


class CommandWithdraw(Command, frozen=True, gc=False):
    """Pay out of an open channel by agreement."""

    channel: ChannelId
    own_amount: Wei
    peer_amount: Wei = Wei(0)


class CommandDispute(Command, frozen=True, gc=False):
    """Leave a channel through the chain, alone against everybody."""

    channel: ChannelId


class CommandClaim(Command, frozen=True, gc=False):
    """Take credit out of the contract."""

    asset: Asset
    amount: Wei
    to: Address


# ----------------------------------------------------------------------------------------- peers


class Received(Record, frozen=True, gc=False):
    """A message that the wire says is from `sender`.

    Only signatures inside a message prove anything about money; `sender` decides whom we answer,
    and who may disturb what.
    """

    sender: PeerId
    message: Message
    via: PeerId = b""
    """The hub over which runs what it is about; empty if that is between the two alone."""


class Connected(Record, frozen=True, gc=False):
    """The wire has (again) reached a peer: show and send again what is open between us."""

    peer: PeerId


# ----------------------------------------------------------------------------------------- chain


class ChainBlock(Record, frozen=True, gc=False):
    """Our view of the chain: its newest block and its newest final one. Times may jump ahead."""

    head_number: int
    head_time: UnixTime
    final_number: int
    final_time: UnixTime
    gas_price: Wei = Wei(0)
    """What gas costs at the newest block, in wei, as a transaction would bid for it now; 0: not
    known, or free. It rises and falls: what was not worth its gas at one block may be at the next.
    """


class ChainChannel(Record, frozen=True, gc=False):
    """A channel as the newest and as the newest final block have it.

    Sent whenever either differs from what was sent last, also because of a reorganisation, after
    the `ChainBlock` that it belongs to.
    """

    id: ChannelId
    head: OnChain
    final: OnChain


class ChainInstance(Record, frozen=True, gc=False):
    """An instance as the newest and as the newest final block have it; like `ChainChannel`."""

    id: InstanceId
    head: Recorded | None
    final: Recorded | None


class ChainAnnounced(Record, frozen=True, gc=False):
    """Somebody announced a channel that names our account: an advertisement by anybody."""

    id: ChannelId
    channel: Channel


class ChainCredit(Record, frozen=True, gc=False):
    """One of our accounts' credit, from a final block."""

    asset: Asset
    account: Address
    amount: Wei


# -------------------------------------------------------------------------------- signer and time


class Signed(Record, frozen=True, gc=False):
    """Our signer has signed all that one `Sign` asked for, in its order."""

    sign: Sign
    signatures: tuple[Signature, ...]


class Tick(Record, frozen=True, gc=False):
    """Our own clock."""

    clock: UnixTime
    """Unix time when we started, and the seconds since: never goes back."""
    wall: UnixTime
    """Unix time as this machine has it, which somebody may set back or ahead."""


class Outdated(Record, frozen=True, gc=False):
    """Something that only our own keys can have made shows that our store is old: a backup."""

    reason: str


class Restarted(Record, frozen=True, gc=False):
    """The records were read from the store: ask again for what was asked and not signed."""


Input = (
    Command
    | Received
    | Connected
    | ChainBlock
    | ChainChannel
    | ChainInstance
    | ChainAnnounced
    | ChainCredit
    | Signed
    | Tick
    | Outdated
    | Restarted
)
