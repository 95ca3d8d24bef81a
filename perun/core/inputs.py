"""What can happen to a node: its user commands, a peer says, the chain shows, the signer is done.

Everything the core must not fetch itself comes in here: time (`Tick`, `ChainBlock`), randomness (a
field of the command that needs it), signatures (`Signed`), the chain (snapshots). Amounts are in
the asset's smallest unit, times in Unix seconds.
"""

from __future__ import annotations

from perun.core.effects import Sign
from perun.core.state import OnChain, PeerId
from perun.encoding.messages import Message
from perun.types import (
    Address,
    Asset,
    Channel,
    ChannelId,
    InstanceId,
    MachineId,
    Nonce,
    Preimage,
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
    "CommandAward",
    "CommandClaim",
    "CommandClock",
    "CommandClose",
    "CommandConsent",
    "CommandDeal",
    "CommandDispute",
    "CommandFund",
    "CommandGame",
    "CommandJoin",
    "CommandFlip",
    "CommandLock",
    "CommandMove",
    "CommandOffer",
    "CommandPay",
    "CommandRemove",
    "CommandReplace",
    "CommandResign",
    "CommandReveal",
    "CommandLetGo",
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


class CommandOffer(Record, frozen=True, gc=False):
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


class CommandJoin(Record, frozen=True, gc=False):
    """Answer a channel that a peer offered and our policy left to our user."""

    channel: ChannelId
    accept: bool
    to_credit: bool = False
    reason: str = "not wanted"
    """What the peer hears if we do not accept."""


class CommandFund(Record, frozen=True, gc=False):
    """Deposit to our side of a channel."""

    channel: ChannelId
    amount: Wei


class CommandTransfer(Record, frozen=True, gc=False):
    """Pay the peer by a new state; for many payments use a machine."""

    channel: ChannelId
    amount: Wei


class CommandAnswer(Record, frozen=True, gc=False):
    """Sign or refuse a peer's proposal that our policy left to our user."""

    channel: ChannelId
    version: Version
    accept: bool
    reason: str = ""


class CommandAddMachine(Record, frozen=True, gc=False):
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


class CommandLock(Record, frozen=True, gc=False):
    """Lock a payment that happens if a secret is revealed in time; we pay."""

    channel: ChannelId
    amount: Wei
    hash: bytes
    """keccak256 of the preimage."""
    deadline: UnixTime
    random: Salt
    end: PeerId = b""
    """The receiver behind the hub; empty: the channel's peer."""


class CommandFlip(Record, frozen=True, gc=False):
    """Flip a coin for money with an end: the channel's peer, or somebody behind it as the hub."""

    channel: ChannelId
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    odds: int
    """We lose in so many of 65,536 cases."""
    validity: UnixTime
    window: Seconds
    random: Salt
    secret: Preimage
    """32 random bytes that are used for nothing else."""
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandGame(Record, frozen=True, gc=False):
    """Invite an end to a game in turns for money: the channel's peer, or somebody behind it as the
    hub. Nothing is locked before the other end's user has agreed."""

    channel: ChannelId
    rules: Address
    setup: bytes
    """What the rules begin with; 32 bytes."""
    own_lock: Wei
    """What we pay if we lose."""
    peer_lock: Wei
    validity: UnixTime
    """Until when it must be over, or taken to the chain."""
    challenge: Seconds
    own_bank: Seconds
    """For all our moves on chain, if it comes to that."""
    peer_bank: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandConsent(Record, frozen=True, gc=False):
    """Answer an invitation that was left to our user."""

    invitation: Salt
    """The inviter's half of the salt, by which it is known."""
    accept: bool
    reason: str = "not wanted"
    """What the inviter hears if we do not accept."""


class CommandMove(Record, frozen=True, gc=False):
    """Make a move in a game: off chain, or on chain if it is played there."""

    instance: InstanceId
    move: bytes
    """In the rules' encoding."""


class CommandResign(Record, frozen=True, gc=False):
    """Give a game up: our whole lock is lost."""

    instance: InstanceId


class CommandClock(Record, frozen=True, gc=False):
    """Take a game to the chain: the other side has to move there, against its clock."""

    instance: InstanceId


class CommandDeal(Record, frozen=True, gc=False):
    """Invite an end to a deal in escrow: the channel's peer, or somebody behind it as the hub.
    Nothing is locked before the other end's user has agreed."""

    channel: ChannelId
    arbiter: Address
    """The key that may award any part of both locks, whoever holds it."""
    own_lock: Wei
    peer_lock: Wei
    late_shift: Wei
    """What moves from us to the other end if nobody has said anything by `due`."""
    due: UnixTime
    validity: UnixTime
    challenge: Seconds
    random: Salt
    end: PeerId = b""
    """The other end behind the hub; empty: the channel's peer."""


class CommandAward(Record, frozen=True, gc=False):
    """Bring the arbiter's word about a deal: off chain if the other end follows, else on chain."""

    instance: InstanceId
    shift: Wei
    """From the deal's Alice to its Bob."""
    signature: Signature


class CommandLetGo(Record, frozen=True, gc=False):
    """Let a deal go at this shift, if the other end does, too; giving it all needs no answer."""

    instance: InstanceId
    shift: Wei
    """From the deal's Alice to its Bob."""


class CommandReveal(Record, frozen=True, gc=False):
    """Cash a hash time lock with its preimage: off chain if the payer follows, else on chain."""

    instance: InstanceId
    preimage: Preimage


class CommandPay(Record, frozen=True, gc=False):
    """Pay `amount` in a machine: one signature, one message."""

    machine: MachineId
    amount: Wei


class CommandShow(Record, frozen=True, gc=False):
    """Say our newest statement of a machine again: the payee may have missed it, or refused it for
    a reason that is gone."""

    machine: MachineId


class CommandRemove(Record, frozen=True, gc=False):
    """Take an instance out at what was paid in it; closes a virtual channel."""

    instance: InstanceId


class CommandReplace(Record, frozen=True, gc=False):
    """Resize or renew a machine: removed and added with a fresh salt in one state."""

    machine: MachineId
    own_lock: Wei
    peer_lock: Wei
    validity: UnixTime
    challenge: Seconds
    random: Salt


class CommandClose(Record, frozen=True, gc=False):
    """End a channel by agreement, at its newest state, which must list no nano."""

    channel: ChannelId


class CommandWithdraw(Record, frozen=True, gc=False):
    """Pay out of an open channel by agreement."""

    channel: ChannelId
    own_amount: Wei
    peer_amount: Wei = Wei(0)


class CommandDispute(Record, frozen=True, gc=False):
    """Leave a channel through the chain, alone against everybody."""

    channel: ChannelId


class CommandClaim(Record, frozen=True, gc=False):
    """Take credit out of the contract."""

    asset: Asset
    amount: Wei
    to: Address


Command = (
    CommandOffer
    | CommandJoin
    | CommandFund
    | CommandTransfer
    | CommandAnswer
    | CommandAddMachine
    | CommandFlip
    | CommandGame
    | CommandConsent
    | CommandDeal
    | CommandAward
    | CommandLetGo
    | CommandMove
    | CommandResign
    | CommandClock
    | CommandLock
    | CommandReveal
    | CommandPay
    | CommandShow
    | CommandRemove
    | CommandReplace
    | CommandClose
    | CommandWithdraw
    | CommandDispute
    | CommandClaim
)


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
