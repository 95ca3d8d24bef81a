"""One channel or instance that is followed: its logs, and what they and its storage say of it.

Pure: whoever reads the chain brings logs and storage, in any order and as often as it likes. Logs
of recent blocks are kept as they are, and replaced when they are read again; so a reorganisation,
or a log that comes late, needs no code of its own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec.structs import replace

from perun.bindings import ms_contract_calls
from perun.bindings.logs import Event, Log, Table, Unreadable
from perun.bindings.ms_contract_calls import Dispute as StoredDispute
from perun.bindings.ms_contract_calls import Holdings
from perun.chain.endpoint import Reading
from perun.chain.fold import fold_channel
from perun.chain.kinds import Known
from perun.core.chain_view import EMPTY, Dispute, OnChain
from perun.core.config import Deployment
from perun.core.inputs import ChainChannel, ChainInstance
from perun.encoding.ids import (
    state_hash,
)
from perun.types import Address, Asset, ChannelId, InstanceId, Recorded, UnixTime, Version, Wei

__all__ = ["Doubt", "Followed", "FollowedChannel", "FollowedInstance", "Tables"]

V = TypeVar("V")
S = TypeVar("S")

Tables = Mapping[Address, Table[Event]]
"""How to read what each of our contracts announces."""


@dataclass(slots=True)
class Doubt:
    """Logs and storage do not agree."""

    reason: str
    tries: int = 0
    again_at: int = 0
    """Block from which on its logs are read once more."""


class Followed(ABC, Generic[V, S]):
    """What is followed under one id. `V` is how a block has it, `S` what storage says of it."""

    def __init__(self, id: bytes, tables: Tables, empty: V) -> None:
        self.id = id
        self._tables = tables
        self.empty: V = empty
        self._base: V = empty
        self._logs: list[Log] = []
        self._read_after = 2**63
        self._folded: tuple[V] | None = None
        self.complete = False
        """Whether all logs since the deployment are here."""
        self.checked: tuple[V] | None = None
        """The newest fold with which storage has agreed."""
        self.doubt: Doubt | None = None
        self.stored: Sequence[S] = ()
        """What storage has said in this round, of each node that answered; empty: none was asked,
        or none did."""
        self.sent: tuple[V, V] | None = None

    # --------------------------------------------------------------------------------------- logs

    def forget(self) -> None:
        """Its logs are to be read again from the beginning."""
        self._base, self._logs, self._folded = self.empty, [], None
        self.complete = False
        self.checked = None

    def take(self, after: int, logs: Iterable[Log]) -> None:
        """Its logs in blocks after that one are these, whatever was there."""
        new = list(logs)
        self._read_after = after
        if not new and (not self._logs or self._logs[-1].block <= after):
            return
        self._logs = [log for log in self._logs if log.block <= after] + new
        self._folded = None

    def prepend(self, logs: Iterable[Log]) -> None:
        """Its logs before all that were taken are these; with them they are complete."""
        self._logs = [*(log for log in logs if log.block <= self._read_after), *self._logs]
        self._folded = None
        self.complete = True

    def replace(self, logs: Iterable[Log]) -> None:
        """These are all its logs."""
        self.forget()
        self._logs = list(logs)
        self.complete = True

    def settle(self, until: int) -> None:
        """Blocks until that one are final: of their logs only the outcome is kept.

        Raises:
            ChainFault: they cannot be true.
        """
        if self._logs and self._logs[0].block <= until:
            self._base = self._fold(until)
            self._logs = [log for log in self._logs if log.block > until]

    def head(self) -> V:
        """How the newest block has it, by its logs.

        Raises:
            ChainFault: they cannot be true.
        """
        if self._folded is None:
            self._folded = (self._fold(None),)
        return self._folded[0]

    def final(self, number: int) -> V:
        """How that block has it, by its logs."""
        if not self._logs or self._logs[-1].block <= number:
            return self.head()
        return self._fold(number)

    def _fold(self, until: int | None) -> V:
        taken = [log for log in self._logs if until is None or log.block <= until]
        return self._after(self._base, self._events(taken)) if taken else self._base

    def _events(self, logs: Iterable[Log]) -> Iterator[Event]:
        """What these logs say; others' unreadable ones say nothing."""
        for log in logs:
            event = self._tables[log.address].read(log)
            if event is not None and not isinstance(event, Unreadable):
                yield event

    @abstractmethod
    def _after(self, view: V, happened: Iterable[Event]) -> V:
        """`view` after these events."""

    # ------------------------------------------------------------------------------------ storage

    @abstractmethod
    def ask(self, reading: Reading, number: int) -> S:
        """What storage says after that block."""

    @abstractmethod
    def differs(self, view: V, stored: S) -> str:
        """In what storage contradicts a fold; empty: in nothing."""

    @abstractmethod
    def warned(self, view: V, stored: Sequence[S]) -> list[V]:
        """What to be ready for, one after the other, if logs and what each storage says contradict
        each other: what any of them warns of."""

    @abstractmethod
    def ahead(self, shared: V, alone: V) -> list[V]:
        """What to be ready for, one after the other, if all nodes have it in one way, and in blocks
        that one of them has alone it is otherwise: what either warns of."""

    @abstractmethod
    def dangerous(self, stored: S) -> bool:
        """Whether storage alone says that something must be answered."""

    def shown(self, head: V, final: V) -> tuple[V, V]:
        """Both views as the core is told them."""
        return head, final

    @abstractmethod
    def input(self, head: V, final: V) -> ChainChannel | ChainInstance:
        """What the core is told."""

    @property
    def over(self) -> bool:
        """Whether nothing of it can change any more that matters."""
        return False


_Stored = tuple[Holdings, StoredDispute]


class FollowedChannel(Followed[OnChain, _Stored]):
    """A channel of one asset."""

    def __init__(self, id: ChannelId, asset: Asset, deployment: Deployment, tables: Tables) -> None:
        super().__init__(id, tables, EMPTY)
        self.asset = asset
        self._contract = deployment.contract.contract
        self._drawn = False

    def _after(self, view: OnChain, happened: Iterable[Event]) -> OnChain:
        return fold_channel(view, self.asset, happened)

    def ask(self, reading: Reading, number: int) -> _Stored:
        """See `Followed`."""
        names = self._contract, self.asset, ChannelId(self.id)
        held = reading.ask(ms_contract_calls.holdings(*names), number)
        if held.disputed:
            return held, reading.ask(ms_contract_calls.dispute(*names), number)
        return held, _NO_DISPUTE

    def differs(self, view: OnChain, stored: _Stored) -> str:
        """See `Followed`. Also takes over the one bit that events do not show."""
        held, dispute = stored
        logged = (view.alice, view.bob, view.withdrawals, view.dispute is not None)
        if logged != (held.alice, held.bob, held.withdrawals, held.disputed):
            return "holdings"
        if view.dispute is not None and not self._same(view.dispute, dispute):
            return "dispute"
        self._drawn = held.drawn
        return ""

    def _same(self, logged: Dispute, stored: StoredDispute) -> bool:
        shown = (logged.version, logged.deadline, logged.settling)
        if shown != (stored.version, stored.deadline, stored.settling):
            return False
        hashed = state_hash(ChannelId(self.id), logged.version, logged.net, logged.nanos)
        return hashed == stored.state_hash

    def warned(self, view: OnChain, stored: Sequence[_Stored]) -> list[OnChain]:
        """See `Followed`. Of a dispute whose log is kept back, storage tells version and deadline;
        that is enough to answer it."""
        for held, dispute in sorted(stored, key=_weight):
            view = self._worse(view, held, dispute)
        return [view]

    def _worse(self, view: OnChain, held: Holdings, dispute: StoredDispute) -> OnChain:
        if held == _NOTHING and view.dispute is None and view != replace(EMPTY, drawn=view.drawn):
            return OnChain(announced_by=view.announced_by, ended=True)  # only an end takes all
        known = view.dispute
        if held.disputed and (known is None or not self._same(known, dispute)):
            found = Dispute(dispute.version, Wei(0), (), dispute.deadline, dispute.settling)
            known = found if known is None else _graver(known, found)
        return replace(
            view,
            alice=held.alice,
            bob=held.bob,
            withdrawals=held.withdrawals,
            dispute=known,
            ended=view.ended and held == _NOTHING,
        )

    def ahead(self, shared: OnChain, alone: OnChain) -> list[OnChain]:
        """See `Followed`. Neither an end nor money that is gone is believed."""
        dispute = shared.dispute or alone.dispute
        if shared.dispute is not None and alone.dispute is not None:
            dispute = _graver(shared.dispute, alone.dispute)
        view = shared if shared.alice or shared.bob or shared.ended else alone
        return [replace(view, dispute=dispute)]

    def dangerous(self, stored: _Stored) -> bool:
        """See `Followed`."""
        return stored[0].disputed

    def shown(self, head: OnChain, final: OnChain) -> tuple[OnChain, OnChain]:
        """See `Followed`. Only an announced channel is drawn."""
        if not self._drawn:
            return head, final
        return _drawn(head), _drawn(final)

    def input(self, head: OnChain, final: OnChain) -> ChainChannel:
        """See `Followed`."""
        return ChainChannel(ChannelId(self.id), head, final)

    @property
    def over(self) -> bool:
        """See `Followed`."""
        return self.sent is not None and self.sent[1].ended


def _weight(stored: _Stored) -> tuple[bool, int]:
    held = stored[0]
    return held.disputed, held.alice + held.bob


def _graver(one: Dispute, other: Dispute) -> Dispute:
    """What to be ready for if either may be so: the older version wants an answer, and may still
    get one if either says so. To answer in vain costs nothing, since the contract refuses it."""
    older = min(one, other, key=lambda dispute: dispute.version)
    deadline = max(one.deadline, other.deadline)
    return replace(older, deadline=deadline, settling=one.settling and other.settling)


_NOTHING = Holdings(Wei(0), Wei(0), 0, False, False)
_NO_DISPUTE = StoredDispute(Version(0), UnixTime(0), False, 0)


def _drawn(on: OnChain) -> OnChain:
    return on if on.ended or not any(on.announced_by) else replace(on, drawn=True)


class FollowedInstance(Followed[Recorded | None, Any]):
    """An instance of a nanocontract."""

    def __init__(self, id: InstanceId, app: Address, known: Known, tables: Tables) -> None:
        super().__init__(id, tables, None)
        self._app = app
        self._kind, self._reader = known.kind, known.reader

    def _after(self, view: Recorded | None, happened: Iterable[Event]) -> Recorded | None:
        for event in happened:
            view = self._kind.fold(view, self._reader.announced(event))
        return view

    def ask(self, reading: Reading, number: int) -> Any:
        """See `Followed`."""
        return reading.ask(self._reader.ask(self._app, InstanceId(self.id)), number)

    def differs(self, view: Recorded | None, stored: Any) -> str:
        """See `Followed`."""
        return self._reader.differs(view, stored)

    def warned(self, view: Recorded | None, stored: Sequence[Any]) -> list[Recorded | None]:
        """See `Followed`. What one of them calls answered another may not."""
        alone = [self._reader.worse(None, each) for each in stored]
        both = [self._reader.worse(view, each) for each in stored]
        found = [each for each in (*reversed(both), view, *alone) if each is not None]
        return list(dict.fromkeys(found))[::-1] or [None]

    def ahead(self, shared: Recorded | None, alone: Recorded | None) -> list[Recorded | None]:
        """See `Followed`."""
        return list(dict.fromkeys([shared, alone]))

    def dangerous(self, stored: Any) -> bool:
        """See `Followed`."""
        return self._reader.dangerous(stored)

    def input(self, head: Recorded | None, final: Recorded | None) -> ChainInstance:
        """See `Followed`."""
        return ChainInstance(InstanceId(self.id), head, final)
