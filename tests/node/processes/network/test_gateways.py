"""Gateways over NATS hold sockets and no key; any may die; a stolen one can drop and delay."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nats as client
import pytest
import requests

from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire.listener import Listener
from perun.wire.mesh import Mesh, Server
from perun.wire.packets import Kind, Packet
from tests.node.processes.network.proxy import Proxy
from tests.node.processes.network.wired import Wired, eventually
from tests.support.nats import NatsServer, nats_program

pytestmark = pytest.mark.skipif(
    nats_program() is None, reason="NATS is not installed: apt-get install nats-server"
)


@pytest.fixture
def nats(tmp_path: Path, stack: ExitStack) -> NatsServer:
    server = NatsServer(tmp_path)
    stack.callback(server.stop)
    return server


class Gateway:
    """`perun gateway` in a process; it runs and has reached NATS once this is made."""

    def __init__(self, nats: NatsServer, *hosts: str) -> None:
        command = [sys.executable, "-m", "perun.cli.main", "gateway", "--nats", nats.url]
        command += ["--listen", "127.0.0.1:0"]
        for host in hosts:
            command += ["--host", host]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = self._lines({"Running", "MeshUp"})
        self.host: str = lines["Running"]["host"]
        self.port = int(self.host.rsplit(":", 1)[1])

    def _lines(self, wanted: set[str]) -> dict[str, Any]:
        assert self.process.stdout is not None
        found: dict[str, Any] = {}
        for line in self.process.stdout:
            said = json.loads(line)
            found[said["event"]] = said
            if wanted <= found.keys():
                return found
        raise AssertionError(f"it has ended, and said {found}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def gateway(stack: ExitStack, nats: NatsServer, *hosts: str) -> Gateway:
    found = Gateway(nats, *hosts)
    stack.callback(lambda: found.process.poll() is None and found.kill())
    return found


def joined(stack: ExitStack, name: str, mesh: Mesh) -> Wired:
    """A node with a listener of its own in the mesh, as a hub has."""
    listener = Listener("127.0.0.1", 0, mesh=mesh, card=lambda: "the card")
    return stack.enter_context(Wired(name, listener=listener))


def hub_in(stack: ExitStack, nats: NatsServer) -> Wired:
    return joined(stack, "ingrid", Mesh(Server(nats.url), card=lambda: "the card"))


def test_ends_at_different_gateways_reach_each_other_and_the_hub(
    stack: ExitStack, nats: NatsServer
) -> None:
    hub = hub_in(stack, nats)
    one, two = gateway(stack, nats), gateway(stack, nats)
    alice, bob = (stack.enter_context(Wired(name)) for name in ("alice", "bob"))
    alice.wire.reach(hub.peer, one.host)
    bob.wire.reach(hub.peer, two.host)
    hub.wait_met(alice, bob)

    bob.wire.reach(alice.peer, two.host)
    for at in range(200):
        alice.wire.send(hub.peer, [b"to the hub %d" % at])
        bob.wire.send(alice.peer, [b"to alice %d" % at])
    hub.wait_heard(b"to the hub 199")
    alice.wait_heard(b"to alice 199")
    assert hub.heard(alice) == [b"to the hub %d" % at for at in range(200)]
    assert alice.heard(bob) == [b"to alice %d" % at for at in range(200)]


def test_killed_gateway_is_left_for_another_and_nats_may_restart(
    stack: ExitStack, nats: NatsServer
) -> None:
    hub = hub_in(stack, nats)
    # What is in front of all of them under one name.
    door = Proxy(0)
    one, two = (gateway(stack, nats, door.host) for _ in range(2))
    door.target = one.port
    alice = stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, door.host)
    alice.wait_met(hub)
    alice.wire.send(hub.peer, [b"by the first"])
    hub.wait_heard(b"by the first")

    door.target = two.port
    one.kill()
    alice.wait_met(hub, times=2)
    alice.wire.send(hub.peer, [b"by the second"])
    hub.wait_heard(b"by the second")

    nats.stop()
    nats.start()
    number = iter(range(10_000))

    def heard() -> bool:
        alice.wire.send(hub.peer, [b"after nats %d" % next(number)])
        return any(frame.startswith(b"after nats") for frame in hub.heard(alice))

    eventually(heard)


def test_newer_link_at_another_gateway_takes_the_older_ones_place(
    stack: ExitStack, nats: NatsServer
) -> None:
    hub = hub_in(stack, nats)
    one, two = gateway(stack, nats), gateway(stack, nats)
    older = stack.enter_context(Wired("alice"))
    older.wire.reach(hub.peer, one.host)
    older.wait_met(hub)
    newer = stack.enter_context(Wired("alice"))
    newer.wire.reach(hub.peer, two.host)
    newer.wait_met(hub)

    older.wait(lambda: any(getattr(it, "stays_away", False) for it in older.news))
    hub.wire.send(newer.peer, [b"to the newer"])
    newer.wait_heard(b"to the newer")


def test_whom_nobody_knows_is_said_to_be_undelivered(stack: ExitStack, nats: NatsServer) -> None:
    """By NATS itself where nobody listens: a peer that is not there is not waited for."""

    async def talk() -> bytes:
        mesh = Mesh(Server(nats.url))
        listener = Listener("127.0.0.1", 0, mesh=mesh)
        await listener.start()
        came: asyncio.Queue[bytes] = asyncio.Queue()

        class Here:
            def take(self, data: bytes) -> None:
                came.put_nowait(data)

            def leave(self, code: object, reason: str) -> None:
                raise AssertionError(reason)

        sender, nobody = (peer_id(key_of(name).public_key) for name in ("alice", "bob"))
        listener.relay.attach(sender, Here())
        while not mesh.up:
            await asyncio.sleep(0.01)
        packet = Packet(sender, nobody, Kind.BOX, b"a tag 12", b"x" * 40)
        listener.relay.carry(sender, packet.encode())
        answer = await asyncio.wait_for(came.get(), 60)
        await listener.stop()
        return answer

    answer = asyncio.run(talk())
    assert answer[67] == Kind.UNDELIVERED
    assert answer[68:76] == b"a tag 12"


def test_gateway_serves_the_hubs_card(stack: ExitStack, nats: NatsServer) -> None:
    hub_in(stack, nats)
    one = gateway(stack, nats)

    def served() -> bool:
        answer = requests.get(f"http://{one.host}/.well-known/perun.json", timeout=10)
        return answer.status_code == 200 and answer.text == "the card"

    eventually(served)


async def _abuse(url: str, hub: Wired, alice: Wired) -> list[bytes]:
    """What whoever is in the mesh can do beyond dropping: read all, say it again, changed or not,
    and say things in others' names."""
    seen: list[tuple[str, bytes]] = []
    link = await client.connect(url)

    async def note(message: Any) -> None:
        seen.append((message.subject, message.data))

    listening = await link.subscribe("perun.>", cb=note)
    await link.flush()
    for at in range(20):
        alice.wire.send(hub.peer, [b"a secret %d" % at])
    while b"a secret 19" not in hub.heard(alice):
        await asyncio.sleep(0.01)
    await listening.unsubscribe()
    packets = [(where, data) for where, data in seen if where.startswith("perun.to.")]
    to_hub = [data for where, data in packets if where.endswith(hub.peer.hex())]
    assert len(to_hub) > 0
    own, other = alice.peer, peer_id(key_of("mallory").public_key)
    for data in to_hub:
        header = 1 + data[0]
        changed = [data, data[:-1] + bytes((data[-1] ^ 1,)), data.replace(own, other), data[:-5]]
        for kind in Kind:
            forged = Packet(own, hub.peer, kind, data[header + 68 : header + 76], b"a lie" * 20)
            changed.append(data[:header] + forged.encode())
        for one in [*changed, b"", b"\xff" * 90, b"\x00" * 90]:
            await link.publish(f"perun.to.{hub.peer.hex()}", one)
    # To throw out the hub itself is not in its power.
    await link.publish("perun.newest", b"f" * 16 + hub.peer)
    await link.publish(f"perun.no.{'f' * 16}.x.y", b"")
    await link.flush()
    await link.close()
    return [data for _, data in seen]


def test_stolen_gateway_neither_reads_nor_speaks_for_anybody(
    stack: ExitStack, nats: NatsServer
) -> None:
    hub = hub_in(stack, nats)
    one = gateway(stack, nats)
    alice = stack.enter_context(Wired("alice"))
    alice.wire.reach(hub.peer, one.host)
    alice.wait_met(hub)
    seen = asyncio.run(_abuse(nats.url, hub, alice))

    assert not any(b"secret" in data for data in seen)
    # Sessions may have been lost by that, and are opened anew.
    number = iter(range(10_000))

    def heard() -> bool:
        alice.wire.send(hub.peer, [b"still here %d" % next(number)])
        return any(frame.startswith(b"still here") for frame in hub.heard(alice))

    eventually(heard)
    secrets = [frame for frame in hub.heard(alice) if frame.startswith(b"a secret")]
    assert secrets == [b"a secret %d" % at for at in range(20)]
    assert {peer for peer, _ in hub.frames} == {alice.peer}
    assert not any(b"a lie" in frame for _, frame in hub.frames)
