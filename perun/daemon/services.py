"""What a daemon does for others on its listener beside links: it keeps their backups, and watches
for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from perun.backup.service import BackupService
from perun.daemon.settings import BadSettings, Settings
from perun.tower.service import TowerService
from perun.wire.listener import Listener

__all__ = ["Services"]


class Services:
    """Adds its routes to a listener that has not started."""

    def __init__(
        self,
        home: Path,
        settings: Settings,
        listener: Listener | None,
        tower: Callable[[Listener], TowerService],
    ) -> None:
        """Args:
        tower: makes one that answers at a listener.

        Raises:
            BadSettings: nobody could reach what is to be served.
        """
        is_hub = settings.hub is not None
        keep = is_hub if settings.backup.keep is None else settings.backup.keep
        self.backups: BackupService | None = None
        self.offers: tuple[str, ...] = ()
        if keep and listener is None:
            if settings.backup.keep:
                raise BadSettings("[backup] keep = true", "needs an address: [wire] listen")
            keep = False
        if keep:
            assert listener is not None
            self.backups = BackupService(home / settings.backup.folder, listener.address_of_request)
            self.backups.add_to(listener.app)
            self.offers = ("backup",)

        self.tower: TowerService | None = None
        if settings.tower.serve:
            if listener is None:
                raise BadSettings("[tower] serve = true", "needs an address: [wire] listen")
            self.tower = tower(listener)
            self.offers += ("tower",)

    def start(self) -> None:
        """Watches for others from now on."""
        if self.tower is not None:
            self.tower.start()

    def close(self) -> None:
        """Finishes what is under way."""
        if self.tower is not None:
            self.tower.stop()
        if self.backups is not None:
            self.backups.close()
