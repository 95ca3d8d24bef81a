"""The one list of methods: what each takes, answers, and whom it is for.

Command line, HTTP, WebSocket, clients and the page all speak these; the OpenRPC document is made of
them. Scopes: `read` looks; `receive` makes requests; `spend` pays, bounded; `all` is everything.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from perun.app.values import (
    Account,
    Amount,
    Answered,
    Backup,
    Bet,
    Channel,
    Contact,
    Deal,
    Done,
    Event,
    Exposures,
    Game,
    Hand,
    HashLock,
    Hex,
    Key,
    Network,
    NodeName,
    Offer,
    Opening,
    Payment,
    Proofs,
    Request,
    Rules,
    Signed,
    Status,
    Stream,
    Subscribed,
    Text,
    Tower,
    Value,
)

__all__ = ["METHODS", "Method", "Params", "Scope"]


MOST_NUMBER: Final = 2**53 - 1
"""Of an event: what every JSON reader takes, and every store."""


class Scope(enum.IntEnum):
    """What a token is good for; each includes those before it."""

    READ = 0
    RECEIVE = 1
    SPEND = 2
    ALL = 3


class Params(Value, frozen=True):
    """Base of what methods take."""


class Spending(Params, frozen=True):
    """Base of what moves money."""

    idempotency_key: Key
    """The same key again gives the first answer; with other parameters it is an error."""


# ------------------------------------------------------------------------------------------ looking


class GetStatus(Params, frozen=True):
    """Who am I, where, what is mine, what is wrong, what to do about it."""


class GetNetworks(Params, frozen=True):
    """The networks that this program knows, and which one this node is on."""


class GetContacts(Params, frozen=True):
    """Everybody whom we gave a name."""


class AddContact(Params, frozen=True):
    """Gives a node a name, or changes what is known of it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    node: NodeName
    """`perun1…`, or `perun1…@host`."""
    account: Account | None = None


class RemoveContact(Params, frozen=True):
    """Forgets a name."""

    name: Text


class GetChannels(Params, frozen=True):
    """Every channel that has not ended; or all."""

    ended: bool = False


class GetExposure(Params, frozen=True):
    """For every channel: what is yours, and what of it if everybody else vanished now."""


class GetProofs(Params, frozen=True):
    """The newest state of a channel, with both signatures and all statements."""

    channel: Hex


class GetTowers(Params, frozen=True):
    """Who watches for us while we are offline, and how far it sees."""


class GetBackups(Params, frozen=True):
    """Where this store is backed up, and how far."""


class GetPayments(Params, frozen=True):
    """Payments, the newest first."""

    direction: Literal["out", "in", "both"] = "both"
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    before: int | None = None
    """Only those made before this Unix second."""


class GetPayment(Params, frozen=True):
    """One payment, by its id or by the key it was made with."""

    id: Hex | None = None
    idempotency_key: Key | None = None


class GetRequests(Params, frozen=True):
    """Requests of ours, the newest first."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class GetOffers(Params, frozen=True):
    """What peers want that waits for our word."""


class GetEvents(Params, frozen=True):
    """Events after a number."""

    since: Annotated[int, msgspec.Meta(ge=0, le=MOST_NUMBER)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=10000)] = 1000
    wait: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0
    """Seconds after which none are answered, if there are none."""


class Subscribe(Params, frozen=True):
    """Sends events from now on, or those after `since` first; over a WebSocket only."""

    since: Annotated[int, msgspec.Meta(ge=0, le=MOST_NUMBER)] | None = None
    kinds: Annotated[tuple[Text, ...], msgspec.Meta(max_length=64)] = ()
    """Only these; empty: all."""


class Unsubscribe(Params, frozen=True):
    """Ends a subscription."""

    subscription: str


# ---------------------------------------------------------------------------------------- receiving


class MakeRequest(Params, frozen=True):
    """Asks for money, by a signed `perun:` URI that can be paid once."""

    amount: Amount = "0"
    """`0`: as much as the payer likes."""
    asset: Account | None = None
    """None: ETH."""
    memo: Text = ""
    seconds: Annotated[int, msgspec.Meta(ge=10, le=31_536_000)] = 3_600
    """How long it can be paid."""
    relay: NodeName | None = None
    """The hub to reach us over; None: one that we have a channel with."""
    idempotency_key: Key | None = None


class CancelRequest(Params, frozen=True):
    """Takes no more money for a request."""

    id: Hex


# ------------------------------------------------------------------------------------------- paying


class Pay(Spending, frozen=True):
    """Pays somebody, or a request: finds the way, pays, waits for the receiver's word."""

    to: Annotated[str, msgspec.Meta(min_length=1, max_length=2048)]
    """A node id, an address, a contact's name, or a `perun:` request."""
    amount: Amount | None = None
    """None: what the request says."""
    text: Text = ""
    """For the receiver."""
    asset: Account | None = None
    """None: what the request says, else ETH."""
    wait: Annotated[int, msgspec.Meta(ge=0, le=600)] = 30
    """Seconds to wait for the end; the payment goes on after that."""


class Refund(Spending, frozen=True):
    """Gives back a payment that we received, whole or in part."""

    payment: Hex
    amount: Amount | None = None
    """None: all of it that was not given back yet."""
    text: Text = ""
    wait: Annotated[int, msgspec.Meta(ge=0, le=600)] = 30


# ------------------------------------------------------------------------------------------ playing


class GetGames(Params, frozen=True):
    """Games and flips: invitations, what is played, what has ended lately; or one of them."""

    id: Hex | None = None


class GetRules(Params, frozen=True):
    """Every game that can be played, also by rules named since the start."""


class Play(Spending, frozen=True):
    """Invites somebody to a game for money; nothing is locked before they agree (`answer`)."""

    to: NodeName
    game: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    """The rules contract's name, such as `TicTacToe`."""
    amount: Amount
    """Our stake."""
    peer_amount: Amount | None = None
    """Theirs; None: the same."""
    begin: bool = True
    """Whether we make the first move."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 3_600
    """After so long it is over, or goes to the chain."""
    bank: Annotated[int, msgspec.Meta(ge=60, le=1_048_575)] | None = None
    """Seconds that each side has for all its moves on chain, if it comes to that; None: enough."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class Move(Spending, frozen=True):
    """Makes a move in a game; off chain, or on chain if it is played there."""

    id: Hex
    move: Annotated[str, msgspec.Meta(min_length=1, max_length=9_000)]
    """As people type it, see `how` of the game; or its bytes in hex, 0x…"""


class Resign(Spending, frozen=True):
    """Gives a game up: our stake is lost."""

    id: Hex


class Draw(Spending, frozen=True):
    """Takes the draw that they offer in a game, or offers one, in our turn by our next move."""

    id: Hex


class CallClock(Spending, frozen=True):
    """Takes a game to the chain, where the other side has to move in time."""

    id: Hex


class Flip(Spending, frozen=True):
    """Flips a coin with somebody whose policy allows it, at fair odds."""

    to: NodeName
    amount: Amount
    """Our stake."""
    peer_amount: Amount | None = None
    """Theirs; None: the same. The odds follow from both."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 3_600
    """Until when a secret must be said, if it comes to the chain."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class Throw(Spending, frozen=True):
    """Invites somebody to rock, paper, scissors; they see your hand once theirs is fixed."""

    to: NodeName
    hand: Hand
    amount: Amount
    """Our stake."""
    peer_amount: Amount | None = None
    """Theirs; None: the same."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 3_600
    """Until when a hand must be shown, if it comes to the chain."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class GetDeals(Params, frozen=True):
    """Deals in escrow: invitations, what is locked, what has ended lately; or one of them."""

    id: Hex | None = None


class Escrow(Spending, frozen=True):
    """Invites somebody to a deal in escrow; nothing is locked before they agree (`answer`)."""

    to: NodeName
    amount: Amount
    """What we put in."""
    arbiter: Account
    """Whose key may give away all of it, to either side."""
    peer_amount: Amount | None = "0"
    """What they put in; None: the same."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 604_800
    """Until when anything must be brought to the chain, if it comes to that."""
    due: Annotated[int, msgspec.Meta(ge=0, le=31_536_000)] = 259_200
    """After so many seconds it is late."""
    late_gain: Signed = "0"
    """What it then brings us; below 0: it pays them."""


class BringAward(Spending, frozen=True):
    """Brings the arbiter's word about a deal."""

    id: Hex
    shift: Signed
    """As signed: what moves from who has invited to who was invited."""
    signature: Hex


class LetGo(Spending, frozen=True):
    """Lets a deal go at this gain of ours, once they say the same or it gives them all."""

    id: Hex
    gain: Signed


class GetBets(Params, frozen=True):
    """Bets on a price: invitations, what is locked, what has ended lately; or one of them."""

    id: Hex | None = None


class OfferBet(Spending, frozen=True):
    """Invites somebody to a bet on a price; nothing is locked before they agree (`answer`)."""

    to: NodeName
    amount: Amount
    """The most that we can lose."""
    reporter: Account
    """Whose key signs the price: it can give all of it away, to either side."""
    feed: Annotated[str, msgspec.Meta(min_length=1, max_length=66)]
    """What is priced, as the reporter names it: up to 32 bytes of text, or 32 in hex."""
    time: Annotated[int, msgspec.Meta(ge=0, le=2**40 - 1)]
    """The Unix second whose price counts."""
    strike: Signed
    """The price at which nothing moves, in the feed's own unit."""
    slope: Signed
    """What it brings us for each `scale` above it; below 0: what it costs us."""
    scale: Amount = "1"
    peer_amount: Amount | None = None
    """The most that they can lose; None: the same."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 86_400
    """After `time`, in which a price must be brought; without one nothing moves."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class BringPrice(Spending, frozen=True):
    """Brings a price that the reporter has signed for a bet's feed and second."""

    id: Hex
    price: Signed
    signature: Hex


class GetStreams(Params, frozen=True):
    """Streams: invitations, what flows to or from us, what has ended lately; or one."""

    id: Hex | None = None


Ticks = Annotated[int, msgspec.Meta(ge=1, le=2**32)]
Every = Annotated[int, msgspec.Meta(ge=0, le=31_536_000)]
"""Seconds; 0: not by itself."""


class OpenStream(Spending, frozen=True):
    """Invites somebody to be paid by us tick by tick; locked as soon as their node agrees."""

    peer_amount: ClassVar[str] = "0"

    to: NodeName
    amount: Amount
    """The most that it can bring them; what is not paid comes back."""
    tick_amount: Amount
    """What a tick pays."""
    every: Every = 0
    """Our node pays by itself so often …"""
    ticks: Ticks = 1
    """… so many ticks."""
    asset: Account | None = None
    """None: ETH."""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=31_536_000)] = 86_400
    """After so long it is over, or goes to the chain."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class PayTicks(Spending, frozen=True):
    """Pays so many ticks of a stream now, at once for all that come together."""

    id: Hex
    ticks: Ticks = 1


class RunStream(Spending, frozen=True):
    """From now on our node pays in a stream by itself; `every` 0: no longer."""

    id: Hex
    every: Every
    """Seconds between; each time …"""
    ticks: Ticks = 1
    """… so many ticks."""


class StopStream(Spending, frozen=True):
    """Ends a stream at what was paid; either side may. The rest is free again."""

    id: Hex


# ----------------------------------------------------------------------------------------- channels


class Open(Spending, frozen=True):
    """A channel with a hub or a person. Without `consent` it only says what that means."""

    peer: NodeName
    amount: Amount
    asset: Account | None = None
    """None: ETH."""
    peer_amount: Amount = "0"
    """What the peer is asked to put in."""
    draw: bool = False
    """The peer's share out of its credit, in the one transaction that we send."""
    fee: Amount = "0"
    """What we pay the peer for its share, by the first state."""
    account: Account | None = None
    """The peer's; None: as its contact or card says, else the address of its node key."""
    challenge: int | None = None
    """Seconds; None: the least that the limits of this chain allow."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it: a person talks to
    no strangers."""
    consent: bool = False


class TopUp(Spending, frozen=True):
    """More money of ours into a channel, by a transaction."""

    channel: Hex
    amount: Amount


class Withdraw(Spending, frozen=True):
    """Money out of an open channel to our account, with the peer's consent."""

    channel: Hex
    amount: Amount


class Close(Spending, frozen=True):
    """Ends a channel by agreement: machines are taken out first, then one transaction pays."""

    channel: Hex


class Leave(Spending, frozen=True):
    """Ends a channel through the chain, alone against everybody."""

    channel: Hex


class Claim(Spending, frozen=True):
    """Takes credit out of the contract."""

    asset: Account | None = None
    """None: ETH."""
    amount: Amount | None = None
    """None: all of it."""
    to: Account | None = None
    """None: our account; another one needs a token for everything."""


class Answer(Params, frozen=True):
    """Yes or no to an offer."""

    offer: Hex
    accept: bool
    idempotency_key: Key | None = None
    hand: Hand | None = None
    """In rock, paper, scissors: ours; None: by chance."""


class GetLocks(Params, frozen=True):
    """Hash locks: invitations, what is locked, what has ended lately; or one."""

    id: Hex | None = None


class LockMoney(Spending, frozen=True):
    """Pays somebody if the secret of a hash is shown in time; until then it counts as paid."""

    peer_amount: ClassVar[str] = "0"

    to: NodeName
    amount: Amount
    hash: Hex
    """keccak256 of the 32 bytes of the secret."""
    until: int
    """Last second, by the chain's clock, in which it may be shown there."""
    asset: Account | None = None
    """None: ETH."""
    invitation: Hex | None = None
    """The id of an open request of the peer's, which lets in whoever shows it."""


class ShowSecret(Spending, frozen=True):
    """Takes a lock that pays us by its secret: off chain, or on chain if they are silent."""

    id: Hex
    secret: Hex
    """32 bytes."""


class Method(msgspec.Struct, frozen=True):
    """One method of the list."""

    name: str
    params: type[Params]
    result: Any
    scope: Scope

    @property
    def summary(self) -> str:
        """What it does, in a line or two."""
        return " ".join((self.params.__doc__ or "").split())


_LIST: Final = (
    Method("status", GetStatus, Status, Scope.READ),
    Method("networks", GetNetworks, tuple[Network, ...], Scope.READ),
    Method("contacts", GetContacts, tuple[Contact, ...], Scope.READ),
    Method("addContact", AddContact, Contact, Scope.ALL),
    Method("removeContact", RemoveContact, Done, Scope.ALL),
    Method("channels", GetChannels, tuple[Channel, ...], Scope.READ),
    Method("exposure", GetExposure, Exposures, Scope.READ),
    Method("proofs", GetProofs, Proofs, Scope.READ),
    Method("towers", GetTowers, tuple[Tower, ...], Scope.READ),
    Method("backups", GetBackups, tuple[Backup, ...], Scope.READ),
    Method("payments", GetPayments, tuple[Payment, ...], Scope.READ),
    Method("payment", GetPayment, Payment, Scope.READ),
    Method("requests", GetRequests, tuple[Request, ...], Scope.READ),
    Method("offers", GetOffers, tuple[Offer, ...], Scope.READ),
    Method("events", GetEvents, tuple[Event, ...], Scope.READ),
    Method("subscribe", Subscribe, Subscribed, Scope.READ),
    Method("unsubscribe", Unsubscribe, Done, Scope.READ),
    Method("request", MakeRequest, Request, Scope.RECEIVE),
    Method("cancelRequest", CancelRequest, Request, Scope.RECEIVE),
    Method("pay", Pay, Payment, Scope.SPEND),
    Method("refund", Refund, Payment, Scope.SPEND),
    Method("games", GetGames, tuple[Game, ...], Scope.READ),
    Method("rules", GetRules, tuple[Rules, ...], Scope.READ),
    Method("play", Play, Game, Scope.SPEND),
    Method("move", Move, Game, Scope.SPEND),
    Method("resign", Resign, Game, Scope.SPEND),
    Method("draw", Draw, Game, Scope.SPEND),
    Method("callClock", CallClock, Game, Scope.SPEND),
    Method("flip", Flip, Game, Scope.SPEND),
    Method("throw", Throw, Game, Scope.SPEND),
    Method("deals", GetDeals, tuple[Deal, ...], Scope.READ),
    Method("escrow", Escrow, Deal, Scope.SPEND),
    Method("bringAward", BringAward, Deal, Scope.SPEND),
    Method("letGo", LetGo, Deal, Scope.SPEND),
    Method("bets", GetBets, tuple[Bet, ...], Scope.READ),
    Method("bet", OfferBet, Bet, Scope.SPEND),
    Method("bringPrice", BringPrice, Bet, Scope.SPEND),
    Method("streams", GetStreams, tuple[Stream, ...], Scope.READ),
    Method("stream", OpenStream, Stream, Scope.SPEND),
    Method("tick", PayTicks, Stream, Scope.SPEND),
    Method("runStream", RunStream, Stream, Scope.SPEND),
    Method("stopStream", StopStream, Stream, Scope.SPEND),
    Method("locks", GetLocks, tuple[HashLock, ...], Scope.READ),
    Method("lock", LockMoney, HashLock, Scope.SPEND),
    Method("showSecret", ShowSecret, HashLock, Scope.SPEND),
    Method("open", Open, Opening, Scope.SPEND),
    Method("topUp", TopUp, Done, Scope.SPEND),
    Method("withdraw", Withdraw, Done, Scope.SPEND),
    Method("close", Close, Done, Scope.SPEND),
    Method("leave", Leave, Done, Scope.SPEND),
    Method("claim", Claim, Done, Scope.SPEND),
    Method("answer", Answer, Answered, Scope.ALL),
)

METHODS: Final[dict[str, Method]] = {method.name: method for method in _LIST}
"""By name."""
