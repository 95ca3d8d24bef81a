"""What is locked for more than paying, of every sort: to find one, invite to it, order.

Who is invited agrees by `answer`, as to any offer. What was asked for before is known by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from perun.app.errors import NoSuch
from perun.app.inviting import Invites, reached, stakes, why_invited
from perun.app.methods import (
    BringAward,
    BringPrice,
    CallClock,
    Draw,
    LetGo,
    Move,
    PayTicks,
    Resign,
    RunStream,
    ShowSecret,
    StopStream,
)
from perun.app.rows import Errand
from perun.app.spending import digest_of, errand, known_errand
from perun.app.texts import (
    Who,
    bytes_of,
    hexed,
    show_account,
    show_node,
)
from perun.app.values import DealState
from perun.app.work import Caller, Work
from perun.core.inputs import Command, CommandRemove
from perun.core.nanocontracts.hash_chain import CommandSettle
from perun.core.nanocontracts.instances import decided_shift
from perun.core.nanocontracts.kinds import kind_of
from perun.core.notices import InstanceRefused
from perun.core.rules.accounting import gain
from perun.core.state import (
    InstanceView,
    Invitation,
    LegStatus,
    PeerId,
    Role,
    Totals,
)
from perun.types import Asset, ChannelId, Gated, Salt, Stream, Terms, Wei

__all__ = [
    "Far",
    "Locked",
    "Sort",
    "decided",
    "ending",
    "on_refused",
    "plain",
]

_REFUSED: Final = "refused"
_LATELY: Final = 86_400
"""Seconds for which it is told that something was refused."""

Far = Literal["asked", "invited", "opening", "open", "known", "onChain", "ruled", "over"]
"""`asked`, `invited`: by them, by us; `known`: both ends know what will be, though it is listed;
`ruled`: the chain has decided."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One, from the invitation until it is over; texts are as the interface has them."""

    known: bytes
    """By this both sides know it from the invitation on."""
    view: InstanceView | None
    """Once both have agreed."""
    terms: Terms
    role: Role
    peer: str
    name: str
    """Of the contact; empty if it is none."""
    asset: str
    far: Far
    shift: Wei | None
    """What moves from its Alice to its Bob, if that is known."""

    @property
    def id(self) -> str:
        """As people name it."""
        return hexed(self.known)

    @property
    def instance(self) -> str | None:
        """Its instance's id, once both have agreed."""
        return None if self.view is None else hexed(self.view.id)

    @property
    def gain(self) -> str | None:
        """What it brings us, if that is known."""
        return None if self.shift is None else str(gain(self.role, self.shift))


def decided(far: Far) -> DealState:
    """How far one is, whether the chain or both ends have decided."""
    return "decided" if far in ("ruled", "known") else far  # type: ignore[return-value]  # the others are its words


class _Shown(Protocol):
    @property
    def id(self) -> str: ...

    @property
    def instance(self) -> str | None: ...


S = TypeVar("S", bound=_Shown)


def plain(terms: Terms) -> Terms:
    """What people play, be it behind a gate or not."""
    return terms.inside if isinstance(terms, Gated) else terms


def _of_invitation(work: Work, held: Invitation) -> Locked:
    role: Role = Role.BOB if held.theirs else Role.ALICE
    far: Far = "asked" if held.theirs else "invited"
    whom = _whom(work, held.end, held.channel)
    return Locked(held.id, None, plain(held.terms), role, *whom, far, None)


def _of_instance(work: Work, instance: InstanceView) -> Locked:
    assert instance.role is not None
    known = instance.invitation or instance.id
    whom = _whom(work, instance.end, instance.legs[0].channel)
    terms, role = plain(instance.terms), instance.role
    return Locked(known, instance, terms, role, *whom, *_how_far(work, instance))


def _whom(work: Work, end: PeerId, channel: ChannelId) -> tuple[str, str, str]:
    """Whose node, his name, and in which asset."""
    contact = work.shelf.names.get(end)
    asset = work.books.channels[channel].channel.asset
    return show_node(end), "" if contact is None else contact.name, show_account(asset)


def _how_far(work: Work, instance: InstanceView) -> tuple[Far, Wei | None]:
    leg, books = instance.legs[0], work.books
    if leg.status is LegStatus.REMOVED:
        return "over", leg.removed_shift
    shift = decided_shift(instance, instance.head, books.chain.head_time)
    if shift is not None:
        return "ruled", shift
    if leg.status in (LegStatus.NEW, LegStatus.ADDING):
        return "opening", None
    totals = books.totals.get(instance.id) or Totals(instance.id)
    shift = kind_of(instance.terms).known(instance.terms, instance, totals)
    if instance.head is not None:
        return "onChain", shift
    return ("open", None) if shift is None else ("known", shift)


_Orders = (
    Move
    | Resign
    | Draw
    | CallClock
    | BringAward
    | LetGo
    | BringPrice
    | PayTicks
    | RunStream
    | StopStream
    | ShowSecret
)


@dataclass(frozen=True, slots=True)
class Sort(Generic[S]):
    """One sort of what is locked, as people use it: they invite to one, order, and look."""

    what: str
    """In words, such as "deal"."""
    kinds: tuple[type[Terms], ...]
    methods: tuple[str, ...]
    """That invite to one."""
    record: type[S]
    show: Callable[[Work, Locked], S]

    def all(self, work: Work, id: str | None) -> tuple[S, ...]:
        """Invitations, what is locked, and what has ended lately, the newest last; or the one that
        is known by an id. Raises `NoSuch`."""
        waiting = [
            one
            for one in work.books.invitations.values()
            if isinstance(plain(one.terms), self.kinds)
        ]
        found = [self._held(work, one) for one in waiting]
        found += [self._shown(work, one) for one in self._instances(work)]
        found += self._refused(work, found)
        if id is None:
            return tuple(found)
        wanted = tuple(one for one in found if id in (one.id, one.instance))
        if not wanted:
            raise NoSuch(self.what, id)
        return wanted

    def find(self, work: Work, text: str) -> InstanceView:
        """One by what it is known by, or its instance's id. Raises `NoSuch`."""
        id = bytes_of(text, 32, self.what)
        for one in self._instances(work):
            if id in (one.invitation, one.id):
                return one
        raise NoSuch(self.what, text)

    def invite(
        self,
        work: Work,
        caller: Caller,
        method: str,
        params: Invites,
        begin: Callable[[Who, Wei, Wei, Asset], Salt],
    ) -> S:
        """Our invitation, or what has become of it if it was asked for before, by its key. How it
        is shown is kept: if it is refused nothing else is left of it.

        Args:
            begin: makes it by a command, with whom and for what; its random number.
        """
        digest = digest_of(method, params)
        known = known_errand(work, params.idempotency_key, digest, method)
        if known is not None:
            return self._again(work, known)
        to, own, theirs, asset = stakes(work, caller, params)
        random = begin(to, own, theirs, asset)
        key = params.idempotency_key
        row = errand(work, caller, method, key, digest, random, asset, own, state="invited")
        shown = self._held(work, work.books.invitations[random])
        work.put(replace(row, over=True, shown=msgspec.json.encode(shown)))
        return shown

    def order(
        self,
        work: Work,
        caller: Caller,
        method: str,
        params: _Orders,
        instance: InstanceView,
        act: Callable[[], None],
    ) -> S:
        """Carries out an order when it comes for the first time, and keeps its key with it.

        What was refused was not done, so the same key tries it again.
        """
        digest = digest_of(method, params)
        if known_errand(work, params.idempotency_key, digest, method) is None:
            act()
            asset = work.books.channels[instance.legs[0].channel].channel.asset
            key = params.idempotency_key
            row = errand(work, caller, method, key, digest, instance.id, asset)
            work.put(replace(row, over=True))
        return self._shown(work, work.books.instances[instance.id])

    def _instances(self, work: Work) -> Iterator[InstanceView]:
        """Those that we are an end of, but for those that somebody did not want. Of two rows that
        stand for one, the one that is played in, once it is there."""
        every = work.books.instances.values()
        inside = {one.gate for one in every}
        ours = (
            one
            for one in every
            if one.role is not None
            and one.id not in inside
            and isinstance(plain(one.terms), self.kinds)
        )
        return (one for one in ours if not one.refused or one.legs[0].status is not LegStatus.NEW)

    def _held(self, work: Work, held: Invitation) -> S:
        why, there = why_invited(work, held), reached(work, held)
        shown = self.show(work, _of_invitation(work, held))
        return msgspec.structs.replace(shown, why=why, reached=there)  # type: ignore[type-var]  # records of `values` are

    def _shown(self, work: Work, instance: InstanceView) -> S:
        return self.show(work, _of_instance(work, instance))

    def _again(self, work: Work, row: Errand) -> S:
        """What was asked for before, as it stands now."""
        held = work.books.invitations.get(Salt(row.subject))
        if held is not None:
            return self._held(work, held)
        try:
            return self._shown(work, self.find(work, hexed(row.subject)))
        except NoSuch:
            if row.state != _REFUSED:
                raise
            return self._refusal(row)

    def _refused(self, work: Work, found: Sequence[S]) -> list[S]:
        """What was refused lately, and is not among what there is."""
        since, there = work.now - _LATELY, {one.id for one in found}
        rows = [row for row in work.shelf.errands.values() if row.method in self.methods]
        return [
            self._refusal(row)
            for row in rows
            if row.state == _REFUSED and row.at >= since and hexed(row.subject) not in there
        ]

    def _refusal(self, row: Errand) -> S:
        """As it was shown when it was asked for, and why nothing came of it."""
        shown = msgspec.json.decode(row.shown, type=self.record)
        return msgspec.structs.replace(shown, state="over", why=row.text)  # type: ignore[type-var]  # records of `values` are


def ending(instance: InstanceView) -> Command:
    """What takes one out by agreement: in a stream both first name its total."""
    if isinstance(instance.terms, Stream):
        return CommandSettle(instance.id)
    return CommandRemove(instance.id)


def on_refused(work: Work, notice: InstanceRefused) -> None:
    """Somebody does not want what we have invited to: kept, in words, with whose words they are."""
    instance = work.books.instances.get(notice.instance)
    known = notice.instance if instance is None else instance.invitation
    for row in work.shelf.errands.values():
        if row.shown and row.subject == known and row.state != _REFUSED:
            what = f"{work.name(notice.by)} did not agree" if notice.by else "it cannot be"
            text = f"{what}: {notice.reason}. Nothing is locked; ask again."
            work.put(replace(row, state=_REFUSED, text=text))
            return
