"""Why an application request is refused, for people: what happened, with values, what to do next.

Each has a number of its own, which JSON-RPC shows as `code`; those of other parts of the package
get the number of their kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from perun.core.faults import NotEnoughMoney
from perun.errors import (
    BrokenInvariant,
    ChainFault,
    Misuse,
    PeerFault,
    PerunError,
    StoreFault,
    show,
)
from perun.units import format_ether

__all__ = [
    "AccountTooPoor",
    "AccountUnknown",
    "BadParams",
    "BadRequest",
    "Forbidden",
    "Gone",
    "KeyReused",
    "NoSuch",
    "NoWay",
    "NotYet",
    "RequestAltered",
    "RequestExpired",
    "SpendLimit",
    "code_of",
    "values_of",
]


class Refusal(Misuse):
    """Base of those here."""

    code: ClassVar[int] = 1


@dataclass(eq=False)
class BadParams(Refusal):
    """What was asked is not of the form, or the sense, that the method wants."""

    why: str

    code: ClassVar[int] = -32602
    template: ClassVar[str] = "{why}"


@dataclass(eq=False)
class NoSuch(Refusal):
    """Nothing of this name or id is known here."""

    what: str
    name: str

    code: ClassVar[int] = 10
    template: ClassVar[str] = "no {what} {name}"

    @property
    def do(self) -> str:
        """Where the names are that there are."""
        return _LISTED.get(self.what, "")

    def _said(self) -> str:
        said = super()._said()
        return f"{said}; {self.do}" if self.do else said


@dataclass(eq=False)
class KeyReused(Refusal):
    """The idempotency key was used before, for something else."""

    key: str
    method: str

    code: ClassVar[int] = 11
    template: ClassVar[str] = "the idempotency key {key!r} was used for another {method}"
    hint: ClassVar[str] = "nothing was done: draw a new key for a new wish"


@dataclass(eq=False)
class NoWay(Refusal):
    """No way to pay somebody was found; nothing was signed."""

    payee: str
    amount: int
    step: str
    """Which step failed: a channel, money, the hub, the other end."""
    why: str
    do: str

    code: ClassVar[int] = 12
    template: ClassVar[str] = "no way to pay {payee} ({step}): {why}; {do}"


@dataclass(eq=False)
class AccountTooPoor(Refusal):
    """The account cannot pay for a transaction and what it brings: both in wei."""

    has: int
    needed: int

    code: ClassVar[int] = 14
    hint: ClassVar[str] = "ask for less, or send ETH to your account: `perun balance` shows it"

    def _said(self) -> str:
        has, needed = (format_ether(amount) for amount in (self.has, self.needed))
        return f"your account has {has} ETH, {needed} ETH are needed, gas included"


@dataclass(eq=False)
class AccountUnknown(Refusal):
    """A channel names both accounts, and nobody has said what the other one is."""

    node: str
    host: str

    code: ClassVar[int] = 15
    template: ClassVar[str] = (
        "the account of {node} is not known: {host} is another node, which only passes things on"
    )
    hint: ClassVar[str] = (
        "ask for the account, which `perun balance` shows there, and name it "
        "(--account, here and at `perun contacts add`)"
    )


class NotYet(NoWay):
    """There may be a way in a moment: the chain, or a peer, has not told how things stand."""


@dataclass(eq=False)
class BadRequest(Refusal):
    """A payment request that is none, or whose signature is not its payee's."""

    why: str

    code: ClassVar[int] = 20
    template: ClassVar[str] = "not a payment request: {why}"
    hint: ClassVar[str] = "ask the payee for it again; do not pay what was changed on its way"


@dataclass(eq=False)
class RequestExpired(Refusal):
    """The request could be paid until a time that is over."""

    id: bytes
    until: int
    now: int

    code: ClassVar[int] = 21
    template: ClassVar[str] = "request {id} could be paid until {until}, now it is {now}"
    hint: ClassVar[str] = "ask the payee for a new one"


@dataclass(eq=False)
class RequestAltered(Refusal):
    """The same payee asked for something else under the same id."""

    id: bytes
    field: str
    before: str
    now: str

    code: ClassVar[int] = 22
    template: ClassVar[str] = (
        "request {id} of this payee said {field} {before} before, and says {now} now"
    )
    hint: ClassVar[str] = "nothing was paid: ask the payee which of them is meant"


@dataclass(eq=False)
class Forbidden(Refusal):
    """The token is not good for this."""

    method: str
    needs: str
    has: str

    code: ClassVar[int] = 30
    template: ClassVar[str] = "{method} needs a token for {needs}, this one is for {has}"


@dataclass(eq=False)
class SpendLimit(Refusal):
    """The token would have spent more than it may within 24 hours."""

    asset: bytes
    limit: int
    spent: int
    wanted: int

    code: ClassVar[int] = 31
    template: ClassVar[str] = (
        "{wanted} wanted, {spent} spent in the last 24 hours of a limit of {limit} of {asset}"
    )
    hint: ClassVar[str] = "wait, or use a token with a higher limit"


@dataclass(eq=False)
class Gone(Refusal):
    """Events that old are not kept."""

    since: int
    oldest: int
    snapshot: int

    code: ClassVar[int] = 40
    template: ClassVar[str] = "events after {since} are gone, the oldest kept is {oldest}"
    hint: ClassVar[str] = "read status, channels, payments; then go on with events after `snapshot`"


_LISTED: Final = {
    "contact": "write a node's address, perun1…@host, or a name out of `perun contacts`",
    "channel": "`perun channels` lists yours",
    "open channel": "`perun channels` lists yours",
    "offer": "`perun offers` lists those that wait",
    "payment": "`perun payments` lists them",
    "payment to us": "`perun payments` lists what was received",
    "request": "`perun requests` lists yours",
    "game": "`perun games` lists yours",
    "deal": "`perun deals` lists yours",
    "bet": "`perun bets` lists yours",
    "stream": "`perun streams` lists yours",
    "lock": "`perun locks` lists yours",
}

_KINDS: Final = (
    (NotEnoughMoney, 13),
    (Misuse, 100),
    (PeerFault, 200),
    (ChainFault, 300),
    (StoreFault, 400),
    (BrokenInvariant, 500),
)


def code_of(error: PerunError) -> int:
    """The number that JSON-RPC shows."""
    if isinstance(error, Refusal):
        return error.code
    return next((code for kind, code in _KINDS if isinstance(error, kind)), -32603)


def values_of(error: PerunError) -> dict[str, Any]:
    """The values that disagreed, for JSON: integers as decimal strings, bytes in hex."""
    return {
        name: str(value) if isinstance(value, int | str) else show(value)
        for name, value in vars(error).items()
        if not name.startswith("_")
    }
