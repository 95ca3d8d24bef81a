"""Records of the application interface, as JSON: what methods take and answer, and events.

Amounts are decimal strings in the asset's smallest unit, times Unix seconds, bytes `0x…` in hex,
node ids text. Field names are in camelCase outside.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec

__all__ = [
    "Amount",
    "Answered",
    "AssetBalance",
    "Bet",
    "Block",
    "Channel",
    "Contact",
    "Done",
    "Event",
    "Exposure",
    "Exposures",
    "Game",
    "Hex",
    "Network",
    "NodeName",
    "Offer",
    "Opening",
    "Payment",
    "Problem",
    "Request",
    "Status",
    "Stream",
    "Subscribed",
    "Token",
    "Value",
    "Watcher",
]

Amount = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,33})$")]
"""Smallest units of an asset, in decimal."""

Signed = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,34}$")]
"""A difference of amounts."""

Hex = Annotated[str, msgspec.Meta(pattern=r"^0x([0-9a-f]{2})*$")]
"""Bytes."""

Account = Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-fA-F]{40}$")]
"""An account or a token; `0x000…0` as an asset is ETH. Answers carry its checksum (EIP-55)."""

NodeName = Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
"""A node id (`perun1…`), also with its host (`perun1…@host`), or the name of a contact."""

MOST_TEXT: Final = 256
"""Characters."""

Text = Annotated[str, msgspec.Meta(max_length=MOST_TEXT)]

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
"""An idempotency key: whoever asks again with it gets the first answer, and nothing twice."""


class Value(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of all records here."""


# ------------------------------------------------------------------------------------ who and where


class Block(Value, frozen=True):
    """How far our view of the chain reaches."""

    number: int
    time: int
    final_number: int
    final_time: int
    fresh: bool
    """Whether it is young enough to sign and to count on anything."""


class Token(Value, frozen=True):
    """A token by the name that people use; names come from our node's settings, not from tokens."""

    asset: Account
    symbol: str
    decimals: int


class Network(Value, frozen=True):
    """A chain and its contracts."""

    caip2: str
    """`eip155:` and the chain's number."""
    name: str
    genesis: Hex
    """Hash of the chain's first block; empty if the host did not say."""
    contract: Account
    current: bool
    test: bool
    """Whether its money is worth nothing."""
    tokens: tuple[Token, ...] = ()
    """Those that our node has a name for."""


class Problem(Value, frozen=True):
    """Something that is wrong, or will be, and what to do about it."""

    code: str
    text: str
    do: str


class AssetBalance(Value, frozen=True):
    """Our money in one asset, in all channels."""

    asset: Account
    free: Amount
    """In channels, not locked: can be paid, withdrawn."""
    locked: Amount
    """Ours, in machines and locks, at their present totals."""
    guaranteed: Signed
    """The worst that can come of all we have signed."""
    credit: Amount
    """In the contract, out of any channel: `claim` pays it out."""


Phase = Literal[
    "offered",
    "invited",
    "opening",
    "open",
    "closing",
    "leaving",
    "disputed",
    "decided",
    "settling",
    "ended",
]


class Channel(Value, frozen=True):
    """One basic channel."""

    id: Hex
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    phase: Phase
    """`opening`: agreed on, and no final block shows its money yet."""
    busy: bool
    """Whether a proposal or offer between the two is not answered yet."""
    free: Amount
    locked: Amount
    guaranteed: Signed
    peer_free: Amount
    """What the peer can still pay, or a hub pass on, to us."""
    challenge: int
    """Seconds that a dispute lasts."""
    machines: int
    """Instances that its newest state lists."""
    doing: str = ""
    """What is being done with it, and how far that is, in words."""


class Status(Value, frozen=True):
    """Who am I, where, what is mine, what is wrong, what to do about it."""

    node: NodeName
    account: Account
    outside: Amount | None
    """ETH of the account on chain, outside all channels, in wei; None: not known now."""
    network: Network
    block: Block
    exit_only: bool
    balances: tuple[AssetBalance, ...]
    channels: tuple[Channel, ...]
    problems: tuple[Problem, ...]
    event: int
    """Number of the newest event."""
    version: str


class Contact(Value, frozen=True):
    """Somebody whom we gave a name."""

    node: NodeName
    name: Text
    host: Text
    """Where it, or the hub in front of it, listens; may be empty."""
    account: Account | None
    """Its account, if it is not the address of its node key."""
    channels: int


# ----------------------------------------------------------------------------------------- channels


class Opening(Value, frozen=True):
    """What opening a channel means; done if `channel` is there."""

    peer: NodeName
    asset: Account
    amount: Amount
    """What we put in."""
    peer_amount: Amount
    fee: Amount
    """To the peer, for its share."""
    gas: int
    """Of our transaction, at most."""
    gas_price: Amount
    """In wei; `0` if not known."""
    challenge: int
    worst: Amount
    """What is lost at worst, of this asset: the fee. All else can be had back alone …"""
    worst_after: int
    """… so many seconds later: the challenge, and the time to mine …"""
    leave_gas: int
    """… for so much gas."""
    counts_after: str
    """When the money will count, in words."""
    channel: Hex | None
    state: Literal["plan", "offered", "funding", "open", "refused"]
    """`plan`: nothing was done; ask again with consent."""
    why: str


class Lock(Value, frozen=True):
    """Money of a channel that a nanocontract instance holds, and what was signed about it."""

    id: Hex
    kind: str
    """`Machine` for payments; empty if we know only its id."""
    end: NodeName | None
    """Who it is with: the channel's peer, or somebody behind it; None: a hub between two others."""
    own: Amount
    """Most of ours that it can move …"""
    peer: Amount
    """… and of theirs."""
    until: int
    """Last second for which it waits."""
    sent: Amount
    """Payments: all that we have paid by it …"""
    sent_signature: Hex
    """… by our statement …"""
    received: Amount
    """… and all that it has brought us …"""
    received_signature: Hex
    """… by theirs."""


class Proofs(Value, frozen=True):
    """What both have signed about one channel: its newest state, as the chain would be shown it."""

    channel: Hex
    role: Literal["alice", "bob"]
    """Ours."""
    version: int
    net: Signed
    """What Alice has paid Bob in all."""
    nanos: Hex
    """Hash of the list of locks, as it is signed."""
    own_holdings: Signed
    """Put in, less what was taken out."""
    peer_holdings: Signed
    own_signature: Hex
    """`0x`: nothing was signed yet, or the chain has checked it."""
    peer_signature: Hex
    locks: tuple[Lock, ...]


class Exposure(Value, frozen=True):
    """One channel: what you have, and what is yours if everybody else vanished now."""

    channel: Hex
    peer: NodeName
    asset: Account
    have: Signed
    """At the present totals."""
    alone: Amount
    """What the chain would pay you without anybody's help …"""
    alone_by: int
    """… and when the last of it, at the latest …"""
    alone_gas: int
    """… for so much gas."""
    unenforceable: Amount
    """Of what you have: below what enforcing it costs."""
    online_by: int | None
    """When you must be online again at the latest, to lose nothing; None: at no time."""
    reason: str
    """What you must be online for."""
    watchers: tuple[Watcher, ...]


class Watcher(Value, frozen=True):
    """Somebody who has acknowledged that it answers for us, and up to which state."""

    name: str
    version: int


class Tower(Value, frozen=True):
    """A tower of ours."""

    name: str
    channels: int
    """That it has acknowledged, while it sees the chain."""
    sees: int
    """Time of the newest block that it has seen; 0: not known."""
    trouble: Text
    """Why it does not watch; empty: it does."""


class Backup(Value, frozen=True):
    """A backup place of ours."""

    name: str
    entry: int
    """The newest of ours there; 0: none …"""
    of: int
    """… and how many this store has written: the difference is not signatures alone."""
    age: int | None
    """Seconds since the place last said what it has; None: never."""
    trouble: Text


class Exposures(Value, frozen=True):
    """Every channel."""

    channels: tuple[Exposure, ...]
    online_by: int | None
    """The earliest of all."""


# ----------------------------------------------------------------------------------------- payments

Step = Literal["finding", "opening", "signed", "delivered", "done", "failed", "received"]


class Payment(Value, frozen=True):
    """A payment, ours or to us: a segment of a machine's total."""

    id: Hex
    direction: Literal["out", "in"]
    peer: NodeName
    asset: Account
    amount: Amount
    step: Step
    """Ours: `finding` and `opening` have signed nothing yet; `signed` can no longer be taken back;
    `delivered`: the receiver has the money on disk; `done`: it has said for what. Theirs:
    `received`."""
    why: str
    """Progress, or the reason of a failure, in words."""
    request: Hex | None
    text: str
    machine: Hex | None
    first: Amount
    """The segment: the machine's total before …"""
    last: Amount
    """… and after."""
    created: int
    receipt: Hex | None
    """The receiver's signature over `Receipt` (docs/protocol.md)."""
    refunds: Hex | None
    """The payment that this one gives back."""
    refunded: Amount


class Request(Value, frozen=True):
    """A payment request of ours."""

    id: Hex
    uri: str
    """`perun:…`: what the payer needs, signed."""
    asset: Account
    amount: Amount
    """`0`: as much as the payer likes."""
    memo: str
    until: int
    state: Literal["open", "paid", "expired", "cancelled"]
    paid: Amount
    payer: NodeName | None
    payment: Hex | None
    created: int


class Cell(Value, frozen=True):
    """A place on a board that one can click."""

    name: str
    """What players call it: `e4`."""
    text: str
    """What stands there; empty: nothing."""
    owner: Literal["you", "them", "nobody"]
    """Whose that is."""
    types: str
    """What a click on it types; empty: nothing can be done there."""
    ends: tuple[str, ...]
    """What may follow a move that begins here and ends in the last row: one is chosen."""


class Grid(Value, frozen=True):
    """A board as a screen shows it; row by row from the upper left corner."""

    columns: int
    cells: tuple[Cell, ...]
    clicks: int
    """How many cells make a move: what they type, one after the other, is what people type."""
    checkered: bool


class Game(Value, frozen=True):
    """A game for money, or a coin flip: from the invitation until it is paid."""

    id: Hex
    """What both sides know it by from the invitation on."""
    instance: Hex | None
    """Once both have agreed."""
    game: str
    """The rules contract's name, `flip`, `throw`, or empty if we have no name for it."""
    title: str
    """What people call it."""
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    state: Literal["invited", "asked", "opening", "playing", "onChain", "finished", "over"]
    """`asked`: by them, `answer` it; `finished`: decided, and not paid yet."""
    why: str
    """What it waits for, if that is not your move; or, of one that is over and has brought nothing,
    who did not agree to it, and why."""
    amount: Amount
    """What we lose if we lose …"""
    peer_amount: Amount
    """… and what they do."""
    invited: bool
    """Whether we have invited them; who has is the rules' Alice."""
    turn: Literal["you", "them", "nobody"]
    moves: int
    """Number of the position: rises with every move."""
    position: Hex
    board: str
    """The position, drawn for a terminal."""
    grid: Grid | None
    """The same for a screen; None: there is no position yet, or no such view of it."""
    how: str
    """How a move is typed."""
    until: int
    """Last second for the next move on chain; before that, until it must be over or go there."""
    gain: Signed | None
    """What it has brought us; None: it is not decided."""
    reached: bool = True
    """Whether our invitation has come to them, as far as we know; if not, `why` says what to do."""
    began: bool = False
    """Whether ours is the first move; a rematch is a `play` with `begin` the other way round."""
    draw: Literal["you", "them", "nobody"] = "nobody"
    """Who offers a draw now: theirs stands until you move, and `draw` takes it."""


Hand = Literal["rock", "paper", "scissors"]


class Rules(Value, frozen=True):
    """A game that can be played."""

    game: str
    """The rules contract's name: what `play` takes."""
    title: str
    """What people call it."""
    rules: Account
    """Where the contract stands."""
    how: str
    """How a move is typed."""
    moves: int
    """Most moves from the beginning to the end, as the rules say themselves."""


DealState = Literal["invited", "asked", "opening", "open", "onChain", "decided", "over"]
"""`asked`: by them, `answer` it; `decided`: known, and not paid yet."""


class Deal(Value, frozen=True):
    """A deal in escrow, from the invitation until it is paid. Gains are ours: below 0 we pay."""

    id: Hex
    """What both sides know it by from the invitation on."""
    instance: Hex | None
    """What the arbiter signs about; once both have agreed."""
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    arbiter: Account
    """The key that may share out both sides' money."""
    state: DealState
    amount: Amount
    """The most that we can lose …"""
    peer_amount: Amount
    """… and they."""
    invited: bool
    """Whether we have invited them; who has is Alice in what the arbiter signs."""
    late_gain: Signed
    """If nobody has said anything by …"""
    due: int
    """… then."""
    until: int
    """Last second to bring anything to the chain."""
    awards: tuple[Signed, ...]
    """By the arbiter; two void each other."""
    offered: Signed | None
    """At what we let it go …"""
    peer_offered: Signed | None
    """… and they."""
    gain: Signed | None
    """What it has brought us; None: it is not decided."""
    why: str = ""
    """What an invitation waits for; or who did not agree to it, and why."""
    reached: bool = True
    """Whether our invitation has come to them, as far as we know; if not, `why` says what to do."""


class Bet(Value, frozen=True):
    """A bet on a price, from the invitation until it is paid. Gains are ours: below 0 we pay."""

    id: Hex
    """What both sides know it by from the invitation on."""
    instance: Hex | None
    """Once both have agreed."""
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    reporter: Account
    """The key whose price decides, and which both have to trust."""
    feed: str
    """What is priced, as the reporter names it: a name, or 32 bytes in hex."""
    time: int
    """The second whose price counts."""
    strike: Signed
    """The price at which nothing moves, in the feed's own unit …"""
    slope: Signed
    """… and what it brings us for each `scale` above it."""
    scale: Amount
    state: DealState
    amount: Amount
    """The most that we can lose …"""
    peer_amount: Amount
    """… and they."""
    invited: bool
    """Whether we have invited them."""
    until: int
    """Last second to bring a price to the chain; without one nothing moves."""
    prices: tuple[Signed, ...]
    """By the reporter, as far as we know; two by which different amounts move void each other."""
    gain: Signed | None
    """What it has brought us; None: it is not decided."""
    why: str = ""
    """What an invitation waits for."""
    reached: bool = True
    """Whether our invitation has come to them, as far as we know; if not, `why` says what to do."""


LockState = Literal["invited", "opening", "open", "shown", "onChain", "decided", "over"]
"""`open`: fully signed; `shown`: the secret is known, both agree on the end; `decided`: by the
chain, not paid yet."""


class HashLock(Value, frozen=True):
    """A payment that happens if a secret is shown in time."""

    id: Hex
    """What both sides know it by from the invitation on."""
    instance: Hex | None
    """Once both have agreed."""
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    pays: bool
    """Whether we pay; else we are paid."""
    amount: Amount
    hash: Hex
    """keccak256 of the secret."""
    secret: Hex | None
    """If it is known."""
    state: LockState
    until: int
    """Last second to show the secret on chain."""
    gain: Signed | None
    """What it has brought us; None: it is not over."""
    why: str = ""
    """What an invitation waits for."""
    reached: bool = True
    """Whether our invitation has come to them, as far as we know; if not, `why` says what to do."""


class Stream(Value, frozen=True):
    """A stream: payments of one tick each, from the invitation until it is paid out."""

    id: Hex
    """What both sides know it by from the invitation on."""
    instance: Hex | None
    """Once both have agreed."""
    peer: NodeName
    name: str
    """Of the contact; empty if it is none."""
    asset: Account
    pays: bool
    """Whether we pay in it; else we are paid."""
    state: Literal["invited", "opening", "open", "stopping", "onChain", "decided", "over"]
    """`stopping`: no more is paid, both agree on the end; `decided`: by the chain, not paid yet."""
    amount: Amount
    """The most that it pays."""
    tick_amount: Amount
    paid: Amount
    """Given away by us, or come to us."""
    held: Amount
    """What the payee has said that it has on disk."""
    left: Amount
    """What it can still pay."""
    ticks: int
    """Those that our node pays by itself …"""
    every: int
    """… every so many seconds; 0: none."""
    until: int
    """Last second to bring a tick to the chain; it is ended before."""
    gain: Signed | None
    """What it has brought us; None: it is not over."""
    why: str = ""
    """What an invitation waits for, who did not agree to it, or why nothing flows now."""
    reached: bool = True
    """Whether our invitation has come to them, as far as we know; if not, `why` says what to do."""


class Offer(Value, frozen=True):
    """Something a peer wants that waits for our word."""

    id: Hex
    kind: Literal["channel", "proposal", "game", "deal", "bet"]
    peer: NodeName
    asset: Account
    text: str
    own_amount: Amount
    """Channel: what it asks us to put in; game: what we lose if we lose."""
    peer_amount: Amount
    loses: Amount
    """Proposal: what it takes from us."""
    until: int | None


class Done(Value, frozen=True):
    """An errand was taken up; events tell how it goes."""

    id: Hex
    """The channel it is about; or the asset."""
    state: str
    text: str
    """What happens now, in words."""
    over: bool = False
    """Nothing more comes of it."""


class Answered(Value, frozen=True):
    """An offer was answered."""

    accepted: bool


# ------------------------------------------------------------------------------------------- events


class Event(Value, frozen=True):
    """Something that has become true, with its number; after it is on disk."""

    number: int
    time: int
    kind: str
    about: Hex
    """Channel, machine, payment or request; empty if it is about the node."""
    data: dict[str, Any]


class Subscribed(Value, frozen=True):
    """Events up to `event` are in what snapshots show; those after it will be sent."""

    subscription: str
    event: int
