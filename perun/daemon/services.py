"""What a daemon does for others on its listener beside links: it keeps their backups."""

from __future__ import annotations

from pathlib import Path

from perun.backup.service import BackupService
from perun.daemon.settings import BadSettings, Settings
from perun.wire.listener import Listener

__all__ = ["Services"]


class Services:
    """Adds its routes to a listener that has not started."""

    def __init__(self, home: Path, settings: Settings, listener: Listener | None) -> None:
        """Raises `BadSettings`: nobody could reach what is to be served."""
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

    def close(self) -> None:
        """Finishes what is under way."""
        if self.backups is not None:
            self.backups.close()
