"""What a party knows, as frozen records: everything the core reads and returns, and nothing else.

A node's knowledge is a set of records, each found by its own id and stored in a row of its own, so
that a payment touches two small records however many channels there are. No record is ever changed;
a step returns new ones. What can be computed from these is not stored in them.

Terms (protocol, sections 3 to 6): a *channel* holds *nanos*; a nano is an *instance* locked into a
channel, its *leg* there. An end of an instance has one leg, a hub two. *head* is what the newest
block of our view says, *final* what its newest final block says.
"""

from __future__ import annotations

import enum

from perun.core.chain_view import EMPTY, OnChain
from perun.core.game_view import GameView
from perun.encoding.messages import Invited, SignedHalf
from perun.types import (
    Address,
    Channel,
    ChannelId,
    Close,
    InstanceId,
    Lock,
    Machine,
    Open,
    Preimage,
    Record,
    Recorded,
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
    "ChannelView",
    "CloseOffer",
    "Credit",
    "HubInstance",
    "HubStage",
    "Deposit",
    "Funding",
    "Held",
    "InstanceView",
    "Intent",
    "Invitation",
    "Leg",
    "LegStatus",
    "OpenOffer",
    "OwnProposal",
    "PeerId",
    "Purpose",
    "Role",
    "SignedState",
    "Stage",
    "StoreMark",
    "Totals",
    "WithdrawOffer",
]

PeerId = bytes
"""33 bytes: the compressed public key a node is known by on the wire."""


class Role(enum.IntEnum):
    """Which side of a channel or instance a party stands on."""

    ALICE = 0
    BOB = 1

    other: Role
    """The opposite side."""


Role.ALICE.other, Role.BOB.other = Role.BOB, Role.ALICE

# ------------------------------------------------------------------------------------- agreement


class SignedState(Record, frozen=True, gc=False, array_like=True):
    """A fully signed state; version 0 is the empty one that nobody signs."""

    state: State
    own: Signature = Signature(b"")
    peer: Signature = Signature(b"")
    """Empty if the state is known only from a dispute on chain: the contract has checked it."""


class Purpose(enum.IntEnum):
    """What a proposal wants to do to the newest fully signed state."""

    TRANSFER = 0
    """Moves `net` and nothing else."""
    ADD = 1
    """Adds one instance; a hub's fee may move `net`."""
    REMOVE = 2
    """Removes one instance at a shift, nothing else."""
    REPLACE = 3
    """Resizes or renews: removes one machine and adds one with a fresh salt."""
    REFUSE = 4
    """Repeats the last agreed content under a new version: "no" (protocol, section 5, Answers)."""


class Intent(Record, frozen=True, gc=False, array_like=True):
    """What our user or protocol step wants changed; waits until the channel is idle."""

    purpose: Purpose
    amount: Wei = Wei(0)
    """TRANSFER, ADD, REPLACE: what Alice pays Bob by `net` besides the instances' shifts."""
    adds: InstanceId | None = None
    removes: InstanceId | None = None
    reason: str = ""
    """REFUSE: why."""
    shows: InstanceId | None = None
    """REFUSE: the machine whose newest statement we show once the refusal stands [A11]."""
    invited: Invited | None = None
    """ADD over a hub, proposed unasked: our answer to the other end, which takes our half along."""
    half: SignedHalf | None = None
    """ADD over a hub: the other end's half, which goes to the hub with our own, or our request."""
    asks: bool = False
    """ADD over a hub: to be asked of it, not proposed, once no half of ours is unresolved."""


class OwnProposal(Record, frozen=True, gc=False, array_like=True):
    """A state we have asked our signer to sign; unresolved until this or a higher one is full."""

    state: State
    intent: Intent
    signature: Signature = Signature(b"")
    """Empty while our signer works."""
    sent_at: UnixTime = UnixTime(0)
    """Own clock when it was last sent."""


class Held(Record, frozen=True, gc=False, array_like=True):
    """A peer's proposal, checked and signed by it, that we have not answered yet."""

    state: State
    signature: Signature
    intent: Intent
    """What it does, as we judged it."""
    since: UnixTime = UnixTime(0)
    """Own clock when it came."""
    answering: bool = False
    """Whether our signer is at work on the countersignature: we have signed this version."""
    totals: tuple[Wei, Wei] | None = None
    """Hub: what Alice and Bob have paid, as the proposer of a removal names it."""


# --------------------------------------------------------------------------------- standing offers


class CloseOffer(Record, frozen=True, gc=False, array_like=True):
    """A Close we have signed; alive until mined or lapsed in a final block."""

    close: Close
    own: Signature = Signature(b"")
    peer: Signature = Signature(b"")
    proposer: bool = False
    alive_until: UnixTime = UnixTime(0)
    """An own Close whose place this one took lives so long."""


class WithdrawOffer(Record, frozen=True, gc=False, array_like=True):
    """A Withdraw we have signed; counts as done and as not done until mined or lapsed."""

    withdraw: Withdraw
    own: Signature = Signature(b"")
    peer: Signature = Signature(b"")
    proposer: bool = False


class OpenOffer(Record, frozen=True, gc=False, array_like=True):
    """An Open that allows somebody to draw on a credit. Ours holds that money back until lapsed."""

    open: Open
    signature: Signature = Signature(b"")
    ours: bool = True


class Deposit(Record, frozen=True, gc=False, array_like=True):
    """Our own deposit on its way: no Close or Withdraw is signed until it is mined or lapsed."""

    amount: Wei
    valid_until: UnixTime
    holdings_before: Wei
    """Our side's final holdings when it was sent."""
    announce: bool = False
    """By `open`, which announces the channel."""


class Funding(Record, frozen=True, gc=False, array_like=True):
    """What both sides said they will put in, and how."""

    alice_amount: Wei = Wei(0)
    bob_amount: Wei = Wei(0)
    drawn: bool = False
    """By `openBoth`: the accepting side's share comes out of its credit."""
    own_to_credit: bool = False
    peer_to_credit: bool = False


# ----------------------------------------------------------------------------------------- records


class Stage(enum.IntEnum):
    """How far two parties are with agreeing on a channel's terms."""

    OFFERED = 0
    """We have offered it, the peer has not answered."""
    INVITED = 1
    """The peer has offered it; our user or policy has not answered."""
    JOINED = 2
    """Both have agreed; money and states may flow."""


class ChannelView(Record, frozen=True, gc=False, array_like=True):
    """One basic channel as we know it."""

    id: ChannelId
    channel: Channel
    role: Role
    peer: PeerId
    stage: Stage
    funding: Funding
    offered_at: UnixTime = UnixTime(0)
    """Own clock when our offer was last sent; of a channel offered to us, when we joined it, or
    asked our user; 0 before that."""
    proven: bool = False
    """The peer's account has proved the peer's key (protocol, section 5, Joining)."""
    own_proof: Signature = Signature(b"")
    """Our account over `Open(id, 0, 0, 0)`, which draws nothing: the key is ours."""
    agreed: SignedState | None = None
    """Newest fully signed state; None is version 0."""
    proposals: tuple[OwnProposal, ...] = ()
    """Ours, unresolved, ascending by version."""
    held: Held | None = None
    signed: Version = Version(0)
    """Highest version we have signed, or asked our signer to sign."""
    seen: Version = Version(0)
    """Highest version of which we hold a signature of the peer."""
    intents: tuple[Intent, ...] = ()
    """What waits for the channel to be idle, oldest first."""
    close: CloseOffer | None = None
    withdraws: tuple[WithdrawOffer, ...] = ()
    opens: tuple[OpenOffer, ...] = ()
    deposits: tuple[Deposit, ...] = ()
    watched: bool = False
    """The chain has told us how it stands: "never disputed" is knowledge from then on [B10]."""
    head: OnChain = EMPTY
    final: OnChain = EMPTY
    leaving: bool = False
    """Our user wants out through the chain: dispute, settle, and sign nothing more."""
    inflight: InstanceId | None = None
    """Hub: the instance of the one pair in flight here (protocol, section 6)."""
    waiting: tuple[InstanceId, ...] = ()
    """Hub: requests that wait for this channel, in order of arrival; they hold nothing."""
    asked: tuple[InstanceId, ...] = ()
    """An end: what we have asked the hub for, and it has neither granted nor refused."""
    told: int = 0
    """`ChainView.told` when the chain last said how it stands."""
    taken: Wei = Wei(0)
    """What the peer's transfers, and locks that others made us pay, have taken unasked, in all."""
    met: bool = False
    """The peer has shown its newest state since we started, or there can be none: a store that is
    older than it looks is found out by then."""


class LegStatus(enum.IntEnum):
    """Where an instance stands in one channel; derived from the channel's states in one place."""

    NEW = 0
    """Parameters are known, nothing signed."""
    ADDING = 1
    """We have signed a state that lists it; no fully signed one does."""
    LISTED = 2
    """The newest fully signed state lists it and we have signed no removal since."""
    REMOVING = 3
    """The newest fully signed state lists it, and we have signed one that does not."""
    REMOVED = 4
    """It was listed, and the newest fully signed state does not list it. Never again."""


class Leg(Record, frozen=True, gc=False, array_like=True):
    """An instance in one of our channels."""

    channel: ChannelId
    swapped: bool
    """Whether the instance's Alice is the channel's Bob."""
    status: LegStatus = LegStatus.NEW
    removed_shift: Wei = Wei(0)
    """The shift, instance's Alice to instance's Bob, at which it was removed."""


class InstanceView(Record, frozen=True, gc=False, array_like=True):
    """An instance of a nanocontract that we take part in, as an end or as a hub."""

    id: InstanceId
    terms: Terms
    """The parameters whose hash is the id."""
    legs: tuple[Leg, ...]
    role: Role | None
    """The side our own key signs for; None: we are its hub."""
    end: PeerId = b""
    """The other end (an end's view): the channel's peer, or somebody behind the hub."""
    via: PeerId = b""
    """The hub between the ends; empty if the other end is the channel's peer."""
    ready_sent: bool = False
    ready: Signature = Signature(b"")
    """The other end's `Ready`."""
    leave_sent: bool = False
    """Virtual: we have told the other end our totals, to close with, and pay no more."""
    watched: bool = False
    """The chain has told us how it stands: "never submitted" is knowledge from then on [A4]."""
    preimage: Preimage | None = None
    head: Recorded | None = None
    """None: nobody has submitted anything."""
    final: Recorded | None = None
    own_ready: Signature = Signature(b"")
    """Our `Ready`, to be said again."""
    replaces: InstanceId | None = None
    """The machine whose place it takes, in one state."""
    refused: bool = False
    """Somebody whom it takes did not want it: it is never added."""
    successor: InstanceId | None = None
    """With `leave_sent`: the machine that takes its place; None: we are closing it."""
    told: int = 0
    """`ChainView.told` when the chain last said how it stands."""
    left_at: UnixTime = UnixTime(0)
    """Own clock when we left it for its successor."""
    secrets: tuple[bytes, bytes] = (b"", b"")
    """Of its Alice and Bob, as far as we know them, in a kind where both have one."""
    game: GameView | None = None
    """What its ends have signed, if it is a game."""
    invitation: bytes = b""
    """The inviter's half of the salt: what it was known by before; empty in rows of before."""
    kept: bytes = b""
    """What its kind keeps besides, in bytes of its own (`nanocontracts.keeping`)."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs, as their payer: those after `via`, in order."""
    far: bool = False
    """Over several hubs, as their receiver: `via` proposes the state that adds it."""
    gate: InstanceId | None = None
    """The path behind which it counts (`nanocontracts.gate`): no state lists it by itself."""

    @property
    def machine(self) -> Machine | None:
        """Its terms, if it is a payment machine."""
        return self.terms if type(self.terms) is Machine else None

    @property
    def lock(self) -> Lock | None:
        """Its terms, if it is a hash time lock."""
        return self.terms if type(self.terms) is Lock else None


class Totals(Record, frozen=True, gc=False, array_like=True):
    """The payments of one machine: the record that a payment writes, one row overwritten."""

    machine: InstanceId
    asked: Wei = Wei(0)
    """Highest own total we have asked our signer to sign; never lowered."""
    sent: Wei = Wei(0)
    sent_signature: Signature = Signature(b"")
    received: Wei = Wei(0)
    received_signature: Signature = Signature(b"")


class HubStage(enum.IntEnum):
    """How far a hub is with an instance between two of its channels (protocol, section 6)."""

    REQUESTED = 0
    """Fewer than two requests, or waiting for both channels to be idle: holds nothing."""
    OPENING = 1
    """Reserved in both channels, both ends were asked for their proposals."""
    OPEN = 2
    """Both states are fully signed; the hub is idle."""
    CLOSING = 3
    """At least one end has proposed the removal."""
    HALF = 4
    """Removed from one channel only, by rules (a) to (d): the other must follow."""
    RETURNING = 5
    """Over several hubs: it did not go on, and never will; it goes where it came from, unused."""


class HubInstance(Record, frozen=True, gc=False, array_like=True):
    """A hub's view of one instance between two of its channels."""

    id: InstanceId
    alice_channel: ChannelId
    """The channel with the instance's Alice."""
    bob_channel: ChannelId
    stage: HubStage = HubStage.REQUESTED
    requested: tuple[bool, bool] = (False, False)
    since: UnixTime = UnixTime(0)
    """Own clock when the present stage began."""
    fee: Wei = Wei(0)
    """What the instance's Alice pays the hub by `net` with the adding state."""
    replaces: InstanceId | None = None
    """The instance that goes in the same state, in both channels (section 6, Resizing)."""
    onward: tuple[PeerId, ...] = ()
    """Over several hubs: whom it goes on to after us, the receiver last."""
    passed: Wei | None = None
    """What of the fee goes to those after us; None: the next has not granted it yet."""


class Credit(Record, frozen=True, gc=False, array_like=True):
    """An account's balance in MSContract, as final blocks have it."""

    asset: Address
    account: Address
    amount: Wei


class StoreMark(Record, frozen=True, gc=False, array_like=True):
    """Set for ever when a peer shows that this store is old (protocol, section 5, Store)."""

    id: bytes = b"exit only"
    reason: str = ""


class Invitation(Record, frozen=True, gc=False, array_like=True):
    """An instance we have invited somebody to, or, while our user is asked, the other way round;
    becomes an `InstanceView` with the answer."""

    id: Salt
    """Our random half of the salt; the terms' salt until the other half comes."""
    channel: ChannelId
    terms: Terms
    end: PeerId
    via: PeerId
    replaces: InstanceId | None = None
    secret: bytes = b""
    """What we have committed to in its terms, in a kind where both ends do."""
    theirs: bool = False
    """`end` has invited us, and our user has not answered; `id` is its half of the salt."""
    route: tuple[PeerId, ...] = ()
    """Over several hubs: those after `via`, in order."""
    far: bool = False
    """Over several hubs, of theirs: `via` is to propose the state that adds it."""
