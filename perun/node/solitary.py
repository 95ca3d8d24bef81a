"""A quiet node with a chain of its own, in rounds: for leaving, and for a tower on a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from perun.chain.endpoint import Endpoint
from perun.chain.fees import FeePolicy
from perun.chain.journal import Journal
from perun.chain.reports import Dropped, Paid, Refused, Report, Sent
from perun.chain.service import ChainService
from perun.chain.submitter import Account
from perun.core.books import Row
from perun.core.config import Config
from perun.core.effects import Submit, Watch
from perun.core.inputs import ChainCredit, Input
from perun.core.notices import Notice
from perun.errors import ChainFault
from perun.node.quiet import QuietNode
from perun.ports import Chain, Store
from perun.types import UnixTime, Wei

__all__ = ["NothingNew", "Selected", "Solitary"]


_MOST_REVERTS: Final = 3
"""Transactions of one wish that may revert: each costs gas."""


class Selected:
    """A chain port that lets only some transactions through."""

    def __init__(self, chain: Chain, allowed: Callable[[Submit], bool]) -> None:
        self._chain = chain
        self._allowed = allowed

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        self._chain.watch(watch)

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        if self._allowed(submit):
            self._chain.submit(submit)


class _ChainClock:
    """The newest block's time; nothing here depends on our own clock."""

    def __init__(self) -> None:
        self.chain: ChainService | None = None

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        head = None if self.chain is None else self.chain.follower.head
        return UnixTime(0) if head is None else head.time


@dataclass(eq=False)
class NothingNew(ChainFault):
    """The node answers, and its newest block stays the same: what happens is not seen."""

    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "{reason}"
    hint: ClassVar[str] = "give another node: nothing can be answered until a new block is seen"


@dataclass(slots=True)
class _Setbacks:
    """What has come of one wish so far."""

    reason: str = "it was mined and reverted"
    since: int | None = None
    """Block from which on the chain has refused it."""
    reverted: int = 0
    """Transactions that were paid for nothing."""

    def refuse(self, reason: str, block: int) -> None:
        """The chain would refuse it now."""
        self.reason = reason
        self.since = block if self.since is None else self.since

    def hopeless(self, final: int) -> bool:
        """Whether it has been tried for long enough."""
        refused = self.since is not None and final >= self.since
        return refused or self.reverted >= _MOST_REVERTS


class Solitary:
    """Books, a chain, and rounds."""

    def __init__(
        self,
        config: Config,
        store: Store,
        endpoint: Endpoint,
        account: Account,
        *,
        allowed: Callable[[Submit], bool],
        journal: Journal | None = None,
        since: int = 0,
        policy: FeePolicy | None = None,
        report: Callable[[Report], None] = lambda _: None,
        notify: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """Reads the store; asks the chain nothing yet.

        Args:
            account: sends and pays for transactions.
            allowed: which transactions are sent at all.
        """
        self._report = report
        self._setbacks: dict[bytes, _Setbacks] = {}
        self.credit_told = False
        """Whether the chain has said what our account's credit is."""
        clock = _ChainClock()
        self.chain = ChainService(
            endpoint,
            config.deployment,
            account,
            self._post,
            limits=config.limits,
            journal=journal,
            since=since,
            policy=policy,
            report=self._hear,
        )
        clock.chain = self.chain
        chain = Selected(self.chain, allowed)
        self._quiet = QuietNode(config, store, chain, clock, notify)
        self.books, self.node = self._quiet.books, self._quiet.node

    @property
    def gas_price(self) -> Wei:
        """What gas costs at the newest block, in wei; 0 before the first round."""
        return self.books.chain.gas_price

    def _hear(self, report: Report) -> None:
        match report:
            case Refused(key, reason) | Dropped(key, reason):
                self._setbacks.setdefault(key, _Setbacks()).refuse(reason, self._numbers[0])
            case Paid(key=key, succeeded=False):
                self._setbacks.setdefault(key, _Setbacks()).reverted += 1
            case Paid(key=key):
                self._setbacks.pop(key, None)
            case Sent(key=key) if key in self._setbacks:
                self._setbacks[key].since = None
            case _:
                pass
        self._report(report)

    def given_up(self, key: bytes) -> str | None:
        """Why a wish will not come true by asking again: it was refused from some block until that
        block was final, or it was mined in vain again and again. None: it may."""
        found = self._setbacks.get(key)
        return None if found is None or not found.hopeless(self._numbers[1]) else found.reason

    @property
    def _numbers(self) -> tuple[int, int]:
        """Of the newest block and the newest final one."""
        follower = self.chain.follower
        return (
            0 if follower.head is None else follower.head.number,
            0 if follower.final is None else follower.final.number,
        )

    def _post(self, inputs: Sequence[Input]) -> None:
        self.credit_told = self.credit_told or any(type(one) is ChainCredit for one in inputs)
        self.node.post(inputs)

    def do(self, *commands: Input) -> None:
        """Carries commands out, as a user's."""
        self.node.post(commands)
        self._turn()

    def round(self) -> None:
        """Looks at the chain once, and does what follows from it.

        Raises:
            ChainFault: the newest block is not, or not wholly, known; or it has been the same for
                long (`NothingNew`). What could be done was done; the next round starts over.
            StoreFault: the store failed; do not go on.
        """
        trouble = self._poll()
        if trouble is None or self.chain.submitter.asked:
            # What this round has decided leaves in this round.
            trouble = self._poll() or trouble
        if trouble is not None:
            raise trouble
        health = self.chain.health
        if health.blind_since is not None:
            raise NothingNew(health.reason)

    def _poll(self) -> ChainFault | None:
        """A look, and what follows from whatever it has found out."""
        trouble = None
        try:
            self.chain.poll()
        except ChainFault as fault:
            trouble = fault
        self._turn()
        return trouble

    def learn(self, rows: Iterable[Row]) -> None:
        """See `QuietNode`."""
        self._quiet.learn(rows)

    def _turn(self) -> None:
        self._quiet.turn()
