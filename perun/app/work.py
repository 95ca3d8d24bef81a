"""What the parts of the program share while the node works on a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from perun.app import values as v
from perun.app.methods import Params, Scope
from perun.app.routes import Path
from perun.app.rows import Event, Income, Payment
from perun.app.settings import Settings
from perun.app.shelf import Shelf
from perun.core.books import Books
from perun.core.config import Config
from perun.core.rules.accounting import free_money, reliable_holdings
from perun.core.state import ChannelView, PeerId
from perun.core.states.content import agreed_content
from perun.core.states.valuation import balance
from perun.encoding.addresses import show_node_id
from perun.encoding.packing import pack
from perun.encoding.records import Extra
from perun.errors import BrokenInvariant, PerunError
from perun.node.guest import Desk
from perun.types import Asset, MachineId, Salt, UnixTime, Wei

__all__ = ["Ask", "Caller", "Reach", "Reply", "Work", "plain"]

Reply = Callable[[Any], None]
"""Takes a result, or the `PerunError` that there is instead; once all of it is on disk."""


class Reach(Protocol):
    """Tells the wire where a node is to be found."""

    def __call__(self, peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
        """Args:
        token: shows the node why it should talk to us, before it knows us.
        stay: whether to call it again whenever it is lost.
        """


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what its token is good for."""

    token: str = ""
    """Its name; empty: no limit."""
    scope: Scope = Scope.ALL
    limits: dict[Asset, Wei] = field(default_factory=dict)
    """For `Scope.SPEND`: most of each asset in 24 hours; an asset that is not here is 0."""
    outside: Wei | None = None
    """What our account has on chain, if somebody has looked: for what costs a transaction."""


class Ask(msgspec.Struct, frozen=True):
    """A method to be carried out."""

    method: str
    params: Params
    reply: Reply
    caller: Caller = Caller()
    push: Callable[[list[v.Event]], None] | None = None
    """Takes events, of a subscription."""

    def fail(self, error: Exception) -> None:
        """Answers with what went wrong; a bug, too: whoever asked must not wait in vain."""
        if not isinstance(error, PerunError):
            error = BrokenInvariant(f"{type(error).__name__}: {error}")
        self.reply(error)


@dataclass(slots=True)
class Work:
    """A turn's desk, and what is remembered."""

    desk: Desk
    shelf: Shelf
    settings: Settings
    random: Callable[[], Salt]
    reach: Reach
    changed: dict[int, Payment]
    """Payments whose step changed in this turn, by number, as they are now: told at its end."""
    path: Callable[[PeerId], Path] = lambda _: ()
    """Over which hubs somebody is reached who is behind another one than ours."""
    delivered: dict[MachineId, Wei] = field(default_factory=dict)
    """Totals that payees have said they have, in this turn."""
    met: set[PeerId] = field(default_factory=set)
    """Who has talked to us since we started."""
    books: Books = field(init=False)
    """What the core knows."""

    def __post_init__(self) -> None:
        self.books = self.desk.books

    @property
    def config(self) -> Config:
        """What the core was told."""
        return self.books.config

    @property
    def now(self) -> UnixTime:
        """What our own clock has counted, to measure how long something waits."""
        return self.books.chain.clock

    @property
    def date(self) -> UnixTime:
        """What our own clock shows: the time for people, and for the end of a request."""
        return self.books.chain.wall

    @property
    def me(self) -> PeerId:
        """Our node id."""
        return self.config.identity.peer

    def put(self, row: Extra) -> None:
        """Stores a row with this turn."""
        self.shelf.put(row)
        self.desk.put(row)

    def drop(self, row: Extra) -> None:
        """Forgets a row with this turn."""
        self.shelf.drop(row)
        self.desk.drop(row)

    def event(self, kind: str, about: bytes, data: dict[str, Any] | msgspec.Struct) -> None:
        """Something has become true."""
        self._keep(kind, about, msgspec.json.encode(data))

    def event_of(self, kind: str, row: Payment | Income) -> None:
        """Something has become true of a payment: most often nobody looks at it."""
        self._keep(kind, row.id, pack(row))

    def _keep(self, kind: str, about: bytes, data: bytes) -> None:
        self.put(Event(self.shelf.next_event, self.date, kind, about, data))

    def name(self, peer: PeerId) -> str:
        """How our user calls a node."""
        contact = self.shelf.names.get(peer)
        return contact.name if contact is not None else show_node_id(peer)

    def free(self, view: ChannelView) -> int:
        """Our money in a channel that nothing locks."""
        return max(0, balance(self.books, view).free)

    def free_of_peer(self, view: ChannelView) -> int:
        """The peer's money in a channel that nothing locks."""
        net, nanos = agreed_content(view)
        return max(0, free_money(reliable_holdings(view), net, nanos, view.role.other))


def plain(error: PerunError) -> str:
    """The message of an error, for a row."""
    return str(error)[:400]


def most(values: Iterable[int]) -> int:
    """The greatest, or 0."""
    return max(values, default=0)
