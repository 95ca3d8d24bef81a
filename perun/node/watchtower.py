"""Answers for somebody who is asleep: stale registrations, stale submissions, and due statements.

Anyone who holds the signatures can do it (protocol, section 5, Opening a dispute). The tower has an
account of its own for gas. It never opens a dispute, never signs, and cannot move money anywhere
but where both have signed that it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from perun.chain.endpoint import Endpoint
from perun.chain.fees import FeePolicy
from perun.chain.journal import Journal, MemoryJournal
from perun.chain.reports import Report
from perun.chain.submitter import Account
from perun.core.config import Config, Identity
from perun.core.effects import Register, Submit, SubmitEvidence
from perun.core.limits import Limits
from perun.core.notices import Notice
from perun.core.state import ChannelView
from perun.crypto.keys import PublicKey
from perun.errors import Misuse
from perun.node.export import BadExport, Export, parse_export
from perun.node.hanging import HangingFile
from perun.node.means import Means
from perun.node.newer import fallen, heights
from perun.node.profile import Profile
from perun.node.settings import peer_id
from perun.node.solitary import Solitary
from perun.store import MemoryStore
from perun.types import UnixTime

__all__ = ["Watchtower"]

_READ_SECONDS: Final = 5.0
_ANSWERS = (Register, SubmitEvidence)


def _only_answers(submit: Submit) -> bool:
    return isinstance(submit.transaction, _ANSWERS)


def _whose(export: Export) -> Profile:
    """What must not change while a tower runs: what else it would watch in silence for nothing."""
    return replace(export.profile, since=0, limits=None)


def _is_older(new: Export, old: Export) -> bool:
    """Whether less is known in it than the tower knows, as in a file put back in place. A channel
    that is not there goes on being watched."""
    return fallen(heights(old.rows), new.rows, lambda _: False) is not None


# Rule dispute-3.
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
        seconds: float = _READ_SECONDS,
    ) -> None:
        """Reads the file.

        Args:
            seconds: how long the chain waits for a disk that does not answer.
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
        self._file = HangingFile(path, seconds)
        self._bytes = self._file.read()
        self._export = parse_export(path, self._bytes)
        self._solitary = self._begin(self._export)
        self._means = Means(endpoint, account.address, report)

    @property
    def channels(self) -> int:
        """How many channels are watched."""
        return len(self._solitary.books.channels)

    def round(self) -> None:
        """Looks at the file and at the chain once, and answers what must be answered.

        Raises:
            ChainFault: the node failed; the next round starts over.
            BadExport: the file is broken, older, or another's; what was read before is watched.
        """
        broken: BadExport | None = None
        try:
            self._follow()
        except BadExport as fault:
            broken = fault
        # Whatever has become of the file: somebody is asleep, and counts on this look.
        self._solitary.round()
        self._means.look(self._solitary.chain)
        if broken is not None:
            raise broken

    def _follow(self) -> None:
        """Goes on with a newer file of the same owner.

        Its bytes are compared, and nothing else: times and numbers of files are coarse, and are of
        another moment than what is read.
        """
        found = self._file.read()
        if found == self._bytes:
            return
        export = parse_export(self._path, found)
        if _whose(export) != _whose(self._export):
            raise BadExport(str(self._path), "it is about another owner, chain or contracts")
        if _is_older(export, self._export):
            raise BadExport(str(self._path), "it is older than what was read before")
        if export.profile.limits == self._export.profile.limits:
            self._solitary.learn(export.rows)
        else:
            self._solitary = self._begin(export)
        self._export, self._bytes = export, found

    def start_over(self) -> None:
        """Forgets everything but the file and the journal, after something that must not happen."""
        self._solitary = self._begin(self._export)

    def _begin(self, export: Export) -> Solitary:
        try:
            key = PublicKey(export.profile.key)
        except Misuse as error:
            raise BadExport(str(self._path), "it names no key") from error
        store = MemoryStore(exit_only=True)
        store.write(export.rows)
        profile = export.profile
        config = Config(
            profile.deployment,
            Identity(profile.account, key.address, peer_id(key)),
            self._limits or profile.own_limits,
            bytes(32),
        )
        return Solitary(
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

    @property
    def sees(self) -> UnixTime:
        """Time of the newest block that was taken in; what is due is reckoned from it."""
        return self._solitary.books.chain.head_time

    def watched(self) -> tuple[ChannelView, ...]:
        """The channels, as the last round has seen them."""
        return tuple(self._solitary.books.channels.values())
