"""One node in a process of its own: its store, and a pipe for everything else."""

from __future__ import annotations

import os
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from perun.core.books import Books
from perun.core.config import Policy
from perun.core.effects import Submit, Watch
from perun.core.nanocontracts.hash_chain import paid_in
from perun.core.state import LegStatus, PeerId, Totals
from perun.crypto.hashing import keccak
from perun.node.keeping import Place, open_store
from perun.node.recovery import open_books
from perun.node.runtime import Node
from perun.node.settings import config_for
from perun.store import await_turn
from perun.testing.parties import DEPLOYMENT, LIMITS, MemorySigner, key_of
from perun.types import Stream, UnixTime, Version, Wei

Report = tuple[
    bool,
    dict[bytes, tuple[Version, Version]],
    dict[bytes, Totals],
    set[bytes],
    dict[bytes, Wei],
]
"""What a store holds when it is opened: whether it is exit only; by channel the highest version
signed and the newest fully signed; the totals by machine; the machines that are good for payments;
and by stream what was paid in it."""


class _Outside:
    """Wire, chain and clock at the other end of the pipe."""

    def __init__(self, pipe: Connection, time: int) -> None:
        self._pipe = pipe
        self.time = time

    def send(self, peer: PeerId, frames: Sequence[bytes], via: PeerId = b"") -> None:
        """See `perun.ports.Wire`."""
        for frame in frames:
            self._pipe.send(("frame", peer, frame))

    def watch(self, watch: Watch) -> None:
        """See `perun.ports.Chain`."""
        self._pipe.send(("watch", watch))

    def submit(self, submit: Submit) -> None:
        """See `perun.ports.Chain`."""
        self._pipe.send(("submit", submit))

    def now(self) -> UnixTime:
        """See `perun.ports.Clock`."""
        return UnixTime(self.time)


def live(name: str, place: Place, policy: Policy, time: int, pipe: Connection) -> None:
    """Opens the store and works until killed."""
    key = key_of(name)
    if isinstance(place, Path):
        store = open_store(place, (), lambda _: None)
    else:
        await_turn(place)
        # Without its database it ends, as a daemon does.
        store = open_store(place, (), lambda _: os._exit(1))
    seed = keccak(b"seed of " + name.encode())
    config = config_for(DEPLOYMENT, key.public_key, seed, policy=policy, limits=LIMITS)
    books = open_books(config, store)
    pipe.send(("alive", report(books)))
    outside = _Outside(pipe, time)
    node = Node(
        books,
        store,
        MemorySigner(DEPLOYMENT, key),
        outside,
        outside,
        lambda notice: pipe.send(("notice", notice)),
    )
    node.connect(outside)
    node.start()
    while True:
        while node.turn():
            pass
        kind, *rest = pipe.recv()
        if kind == "frame":
            node.receive(rest[0], (rest[1],))
        elif kind == "inputs":
            node.post(rest[0])
        elif kind == "meet":
            node.meet(rest[0])
        elif kind == "time":
            outside.time = rest[0]
        elif kind == "ping":
            pipe.send(("pong", rest[0], report(books) if rest[1] else None))


def report(books: Books) -> Report:
    """What the books say."""
    versions = {
        bytes(view.id): (
            view.signed,
            view.agreed.state.version if view.agreed is not None else Version(0),
        )
        for view in books.channels.values()
    }
    good = {
        bytes(view.id)
        for view in books.instances.values()
        if not view.leave_sent and all(leg.status is LegStatus.LISTED for leg in view.legs)
    }
    totals = {bytes(id): row for id, row in books.totals.items()}
    streams = {
        bytes(view.id): paid_in(view.terms, view)
        for view in books.instances.values()
        if isinstance(view.terms, Stream)
    }
    return books.exit_only, versions, totals, good, streams
