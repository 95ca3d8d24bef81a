"""What peers say to each other, as bytes: one version byte, then MessagePack.

Every message is an array whose first item is its number; great integers are as in `packing`.
Whatever arrives is garbage until `decode` has returned: the answer to garbage is a
`MalformedMessage`, never another exception, and never more work than its length deserves.
Signatures are *not* checked here. To add one, see docs/guides/add-a-message.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import msgspec

from perun import checks
from perun.encoding.packing import pack, unpack
from perun.errors import Misuse, OutOfRange, PeerFault
from perun.nesting import is_deep_msgpack
from perun.types import (
    Address,
    Channel,
    ChannelId,
    Close,
    InstanceId,
    MachineId,
    Open,
    Preimage,
    Record,
    Salt,
    Signature,
    State,
    Terms,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

__all__ = [
    "Ticks",
    "Ticked",
    "ShowPrice",
    "AcceptChannel",
    "AnswerClose",
    "AnswerState",
    "AnswerWithdraw",
    "DeclineInvite",
    "Gathered",
    "GrantInstance",
    "GuestMessage",
    "Invite",
    "Invited",
    "Leave",
    "MAX_MESSAGE_BYTES",
    "MAX_TEXT",
    "MalformedMessage",
    "Message",
    "NotPaid",
    "Note",
    "Noted",
    "OfferChannel",
    "OfferClose",
    "OfferWithdraw",
    "OfInstance",
    "Over",
    "Paid",
    "Pay",
    "Play",
    "Played",
    "Propose",
    "ReadySigned",
    "RefuseChannel",
    "RefuseInstance",
    "RequestInstance",
    "RevealSecret",
    "LetGo",
    "ShowState",
    "SignedHalf",
    "VERSION",
    "decode",
    "encode",
]

VERSION: Final = 1
"""First byte of every message; another one is refused whole."""

MAX_MESSAGE_BYTES: Final = 65_000
"""Longest message: a proposal and the state it refuses, with 64 nanos each, take about 26,000."""

MAX_POSITION: Final = 4_096
"""Bytes of a longest position of a game, which the contract takes."""

MAX_REASON: Final = 200
"""Characters that say why something is refused."""

MAX_TEXT: Final = 256
"""Characters that a payer can tell its payee with a payment."""

MAX_PARTIES: Final = 8
"""Of a path, its ends among them."""

MAX_ONWARD: Final = 8
"""After how many hubs a path ends."""

Id = Annotated[ChannelId, msgspec.Meta(min_length=32, max_length=32)]
Instance = Annotated[InstanceId, msgspec.Meta(min_length=32, max_length=32)]
MachineRef = Annotated[MachineId, msgspec.Meta(min_length=32, max_length=32)]
Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Half = Annotated[Salt, msgspec.Meta(min_length=32, max_length=32)]
Secret = Annotated[Preimage, msgspec.Meta(min_length=32, max_length=32)]
Sig = Annotated[Signature, msgspec.Meta(max_length=65)]
Peer = Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]
Reason = Annotated[str, msgspec.Meta(max_length=MAX_REASON)]
Amount = Annotated[Wei, msgspec.Meta(ge=0)]
Time = Annotated[UnixTime, msgspec.Meta(ge=0, lt=2**40)]
Number = Annotated[Version, msgspec.Meta(ge=0, lt=2**48)]


@dataclass(eq=False)
class MalformedMessage(PeerFault):
    """Bytes that are no message of this version."""

    reason: str
    length: int

    template: ClassVar[str] = "malformed message of {length} bytes: {reason}"
    hint: ClassVar[str] = "the peer may run another version, or the wire is not what it seems"


class _Message(Record, frozen=True, gc=False, array_like=True):
    """Base of all messages."""


# --------------------------------------------------------------------------------------- payments


class Pay(_Message, frozen=True, gc=False, tag=1):
    """A statement: I have paid you this much in total (protocol, section 4)."""

    machine: MachineRef
    paid: Amount
    signature: Sig

    def __post_init__(self) -> None:
        checks.amount("paid", self.paid)


class Paid(_Message, frozen=True, gc=False, tag=2):
    """Your statements up to this total are on my disk."""

    machine: MachineRef
    paid: Amount

    def __post_init__(self) -> None:
        checks.amount("paid", self.paid)


class NotPaid(_Message, frozen=True, gc=False, tag=3):
    """I do not count this total, and why. Words only: what is signed stays signed."""

    machine: MachineRef
    paid: Amount
    reason: Reason

    def __post_init__(self) -> None:
        checks.amount("paid", self.paid)


class ReadySigned(_Message, frozen=True, gc=False, tag=4):
    """`Ready`: my channel's state with this machine is fully signed and stored."""

    machine: Instance
    signature: Sig
    answer: bool = False
    """Said in answer to one that came again: not to be answered in turn."""


class Leave(_Message, frozen=True, gc=False, tag=5):
    """I pay no more in this virtual channel: the totals I know, and my own newest statement."""

    machine: Instance
    paid_by_alice: Amount
    paid_by_bob: Amount
    signature: Sig = Signature(b"")
    """Over the sender's own total; empty if that is 0."""
    successor: Instance | None = None
    """The machine that takes its place; None: let us close it."""

    def __post_init__(self) -> None:
        checks.amount("paid_by_alice", self.paid_by_alice)
        checks.amount("paid_by_bob", self.paid_by_bob)


class RevealSecret(_Message, frozen=True, gc=False, tag=6):
    """My secret in an instance that both of us have locked: what I have committed to in its
    terms. Said again until yours has come or the instance is gone."""

    instance: Instance
    secret: Bytes32


class Play(_Message, frozen=True, gc=False, tag=7):
    """A position of a game, signed by me: my move, my resignation, a draw that I offer, or how it
    begins (version 0). Said again until yours under it has come, or a newer one."""

    instance: Instance
    version: Annotated[int, msgspec.Meta(ge=0, lt=2**18)]
    turn: Annotated[int, msgspec.Meta(ge=0, le=2)]
    shift: Wei
    """If it is finished, what moves from the game's Alice to its Bob; else 0."""
    position: Annotated[bytes, msgspec.Meta(max_length=MAX_POSITION)]
    """Its bytes, as the rules make them."""
    move: Annotated[bytes, msgspec.Meta(max_length=MAX_POSITION)]
    """By which it came from the newest one that both have signed; empty: none."""
    signature: Sig

    def __post_init__(self) -> None:
        checks.signed_amount("shift", self.shift)


class Played(_Message, frozen=True, gc=False, tag=8):
    """My signature under your position of this version: it stands."""

    instance: Instance
    version: Annotated[int, msgspec.Meta(ge=0, lt=2**18)]
    signature: Sig


class LetGo(_Message, frozen=True, gc=False, tag=9):
    """I let a deal go at this shift; with a signature: its arbiter says so. Said again until it is
    gone."""

    instance: Instance
    shift: Wei
    """From the deal's Alice to its Bob."""
    signature: Sig = Signature(b"")
    """The arbiter's over `Award`; empty: it is my own word, and binds me to nothing."""

    def __post_init__(self) -> None:
        checks.signed_amount("shift", self.shift)


class Ticks(_Message, frozen=True, gc=False, tag=13):
    """What I have paid in a stream: the newest chain of hashes that I have signed, and the newest
    of its values. It says all that came before it."""

    instance: Instance
    base: Amount
    root: Bytes32
    ticks: Annotated[int, msgspec.Meta(ge=0, le=1_024)]
    """How often the value hashes to the root."""
    value: Bytes32
    signature: Sig
    last: bool = False
    """I pay no more: let us close it."""

    def __post_init__(self) -> None:
        checks.amount("base", self.base)


class Ticked(_Message, frozen=True, gc=False, tag=14):
    """I hold a stream's ticks up to this total, stored."""

    instance: Instance
    total: Amount
    last: bool = False
    """I want no more: let us close it."""

    def __post_init__(self) -> None:
        checks.amount("total", self.total)


class ShowPrice(_Message, frozen=True, gc=False, tag=15):
    """What the reporter of a bet has signed. Said again until the bet is gone."""

    instance: Instance
    price: Wei
    signature: Sig

    def __post_init__(self) -> None:
        checks.signed_amount("price", self.price)


class Gathered(_Message, frozen=True, gc=False, tag=16):
    """What I hold of a path over several hubs: to whoever shares a leg of it with me. Said again
    until neither lacks what the other has."""

    path: Instance
    openings: Annotated[tuple[Sig, ...], msgspec.Meta(max_length=MAX_PARTIES)]
    """Of each party, over `Opening`; empty where I have none."""
    finals: Annotated[tuple[Sig, ...], msgspec.Meta(max_length=MAX_PARTIES)] = ()
    """Over `Final`, with this shift."""
    shift: Wei = Wei(0)

    def __post_init__(self) -> None:
        checks.signed_amount("shift", self.shift)


# ----------------------------------------------------------------------------------------- states


class Propose(_Message, frozen=True, gc=False, tag=10):
    """A state, signed by its proposer (protocol, section 5)."""

    state: State
    signature: Sig
    purpose: Annotated[int, msgspec.Meta(ge=0, le=4)]
    adds: Instance | None = None
    removes: Instance | None = None
    paid: Amount = Wei(0)
    """Removal of a machine: the proposer's own total …"""
    paid_signature: Sig = Signature(b"")
    """… its statement …"""
    received: Amount = Wei(0)
    """… and the highest total it has accepted."""
    received_signature: Sig = Signature(b"")
    """The other end's statement: evidence for a hub (section 6, rule (c))."""
    preimage: Secret | None = None
    """Removal of a hash time lock: its secret; of a coin flip between two: the sender's own."""
    base: ShowState | None = None
    """Refusal: the newest fully signed state of the refuser."""
    reason: Reason = ""

    def __post_init__(self) -> None:
        checks.amount("paid", self.paid)
        checks.amount("received", self.received)


class AnswerState(_Message, frozen=True, gc=False, tag=11):
    """The countersignature of a proposed state."""

    channel: Id
    version: Number
    signature: Sig


class ShowState(_Message, frozen=True, gc=False, tag=12):
    """A fully signed state: what I hold as the newest; version 0 without signatures: none."""

    state: State
    signature_alice: Sig
    signature_bob: Sig
    asks: bool = False
    """Show me yours: I have started anew, and sign nothing before."""


# --------------------------------------------------------------------------------------- channels


class OfferChannel(_Message, frozen=True, gc=False, tag=20):
    """Let us have a channel; the sender stands as its Alice."""

    channel: Channel
    alice_amount: Amount
    bob_amount: Amount
    draw: bool
    """Bob's share is to come out of his credit, by `openBoth`."""
    proof: Sig
    """Alice's account over `Open(id, 0, 0, 0)`: the key is hers. Empty if key and account agree."""
    to_credit: bool
    first: Propose | None = None
    """The first state, with Bob's fee, already signed."""

    def __post_init__(self) -> None:
        checks.amount("alice_amount", self.alice_amount)
        checks.amount("bob_amount", self.bob_amount)


class AcceptChannel(_Message, frozen=True, gc=False, tag=21):
    """Yes; with Bob's proof of his key and, if drawn on, his account's `Open`."""

    channel: Id
    proof: Sig
    to_credit: bool
    open: Open | None = None
    open_signature: Sig = Signature(b"")
    first_signature: Sig = Signature(b"")
    """Bob's countersignature of the first state."""


class RefuseChannel(_Message, frozen=True, gc=False, tag=22):
    """No, and why."""

    channel: Id
    reason: Reason


class OfferClose(_Message, frozen=True, gc=False, tag=23):
    """Let us end the channel like this."""

    close: Close
    signature: Sig


class AnswerClose(_Message, frozen=True, gc=False, tag=24):
    """The countersignature of a Close."""

    channel: Id
    signature: Sig


class OfferWithdraw(_Message, frozen=True, gc=False, tag=25):
    """Let us pay this out of the channel."""

    withdraw: Withdraw
    signature: Sig


class AnswerWithdraw(_Message, frozen=True, gc=False, tag=26):
    """The countersignature of a Withdraw."""

    channel: Id
    index: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    signature: Sig


# -------------------------------------------------------------------------------------- instances


class Invite(_Message, frozen=True, gc=False, tag=30):
    """Let us lock this instance; the sender is its Alice, `salt` her random half."""

    terms: Terms
    channel: Id | None
    """The channel of the two; None for a virtual channel over the hub that relays this."""
    asset: Annotated[Address, msgspec.Meta(min_length=20, max_length=20)]
    replaces: Instance | None = None
    """The machine that is resized or renewed by it."""
    far: bool = False
    """It comes over several hubs: yours will propose the state that adds it."""


class SignedHalf(Record, frozen=True, gc=False, array_like=True):
    """One end's half of an opening: the state of its channel with the hub that adds the instance,
    signed before the hub was asked (section 6 [A12])."""

    state: State
    signature: Sig


class Invited(_Message, frozen=True, gc=False, tag=31):
    """Yes; the salt is `keccak256(theirs ‖ ours)`."""

    theirs: Half
    ours: Half
    half: SignedHalf | None = None
    """Over a hub: the sender's own half, for the hub."""


class DeclineInvite(_Message, frozen=True, gc=False, tag=32):
    """No, and why."""

    theirs: Half
    reason: Reason


class RequestInstance(_Message, frozen=True, gc=False, tag=33):
    """To a hub: let this instance cross you, from or to my channel (section 6)."""

    channel: Id
    terms: Terms
    from_alice: bool
    """Whether the sender is the instance's Alice."""
    replaces: Instance | None = None
    """The machine that crosses you between the same channels, and goes in the same state."""
    own_half: SignedHalf | None = None
    """The sender's own proposal, made without waiting for the grant …"""
    other_half: SignedHalf | None = None
    """… and the other end's, which is its request too."""
    onward: Annotated[tuple[Peer, ...], msgspec.Meta(max_length=MAX_ONWARD)] = ()
    """Over several hubs: whom it goes on to after you, the other end last; only one way."""


class GrantInstance(_Message, frozen=True, gc=False, tag=34):
    """From the hub: reserved; propose now, with this fee moved to me. Its word alone:
    it could refuse what was proposed after a signed one too."""

    channel: Id
    instance: Instance
    fee: Amount
    valid_until: Time

    def __post_init__(self) -> None:
        checks.amount("fee", self.fee)


class RefuseInstance(_Message, frozen=True, gc=False, tag=35):
    """From the hub, or an end: not this instance, and why."""

    instance: Instance
    reason: Reason


# Rule ends-3.
class Over(_Message, frozen=True, gc=False, tag=40):
    """Between two ends: about what runs over this hub. The hub does not get to see it."""

    hub: Peer
    message: Annotated[bytes, msgspec.Meta(max_length=MAX_MESSAGE_BYTES - 64)]
    """Another message, whole."""


# ------------------------------------------------------------------- between the programs above


class Note(_Message, frozen=True, gc=False, tag=60):
    """What a payment is for: the part of my total from `first` to `last` (protocol, section 11).

    Said again until it is answered by `Noted`.
    """

    machine: MachineRef
    first: Amount
    last: Amount
    payment: Bytes32
    """The payer's random name for it."""
    request: Annotated[bytes, msgspec.Meta(max_length=32)] = b""
    """The id of the payee's request; empty: none."""
    refunds: Annotated[bytes, msgspec.Meta(max_length=32)] = b""
    """The payee's payment that it gives back; empty: none."""
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT)] = ""

    def __post_init__(self) -> None:
        checks.amount("first", self.first)
        checks.amount("last", self.last)
        if self.last <= self.first:
            raise OutOfRange("last", self.last, self.first + 1, checks.MAX_AMOUNT)
        if self.request:
            checks.length("request", self.request, 32)
        if self.refunds:
            checks.length("refunds", self.refunds, 32)


class Noted(_Message, frozen=True, gc=False, tag=61):
    """Your total covers this note, and both are on my disk."""

    machine: MachineRef
    last: Amount
    at: Time = UnixTime(0)
    """With a receipt: when it was counted."""
    receipt: Sig = Signature(b"")
    """Over `Receipt`, if it was counted for the request."""
    why: Reason = ""
    """Why it was not counted for the request; the money was."""

    def __post_init__(self) -> None:
        checks.amount("last", self.last)


GuestMessage = Note | Noted
"""What the core neither says nor hears: the runtime hands it to the program above."""

OfInstance = RevealSecret | LetGo | Play | Played | Ticks | Ticked | ShowPrice
"""What the ends of an instance say of it once both have locked it: its kind takes it up. Each names
its `instance`."""

Message = (
    Pay
    | Paid
    | NotPaid
    | ReadySigned
    | Leave
    | OfInstance
    | Propose
    | AnswerState
    | ShowState
    | Gathered
    | OfferChannel
    | AcceptChannel
    | RefuseChannel
    | OfferClose
    | AnswerClose
    | OfferWithdraw
    | AnswerWithdraw
    | Invite
    | Invited
    | DeclineInvite
    | RequestInstance
    | GrantInstance
    | RefuseInstance
    | Over
    | Note
    | Noted
)

_VERSION_BYTE = bytes((VERSION,))
_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """The bytes of a message, at most `MAX_MESSAGE_BYTES`."""
    return _VERSION_BYTE + pack(message)


def decode(data: bytes) -> Message:
    """The message in `data`.

    Raises:
        MalformedMessage: too long, another version, no MessagePack, no known message, or a field of
            another type, length or range.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise MalformedMessage(f"longer than {MAX_MESSAGE_BYTES} bytes", len(data))
    if data[:1] != _VERSION_BYTE:
        raise MalformedMessage("another protocol version", len(data))
    body = data[1:]
    if is_deep_msgpack(body):
        raise MalformedMessage("nested too deep", len(data))
    try:
        try:
            return _decoder.decode(body)
        except msgspec.ValidationError:
            message: Message = unpack(body, Message)
            return message
    except (msgspec.MsgspecError, Misuse, ValueError, RecursionError) as error:
        raise MalformedMessage(str(error), len(data)) from None
