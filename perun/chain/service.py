"""The Chain port: a follower and a submitter over one endpoint, in rounds.

`poll` is one round and leaves the rest to the caller, as tests, simulations and short tools want;
`start` runs rounds in a thread of its own until `stop`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from perun.chain.endpoint import Block, Endpoint
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.follower import Follower
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Report, Stopped, Unreachable
from perun.chain.submitter import Account, Submitter
from perun.chain.wishes import wish_of
from perun.core.config import Deployment
from perun.core.effects import Submit, Watch
from perun.core.limits import Limits
from perun.errors import ChainFault, StoreFault
from perun.ports import Inbox
from perun.types import Wei

__all__ = ["ChainService"]

ROUND_SECONDS: Final = 1.0
"""Between two looks at the newest block; blocks come every few seconds at most."""

_LONGEST_WAIT: Final = 30.0


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
    ) -> None:
        """Asks nothing yet.

        Args:
            account: sends and pays for everything that is submitted.
            inbox: where inputs go.
            journal: what earlier processes have sent; none for chains that end with this one.
            since: first block that can hold a log of the deployment.
            report: told what is sent, paid, refused; called by the thread that polls.
        """
        self._deployment = deployment
        self._inbox = inbox
        self._report = report
        self.follower = Follower(
            endpoint,
            deployment,
            accounts=(account.address,),
            finality_blocks=limits.finality_blocks,
            since=since,
            report=report,
            price=self._price,
        )
        self.submitter = Submitter(
            endpoint,
            account,
            journal if journal is not None else MemoryJournal(),
            contract=deployment.contract.contract,
            policy=policy,
            report=report,
        )
        self._tended: bytes | None = None
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._failures = 0
        self.failed: Exception | None = None
        """Why the thread has ended by itself; None while it runs, or was told to stop."""

    # ----------------------------------------------------------------------------------- the port

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        self.follower.watch(watch)

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        self.submitter.submit(wish_of(submit, self._deployment, self.submitter.address))

    def _price(self, head: Block) -> Wei:
        """Of gas, as the submitter would bid at this block with the tip that it has last heard."""
        return first_fees(self.submitter.policy, head.base_fee, self.submitter.tip).most

    # ------------------------------------------------------------------------------------- rounds

    def poll(self) -> None:
        """One round: reads what is new, and looks after our transactions.

        Raises:
            ChainFault: the node failed; the next round starts over.
            StoreFault: the journal failed; do not go on.
        """
        inputs = self.follower.poll()
        if inputs:
            self._inbox(inputs)
        head, final = self.follower.head, self.follower.final
        if head is None or final is None:
            return
        if head.hash != self._tended or self.submitter.asked:
            self.submitter.poll(head, final)
            self._tended = head.hash

    def start(self, interval: float = ROUND_SECONDS) -> None:
        """Runs rounds, `interval` seconds apart, in a thread."""
        self._thread = threading.Thread(
            target=self._run, args=(interval,), name="chain", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread after its present round. What is under way goes on after a restart."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, interval: float) -> None:
        wait = 0.0
        while not self._stop.wait(wait):
            try:
                self.poll()
                self._failures, wait = 0, interval
            except ChainFault as fault:
                self._failures += 1
                self._report(Unreachable(str(fault), self._failures))
                wait = min(interval * 2 ** min(self._failures, 10), _LONGEST_WAIT)
            except StoreFault as fault:
                self.failed = fault
                self._report(Stopped(str(fault)))
                return
            except Exception as error:
                self.failed = error
                raise
