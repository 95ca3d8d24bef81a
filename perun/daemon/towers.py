"""A daemon's towers: who watches for it, and the tower that it is for others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from perun.app import values as v
from perun.chain.endpoint import Endpoint
from perun.chain.provider import BlockingAsker
from perun.chain.reports import Report
from perun.core.config import Deployment
from perun.core.limits import Limits
from perun.core.state import PeerId
from perun.crypto import SecretKey
from perun.daemon.policies import TEST_NETWORKS
from perun.daemon.settings import BadSettings, TowerSettings
from perun.encoding.addresses import node_id
from perun.errors import PeerFault
from perun.node.afloat import afloat_journal
from perun.node.assembly import Assembly
from perun.node.told import rows_of
from perun.tower.admission import Admission
from perun.tower.client import TowerClient
from perun.tower.guard import Guard
from perun.tower.hired import shown, watchers
from perun.tower.service import TowerService
from perun.types import ChannelId, InstanceId
from perun.wallet import KeyAccount
from perun.wire.listener import Listener

__all__ = ["Towers", "tower_on"]


class Towers:
    """Those that watch for us."""

    def __init__(
        self,
        assembly: Assembly,
        key: SecretKey,
        addresses: tuple[str, ...],
        tell: Callable[[PeerFault], None],
    ) -> None:
        """Tells nobody anything yet."""
        rows = tuple(rows_of(assembly.node.books)) if addresses else ()
        self._clients = [
            TowerClient(address, key, assembly.profile, rows, BlockingAsker(), tell)
            for address in addresses
        ]
        for client in self._clients:
            assembly.follow(client.note)

    def start(self) -> None:
        """Tells all of them what there is."""
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """Tells them what is left."""
        for client in self._clients:
            client.stop()

    def watchers(self, channel: ChannelId) -> list[v.Watcher]:
        """Those who have acknowledged a channel, and see the chain."""
        return watchers(self._clients, channel)

    def knows(self, machine: InstanceId, total: int) -> bool:
        """Whether all of them would submit this total, or a higher one."""
        return all(client.knows(machine, total) for client in self._clients)

    def states(self) -> tuple[v.Tower, ...]:
        """All of them."""
        return shown(self._clients)


def tower_on(
    listener: Listener,
    folder: Path,
    settings: TowerSettings,
    *,
    endpoint: Endpoint,
    deployment: Deployment,
    account: SecretKey,
    limits: Limits,
    since: int,
    own: PeerId = b"",
    report: Callable[[Report], None] = lambda _: None,
    tell: Callable[[str, Exception], None] = lambda *_: None,
) -> TowerService:
    """A tower that answers at a listener that has not started.

    Args:
        account: pays for its answers; nobody else may send from it.
        own: our node, against which nobody watches here.

    Raises:
        BadSettings: it would watch for everybody where answers cost money.
    """
    if not settings.clients and deployment.contract.chain_id not in TEST_NETWORKS:
        raise BadSettings(
            "[tower] clients", "names nobody: where gas costs money, say for whom it watches"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sent, let_go = afloat_journal(
        folder / "sent.sqlite", account.address, lambda fault: tell("journal", fault)
    )
    guard = Guard(
        endpoint,
        deployment,
        KeyAccount(account),
        limits=limits,
        journal=sent,
        since=since,
        report=report,
        fault=lambda client, error: tell(client.hex(), error),
    )
    service = TowerService(
        folder,
        guard,
        Admission(deployment, own),
        listener.address_of_request,
        listener.is_called,
        only=frozenset(map(node_id, settings.clients)),
        tell=tell,
        let_go=let_go,
    )
    service.add_to(listener.app)
    return service
