"""The hub under load: a process with its store on disk; it listens, or stands behind gateways."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.load_network import hub_policy, settings
from benchmarks.perun_load.chain import OnShared, Pipe, SharedStage, Start
from benchmarks.players import key_named
from benchmarks.processes import HELLO, Sockets, cpu_seconds, memory_bytes
from perun.wire.door import door_for
from perun.wire.listener import Listener
from perun.wire.mesh import Mesh, Server
from perun.wire.web import WebWire

__all__ = ["NAME", "Hub", "hub"]

NAME: Final = "hub"


@dataclass(frozen=True, slots=True)
class Hub:
    """What its process is told."""

    start: Start
    folder: Path
    links: int
    nats: str = ""
    """Behind gateways; empty: it listens itself."""


def hub(connection: Connection, what: Hub) -> None:
    """Until it is told to end."""
    pipe = Pipe(connection)
    mesh = Mesh(Server(what.nats), card=lambda: None) if what.nats else None
    listener = Listener("127.0.0.1", 0, limits=door_for(what.links, what.links), mesh=mesh)
    wire = WebWire(key_named(NAME), HELLO, listener=listener, admits=lambda _peer, _token: True)
    stage = SharedStage(pipe, what.start, what.folder, settings())
    stage.network = Sockets(wire)
    player = stage.enter(OnShared(NAME, stage, hub_policy()))
    player.node.start()
    player.start()
    pipe.say("listens", listener.host)
    while True:
        kind, *rest = pipe.connection.recv()
        if kind == "block":
            stage.take(rest[0])
        elif kind == "cost":
            pipe.say("cost", cpu_seconds(), memory_bytes())
        elif kind == "end":
            if player.node.failed is not None:
                raise player.node.failed
            player.stop()
            pipe.say("ended", Counter(type(why).__name__ for _, why in player.faults))
            return
