"""The Chain port: a follower and a submitter over one endpoint, in rounds.

`poll` is one round and leaves the rest to the caller, as tests, simulations and short tools want;
`start` runs rounds in a thread of its own until `stop`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from perun.chain.aside import Aside
from perun.chain.endpoint import Block, Endpoint, Telling, WrongChain
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.follower import NOTHING_FINAL, Follower
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Report, Stopped, Unreachable
from perun.chain.sight import Health, Sight
from perun.chain.submitter import Account, Submitter
from perun.chain.wishes import Wish, wish_of
from perun.core.config import Deployment
from perun.core.effects import Submit, Watch
from perun.core.limits import Limits
from perun.errors import ChainFault, StoreFault
from perun.ports import Inbox
from perun.types import Address, UnixTime, Wei

__all__ = ["ChainService"]

ROUND_SECONDS: Final = 1.0
"""Between two looks at the newest block; blocks come every few seconds at most."""

_SOONEST: Final = 0.05
"""… and as long a pause even where the node tells of them without end."""

_EARLY: Final = 0.2
"""… and so long after the last one, if there is something new to look at or to send."""

_LONGEST_WAIT: Final = 10.0
"""Between two tries; a node may be back in the last minute of a challenge."""


class ChainService:
    """`perun.ports.Chain` over an endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: Deployment,
        account: Account,
        inbox: Inbox,
        *,
        limits: Limits,
        journal: Journal | None = None,
        since: int = 0,
        policy: FeePolicy | None = None,
        report: Callable[[Report], None] = lambda _: None,
        owner: Address | None = None,
    ) -> None:
        """Asks nothing yet.

        Args:
            account: sends and pays for everything that is submitted.
            inbox: where inputs go.
            journal: what earlier processes have sent; none for chains that end with this one.
            since: first block that can hold a log of the deployment.
            report: told what is sent, paid, refused; called by the thread that polls.
            owner: the account whose credit is told, and whose channels these are; none: `account`.
        """
        self._owner = owner or account.address
        self._endpoint = endpoint
        self._deployment = deployment
        self._inbox = inbox
        self._report = report
        self._aside = Aside(report)
        self.sight = Sight(limits.freshness, report)
        self.follower = Follower(
            endpoint,
            deployment,
            accounts=(self._owner,),
            finality_blocks=limits.finality_blocks,
            since=since,
            report=report,
            chain=deployment.contract.chain_id,
            price=self.price,
            aside=self._aside,
        )
        self.submitter = Submitter(
            endpoint,
            account,
            journal if journal is not None else MemoryJournal(),
            contract=deployment.contract,
            policy=policy,
            report=report,
            aside=self._aside,
        )
        self._tended: bytes | None = None
        self._sees = False
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._looked = 0.0
        """When the last round began."""
        self._woken = threading.Event()
        """There is something to do before the next round is due."""
        self.failed: Exception | None = None
        """Why the thread has ended by itself; None while it runs, or was told to stop."""

    # ----------------------------------------------------------------------------------- the port

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`. Whoever opens something waits until it has been looked at."""
        self.follower.watch(watch)
        self._woken.set()

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        self.want(wish_of(submit, self._deployment, self._owner))

    def want(self, wish: Wish) -> None:
        """Takes a wish from any thread; a new one does not wait for the next round."""
        is_new = not self.submitter.knows(wish.key)
        self.submitter.submit(wish)
        if is_new:
            self._woken.set()

    def price(self, head: Block) -> Wei:
        """Of gas, as the submitter would bid at this block with the tip that it has last heard."""
        return first_fees(self.submitter.policy, head.base_fee, self.submitter.tip).most

    # ------------------------------------------------------------------------------------- rounds

    def poll(self) -> None:
        """One round: reads what is new, and looks after our transactions.

        What was found out is passed on, and acted upon, before anything is raised.

        Raises:
            ChainFault: the newest block is not, or not wholly, known; the next round starts over.
            StoreFault: the journal failed; do not go on.
        """
        self._aside.begin()
        trouble: ChainFault | None
        try:
            inputs = self.follower.poll()
            self._sees, trouble = True, self.follower.trouble
        except ChainFault as fault:
            inputs, trouble = (), fault
            self._sees = False
        if inputs:
            self._inbox(inputs)
        head, final = self.follower.head, self.follower.final or NOTHING_FINAL
        if head is not None:
            self.sight.arrived(head)
            if not isinstance(trouble, WrongChain):
                trouble = self._tend(head, final) or trouble
        self.sight.rounded(None if trouble is None else str(trouble))
        if trouble is not None:
            raise trouble

    def _tend(self, head: Block, final: Block) -> ChainFault | None:
        """Looks after our transactions once a block, and whenever there is something new."""
        if head.hash == self._tended and not self.submitter.asked:
            return None
        try:
            self.submitter.poll(head, final)
        except ChainFault as fault:
            self._tended = None
            return fault
        self._tended = head.hash
        return None

    @property
    def health(self) -> Health:
        """How the port fares; for any thread, at any time, also while a round hangs."""
        blind = self.sight.blind
        if self.failed is not None and blind is None:
            blind = UnixTime(int(time.time())), "it has stopped"
        return Health(
            self.sight.head,
            self.sight.age,
            None if blind is None else blind[0],
            "" if blind is None else blind[1],
            self.follower.doubts,
            tuple(self._aside.unanswered),
            "" if self.failed is None else f"{type(self.failed).__name__}: {self.failed}",
        )

    @property
    def blind_since(self) -> UnixTime | None:
        """Since when a dispute might go unseen; None: it would be seen."""
        return self.health.blind_since

    def start(self, interval: float = ROUND_SECONDS) -> None:
        """Runs rounds, `interval` seconds apart, in a thread. Whoever starts it looks at `failed`
        and `health` now and then: a thread cannot raise."""
        self._thread = threading.Thread(
            target=self._run, args=(interval,), name="chain", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after its present round. What is under way goes on after a restart."""
        self._stop.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()

    def _waited(self, seconds: float, *, listening: bool) -> bool:
        """Until the next round is due; whether there is none. A node in trouble is not asked
        sooner for a wish."""
        endpoint = self._endpoint
        if listening and seconds > 0 and isinstance(endpoint, Telling) and endpoint.listen(seconds):
            seconds = min(seconds, _SOONEST)
        if not listening:
            return self._stop.wait(seconds)
        if self._woken.wait(seconds):
            self._woken.clear()
            rest = self._looked + _EARLY - time.monotonic()
            self._stop.wait(min(max(rest, _SOONEST), seconds))  # with all that the same turn wants
        return self._stop.is_set()

    def _run(self, interval: float) -> None:
        wait, failures = 0.0, 0
        while not self._waited(wait, listening=failures == 0):
            self._looked = time.monotonic()
            try:
                self.poll()
                failures, wait = 0, interval
            except ChainFault as fault:
                failures += 1
                self._report(Unreachable(str(fault), failures))
                # Who still sees the newest block goes on looking at the same pace.
                pause = min(interval * 2 ** min(failures, 10), _LONGEST_WAIT)
                wait = interval if self._sees else pause
            except Exception as error:
                # A journal that cannot be written, or a bug: going on could send something twice.
                self.failed = error
                self._report(Stopped(f"{type(error).__name__}: {error}"))
                if not isinstance(error, StoreFault):
                    raise
                return
