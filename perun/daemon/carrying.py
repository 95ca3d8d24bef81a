"""Swaps under way, kept on disk beside a node, and secrets that its daemon carries over.

The command that swaps may be killed at any moment. What it cannot begin again without is in a
folder of the node's: the holder's secret, and the ticket. Who locks second pays by a secret that he
needs in the other network, and neither of his nodes knows of the other; so the daemon where he is
paid looks at his node where he pays, until it is over, whatever becomes of the command.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import msgspec

from perun.api.client import connect
from perun.nesting import read_json

__all__ = ["Carrier", "Swap", "forget", "keep", "kept"]

_FOLDER: Final = "swaps"
_PAUSE: Final = 2.0
"""Seconds between two looks: far below the two margins by which the first lock ends later."""


class Swap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of ours; in the folder of the node that locks first, or is paid by that lock."""

    hash: Annotated[str, msgspec.Meta(pattern=r"^0x[0-9a-f]{64}\Z")]
    ticket: str
    other: str = ""
    """Folder of our node in the other network; empty: it is the same one."""
    secret: str = ""
    """If we are its holder."""
    lock: str = ""
    """Else the id of the lock that pays us."""


def keep(home: Path, swap: Swap) -> None:
    """On disk before it returns; to be called before our lock is made."""
    folder = home / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    fresh = folder / f"{swap.hash}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "wb") as file:
        file.write(msgspec.json.encode(swap))
        file.flush()
        os.fsync(handle)
    fresh.replace(folder / f"{swap.hash}.json")
    for place in (folder, home):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def kept(home: Path) -> Iterator[Swap]:
    """All of them; a file that is none is left alone."""
    for file in sorted((home / _FOLDER).glob("0x*.json")):
        with suppress(OSError, msgspec.DecodeError):
            yield read_json(file.read_bytes(), Swap)


def forget(home: Path, hash: str) -> None:
    """It is over."""
    (home / _FOLDER / f"{hash}.json").unlink(missing_ok=True)


class Carrier:
    """Looks after the swaps of one node in which we lock second, as long as its daemon runs."""

    def __init__(self, home: Path, tell: Callable[[Exception], None]) -> None:
        """Args:
        tell: hears why a swap could not be looked after; once for each reason.
        """
        self._home, self._tell = home, tell
        self._told: dict[str, str] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="perun-swaps", daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def stop(self) -> None:
        """Looks no more; a node that is slow to answer keeps nobody."""
        self._stopped.set()

    def look(self) -> None:
        """Brings every secret that has come out, and forgets what is over."""
        for swap in kept(self._home):
            if not swap.lock:
                continue  # its holder decides
            try:
                self._carry(swap)
            except Exception as fault:  # whatever it is: the next look may succeed
                if self._told.get(swap.hash) != str(fault):
                    self._told[swap.hash] = str(fault)
                    self._tell(fault)

    def _run(self) -> None:
        while not self._stopped.wait(_PAUSE):
            self.look()

    def _carry(self, swap: Swap) -> None:
        with connect(home=self._home) as here:
            ours = next((one for one in here.locks() if one.id == swap.lock), None)
            if ours is None or ours.state in ("decided", "over"):
                forget(self._home, swap.hash)
            elif not swap.other or ours.secret is not None:
                return  # one node sees to both locks by itself; or it knows all
            elif (secret := _shown(swap)) is not None:
                # By the key of the command: whichever of the two comes second does nothing.
                here.show_secret(ours.id, secret, idempotency_key=f"swap show {swap.hash}")


def _shown(swap: Swap) -> str | None:
    """What has come out where we pay."""
    with connect(home=Path(swap.other)) as there:
        known = (one.secret for one in there.locks() if one.hash == swap.hash)
        return next((secret for secret in known if secret), None)
