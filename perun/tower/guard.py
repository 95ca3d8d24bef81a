"""Watches the chain once for all clients: one follower, one account, a quiet node for each.

All of it runs in one thread, round by round. What goes wrong with one client's rows ends that
client's round, never another's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from perun.chain.endpoint import Endpoint
from perun.chain.journal import Journal
from perun.chain.reports import Report
from perun.chain.service import ChainService
from perun.chain.submitter import Account
from perun.core.books import Row
from perun.core.config import Config, Deployment, Identity
from perun.core.effects import Register, Submit, SubmitEvidence, Watch
from perun.core.inputs import ChainBlock, ChainChannel, ChainInstance, Input
from perun.core.limits import Limits
from perun.core.state import PeerId
from perun.crypto import PublicKey
from perun.errors import ChainFault
from perun.node.means import Means
from perun.node.profile import Profile
from perun.node.quiet import QuietNode
from perun.store import MemoryStore
from perun.types import UnixTime

__all__ = ["Guard"]

_ANSWERS = (Register, SubmitEvidence)


class Guard:
    """All clients and the chain."""

    def __init__(
        self,
        endpoint: Endpoint,
        deployment: Deployment,
        account: Account,
        *,
        limits: Limits,
        journal: Journal,
        since: int = 0,
        report: Callable[[Report], None] = lambda _: None,
        fault: Callable[[PeerId, Exception], None] = lambda *_: None,
    ) -> None:
        """Asks nothing yet.

        Args:
            account: pays for the answers; nobody else may send from it.
            limits: by which it decides when something is due, whatever clients go by.
            since: block of the deployment.
            fault: told whose rows made trouble.
        """
        self.deployment, self._limits, self._fault = deployment, limits, fault
        self.chain = ChainService(
            endpoint,
            deployment,
            account,
            self._post,
            limits=limits,
            journal=journal,
            since=since,
            report=report,
        )
        self._means = Means(endpoint, account.address, report)
        self._clients: dict[PeerId, QuietNode] = {}
        self._watching: dict[bytes, set[PeerId]] = {}
        """Who wants to hear of a channel or instance."""
        self._block: ChainBlock | None = None
        self._told: dict[bytes, ChainChannel | ChainInstance] = {}
        """What the chain has last said of each: for whoever asks later."""
        self._ended: set[bytes] = set()
        self.forgotten: set[PeerId] = set()
        """Whose rows have made trouble: they are not watched until they come again."""

    @property
    def sees(self) -> UnixTime:
        """Time of the newest block that was taken in; 0 before the first."""
        return UnixTime(0) if self._block is None else self._block.head_time

    def has_ended(self, channel: bytes) -> bool:
        """Whether a final block shows that a channel is over; from any thread."""
        return channel in self._ended

    def learn(self, client: PeerId, profile: Profile, rows: tuple[Row, ...]) -> None:
        """From now on it watches these for a client, on top of what it has of it."""
        self.forgotten.discard(client)
        known = self._clients.get(client)
        if known is not None:
            known.learn(rows)
            return
        key = PublicKey(client)
        store = MemoryStore(exit_only=True)
        store.write(rows)
        config = Config(
            self.deployment, Identity(profile.account, key.address, client), self._limits, bytes(32)
        )
        quiet = QuietNode(config, store, _Port(self, client), _BlockClock(self))
        self._clients[client] = quiet
        if self._block is not None:
            quiet.post((self._block,))
            for id, watching in self._watching.items():
                told = self._told.get(id)
                if client in watching and told is not None:
                    quiet.post((told,))

    def forget(self, client: PeerId) -> None:
        """Watches for it no more."""
        self.forgotten.add(client)
        self._clients.pop(client, None)
        for id in [id for id, watching in self._watching.items() if client in watching]:
            self.let_go(client, id)

    def round(self) -> None:
        """Looks at the chain once, and answers what must be answered.

        Raises:
            ChainFault: the newest block is not, or not wholly, known; the next round starts over.
        """
        trouble = self._poll()
        if trouble is None or self.chain.submitter.asked:
            trouble = self._poll() or trouble
        if self._clients:
            self._means.look(self.chain)
        if trouble is not None:
            raise trouble

    def _poll(self) -> ChainFault | None:
        trouble = None
        try:
            self.chain.poll()
        except ChainFault as fault:
            trouble = fault
        for client, quiet in list(self._clients.items()):
            try:
                quiet.turn()
            except Exception as error:
                # A bug that one client's rows have found: the others are watched all the same.
                self._fault(client, error)
                self.forget(client)
        return trouble

    def _post(self, inputs: Sequence[Input]) -> None:
        for input in inputs:
            if isinstance(input, ChainBlock):
                self._block = input
                for quiet in self._clients.values():
                    quiet.post((input,))
            elif isinstance(input, ChainChannel | ChainInstance):
                self._told[input.id] = input
                if isinstance(input, ChainChannel) and input.final.ended:
                    self._ended.add(input.id)
                for client in self._watching.get(input.id, ()):
                    if client in self._clients:
                        self._clients[client].post((input,))

    # ------------------------------------------------------------------------- for clients' ports

    def follow(self, client: PeerId, watch: Watch, id: bytes) -> None:
        """A client wants to hear of it."""
        watching = self._watching.setdefault(id, set())
        watching.add(client)
        self.chain.watch(watch)
        told, quiet = self._told.get(id), self._clients.get(client)
        if told is not None and quiet is not None:
            quiet.post((told,))

    def let_go(self, client: PeerId, id: bytes) -> None:
        """… no more; the chain is asked as long as another does."""
        watching = self._watching.get(id, set())
        watching.discard(client)
        if not watching:
            self._watching.pop(id, None)
            told = self._told.pop(id, None)
            instance = isinstance(told, ChainInstance)
            self.chain.watch(
                Watch(instance=id, over=True) if instance else Watch(channel=id, over=True)  # type: ignore[arg-type]
            )

    def answer(self, client: PeerId, submit: Submit) -> None:
        """A client's evidence goes to the chain: answers only, never what moves money elsewhere."""
        if isinstance(submit.transaction, _ANSWERS):
            # Both ends of a channel may be clients, each with a wish of its own.
            # What it pays at most is the tower's affair, whatever its clients have at stake.
            self.chain.submit(replace(submit, key=submit.key + client[-8:], stake=None))


class _Port:
    """The chain, as one client's node sees it."""

    def __init__(self, guard: Guard, client: PeerId) -> None:
        self._guard, self._client = guard, client

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        id = watch.channel or watch.instance
        assert id is not None
        if watch.over:
            self._guard.let_go(self._client, id)
        else:
            self._guard.follow(self._client, watch, id)

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        self._guard.answer(self._client, submit)


class _BlockClock:
    """The newest block's time; nothing here depends on our own clock."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return self._guard.sees
