"""Answers for somebody who is asleep: stale registrations, stale submissions, and due statements.

Anyone who holds the signatures can do it (protocol, section 5, Opening a dispute). The tower has an
account of its own for gas. It never opens a dispute, never signs, and cannot move money anywhere
but where both have signed that it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from perun.chain.endpoint import Endpoint
from perun.chain.fees import FeePolicy
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Report
from perun.chain.submitter import Account
from perun.core.config import Config, Identity
from perun.core.effects import Register, RevealPreimage, Submit, SubmitStatements
from perun.core.limits import Limits, limits_for
from perun.core.notices import Notice
from perun.core.state import ChannelView
from perun.crypto.keys import PublicKey
from perun.node.export import Export, read_export
from perun.node.settings import peer_id
from perun.node.solitary import Solitary
from perun.store import MemoryStore

__all__ = ["Watchtower"]

_ANSWERS = (Register, SubmitStatements, RevealPreimage)


def _only_answers(submit: Submit) -> bool:
    return isinstance(submit.transaction, _ANSWERS)


class Watchtower:
    """Watches what one export file names, and follows the file when it changes."""

    def __init__(
        self,
        path: Path,
        endpoint: Endpoint,
        account: Account,
        *,
        limits: Limits | None = None,
        policy: FeePolicy | None = None,
        journal: Journal | None = None,
        report: Callable[[Report], None] = lambda _: None,
        notify: Callable[[Notice], None] = lambda _: None,
    ) -> None:
        """Reads the file.

        Args:
            account: the tower's own; pays for the answers.
            journal: what earlier processes have sent; one that several towers must not share.

        Raises:
            BadExport: it is no export.
        """
        self._path = path
        self._endpoint = endpoint
        self._account = account
        self._limits = limits
        self._policy = policy
        self._journal = journal if journal is not None else MemoryJournal()
        self._report = report
        self._notify = notify
        self._read_at: tuple[int, int] | None = None
        self._solitary = self._load(read_export(path))

    @property
    def channels(self) -> int:
        """How many channels are watched."""
        return len(self._solitary.books.channels)

    def round(self) -> None:
        """Looks at the file and at the chain once, and answers what must be answered.

        Raises:
            ChainFault: the node failed; the next round starts over.
            BadExport: the file is gone or broken; what was read before is still watched.
        """
        if self._changed():
            self._solitary = self._load(read_export(self._path))
        self._solitary.round()

    def _changed(self) -> bool:
        try:
            found = self._path.stat()
        except OSError:
            return False
        return (found.st_mtime_ns, found.st_ino) != self._read_at

    def _load(self, export: Export) -> Solitary:
        found = self._path.stat()
        store = MemoryStore(exit_only=True)
        store.write(export.rows)
        profile = export.profile
        key = PublicKey(profile.key)
        config = Config(
            profile.deployment,
            Identity(profile.account, key.address, peer_id(key)),
            self._limits or limits_for(profile.chain_id),
            bytes(32),
        )
        solitary = Solitary(
            config,
            store,
            self._endpoint,
            self._account,
            allowed=_only_answers,
            journal=self._journal,
            since=profile.since,
            policy=self._policy,
            report=self._report,
            notify=self._notify,
        )
        self._read_at = (found.st_mtime_ns, found.st_ino)
        return solitary

    def watched(self) -> tuple[ChannelView, ...]:
        """The channels, as the last round has seen them."""
        return tuple(self._solitary.books.channels.values())
