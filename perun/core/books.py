"""All records of one node, and what a step wants done to them.

Core functions read `Books` and never write it: they collect what changes in a `Draft`, whose
`step()` the runtime stores and then applies. A `Draft` shows its own changes to whoever asks it, so
that one step can go through several hands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from perun.core.chain_view import ChainView
from perun.core.config import Config
from perun.core.effects import (
    Effect,
    Notify,
    Send,
    Sign,
    SignItem,
    Submit,
    Transaction,
    Watch,
)
from perun.core.faults import Unknown
from perun.core.indexes import Indexes
from perun.core.notices import Notice
from perun.core.rulebook import NO_RULES, Rulebook
from perun.core.signing import Checker
from perun.core.state import (
    ChannelView,
    Credit,
    HubInstance,
    InstanceView,
    Invitation,
    LegStatus,
    PeerId,
    StoreMark,
    Totals,
)
from perun.encoding.messages import Message
from perun.encoding.records import Extra
from perun.errors import Misuse, PeerFault
from perun.types import Address, ChannelId, InstanceId, Record, Salt, UnixTime, Wei

__all__ = ["Books", "Draft", "Row", "Step", "key_of", "row_key"]

Row = (
    ChannelView
    | InstanceView
    | Totals
    | HubInstance
    | Invitation
    | Credit
    | ChainView
    | StoreMark
    | Extra
)
"""Records that are stored, each in a row of its own; the core writes no `Extra`."""


_KEYS: Final[dict[type, Callable[[Any], bytes]]] = {
    Totals: attrgetter("machine"),
    ChannelView: attrgetter("id"),
    InstanceView: attrgetter("id"),
    HubInstance: attrgetter("id"),
    Invitation: attrgetter("id"),
    StoreMark: attrgetter("id"),
    Credit: lambda row: row.asset + row.account,
    ChainView: lambda _: b"",
}


_KEY_OF_EXTRA: Final[Callable[[Any], bytes]] = attrgetter("row_key")


def key_of(kind: type) -> Callable[[Any], bytes]:
    """What says by what rows of a kind are found, among their kind."""
    return _KEYS.get(kind, _KEY_OF_EXTRA)


def row_key(row: Row) -> bytes:
    """What a row is found by, among rows of its kind."""
    return _KEYS.get(type(row), _KEY_OF_EXTRA)(row)


class Step(Record, frozen=True, gc=False):
    """Rows to store, rows to forget, and then what to do, in order."""

    writes: tuple[Row, ...] = ()
    effects: tuple[Effect, ...] = ()
    drops: tuple[Row, ...] = ()


class Books:
    """One node's records. The core only reads; `apply` is for the runtime, after storing."""

    __slots__ = (
        "chain",
        "channels",
        "checker",
        "config",
        "credits",
        "ends",
        "exit_only",
        "hub_instances",
        "indexes",
        "instances",
        "invitations",
        "rules",
        "totals",
        "unsigned",
        "used",
    )

    def __init__(
        self, config: Config, *, exit_only: bool = False, rules: Rulebook = NO_RULES
    ) -> None:
        self.config = config
        self.rules = rules
        """The games that we play, as their code has them."""
        self.checker = Checker(config.deployment)
        self.exit_only = exit_only
        self.chain = ChainView()
        self.channels: dict[ChannelId, ChannelView] = {}
        self.instances: dict[InstanceId, InstanceView] = {}
        # Kept by `load` and `apply`.
        self.indexes = Indexes()
        self.unsigned: dict[PeerId, set[InstanceId]] = {}
        """Instances of which nothing is signed yet, by their other end; a hub's by nobody."""
        self.ends: Counter[PeerId] = Counter()
        """How many instances and invitations there are with each end …"""
        self.used: Counter[ChannelId] = Counter()
        """… and in each channel."""
        self.totals: dict[InstanceId, Totals] = {}
        self.hub_instances: dict[InstanceId, HubInstance] = {}
        self.invitations: dict[Salt, Invitation] = {}
        self.credits: dict[tuple[Address, Address], Credit] = {}

    def apply(self, step: Step) -> None:
        """Takes over what a step changed."""
        for row in step.writes:
            self.load(row)
        for row in step.drops:
            if type(row) is Invitation:
                self._forget_end(self.invitations.pop(row.id, None))
            elif type(row) is HubInstance:
                self.hub_instances.pop(row.id, None)
            elif type(row) is InstanceView:
                self._forget_end(self.instances.pop(row.id, None))
                self._forget_unsigned(row)
            elif type(row) is Totals:
                self.totals.pop(row.machine, None)
            elif type(row) is ChannelView and row.id in self.channels:
                self.indexes.drop(self.channels.pop(row.id))

    def load(self, row: Row) -> None:
        """Takes one row over, from a step or from the store."""
        # No record has subclasses, and asking for the very type takes a tenth of `isinstance`.
        if type(row) is Totals:
            self.totals[row.machine] = row
        elif type(row) is ChannelView:
            self.indexes.put(self.channels.get(row.id), row)
            self.channels[row.id] = row
        elif type(row) is InstanceView:
            if row.id not in self.instances:
                self.ends[row.end] += 1
                self.used.update(leg.channel for leg in row.legs)
            self.instances[row.id] = row
            if row.legs[0].status is LegStatus.NEW:
                self.unsigned.setdefault(row.end, set()).add(row.id)
            elif row.end in self.unsigned:
                self._forget_unsigned(row)
        elif type(row) is HubInstance:
            self.hub_instances[row.id] = row
        elif type(row) is Invitation:
            if row.id not in self.invitations:
                self.ends[row.end] += 1
                self.used[row.channel] += 1
            self.invitations[row.id] = row
        elif type(row) is ChainView:
            self.chain = row
        elif type(row) is Credit:
            self.credits[row.asset, row.account] = row
        elif type(row) is StoreMark:
            self.exit_only = True

    def _forget_end(self, row: InstanceView | Invitation | None) -> None:
        if row is None:
            return
        places = [leg.channel for leg in row.legs] if isinstance(row, InstanceView) else []
        places += [row.channel] if isinstance(row, Invitation) else []
        self.ends[row.end] -= 1
        if not self.ends[row.end]:
            del self.ends[row.end]
        for place in places:
            self.used[place] -= 1
            if not self.used[place]:
                del self.used[place]

    def _forget_unsigned(self, row: InstanceView) -> None:
        waiting = self.unsigned.get(row.end)
        if waiting is not None:
            waiting.discard(row.id)
            if not waiting:
                del self.unsigned[row.end]


class Draft:
    """The changes of one step, seen through to the books below."""

    __slots__ = (
        "_channels",
        "_drops",
        "_effects",
        "_instances",
        "_rows",
        "books",
        "chain",
        "checker",
        "config",
        "exit_only",
    )

    def __init__(self, books: Books) -> None:
        self.books = books
        self.checker = books.checker
        self.config = books.config
        self.chain = books.chain
        self.exit_only = books.exit_only
        """Whether the store is, or has turned out to be in this very step."""
        # Two kinds are asked for all the time, so each has a place of its own.
        self._channels: dict[ChannelId, ChannelView] = {}
        self._instances: dict[InstanceId, InstanceView] = {}
        self._rows: dict[tuple[type, bytes], Row] = {}
        self._drops: list[Row] = []
        self._effects: list[Effect] = []

    @property
    def now(self) -> UnixTime:
        """Timestamp of the newest block: `now` in the protocol's rules."""
        return self.chain.head_time

    # ------------------------------------------------------------------------------------ reading

    def channel(self, id: ChannelId) -> ChannelView:
        """Raises `Unknown`."""
        row = self._channels.get(id) or self.books.channels.get(id)
        if row is None or (self._drops and self._is_dropped(id)):
            raise Unknown("channel", id)
        return row

    def _is_dropped(self, id: ChannelId) -> bool:
        return any(type(row) is ChannelView and row.id == id for row in self._drops)

    def find_instance(self, id: InstanceId) -> InstanceView | None:
        """None if we have never heard of it."""
        return self._instances.get(id) or self.books.instances.get(id)

    def instance(self, id: InstanceId) -> InstanceView:
        """Raises `Unknown`."""
        row = self._instances.get(id) or self.books.instances.get(id)
        if row is None:
            raise Unknown("instance", id)
        return row

    def totals(self, id: InstanceId) -> Totals:
        """All zero if nothing was paid."""
        row = self._rows.get((Totals, id)) or self.books.totals.get(id)
        if row is None:
            return Totals(id)
        assert isinstance(row, Totals)
        return row

    def hub_instance(self, id: InstanceId) -> HubInstance | None:
        """None if it does not cross us."""
        row = self._rows.get((HubInstance, id)) or self.books.hub_instances.get(id)
        assert row is None or isinstance(row, HubInstance)
        return row

    # ------------------------------------------------------------------------------------ writing

    def put(self, row: Row) -> None:
        """Store this row with the step."""
        if type(row) is ChannelView:
            self._channels[row.id] = row
        elif type(row) is InstanceView:
            self._instances[row.id] = row
        else:
            self._rows[type(row), row_key(row)] = row
            if type(row) is StoreMark:
                self.exit_only = True

    def drop(self, row: Row) -> None:
        """Forget this row with the step."""
        if type(row) is InstanceView:
            self._instances.pop(row.id, None)
            self.watch(Watch(instance=row.id, over=True))
        elif type(row) is ChannelView:
            self._channels.pop(row.id, None)
            self.watch(Watch(channel=row.id, over=True))
        else:
            self._rows.pop((type(row), row_key(row)), None)
        self._drops.append(row)

    def attempt(self, act: Callable[[], None]) -> None:
        """Does all of something, or none of it if it is refused.

        What goes wrong in one channel must not keep the others waiting.
        """
        rows = dict(self._channels), dict(self._instances), dict(self._rows)
        effects, drops, exit_only = len(self._effects), len(self._drops), self.exit_only
        try:
            act()
        except (Misuse, PeerFault):
            self._channels, self._instances, self._rows = rows
            self.exit_only = exit_only
            del self._effects[effects:], self._drops[drops:]

    def sign(self, *items: SignItem) -> None:
        """Ask for signatures that come back together."""
        self._effects.append(Sign(items))

    def send(self, to: PeerId, message: Message, via: PeerId = b"") -> None:
        """Say something to a peer."""
        self._effects.append(Send(to, message, via))

    def submit(
        self,
        key: bytes,
        transaction: Transaction,
        before: UnixTime | None = None,
        stake: Wei | None = None,
    ) -> None:
        """Bring a transaction to the chain."""
        self._effects.append(Submit(key, transaction, before, stake))

    def watch(self, watch: Watch) -> None:
        """Follow something on the chain."""
        self._effects.append(watch)

    def notify(self, notice: Notice) -> None:
        """Tell our user."""
        self._effects.append(Notify(notice))

    def step(self) -> Step:
        """What has come together."""
        rows = (*self._channels.values(), *self._instances.values(), *self._rows.values())
        return Step(rows, tuple(self._effects), tuple(self._drops))
