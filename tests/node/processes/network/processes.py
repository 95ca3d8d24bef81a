"""A hub's wire in a process of its own, which can be asked how it is, and a rude client."""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from perun.crypto import SecretKey, sign
from perun.encoding.wire_data import attach_digest
from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire import packets
from perun.wire.door import DoorLimits
from perun.wire.packets import MAX_PACKET_BYTES, PROTOCOL, Attach
from tests.node.processes.network.wired import PATIENCE_SECONDS, Listener, Wired

HUB = peer_id(key_of("ingrid").public_key)


def _live(pipe: Connection, limits: dict[str, Any], port: int) -> None:
    listener = Listener("127.0.0.1", port, limits=DoorLimits(**limits))
    with Wired("ingrid", listener=listener) as hub:
        pipe.send(listener.port)
        while True:
            asked, *rest = pipe.recv()
            if asked == "stop":
                return
            pipe.send(_answer(hub, asked, *rest))


def _answer(hub: Wired, asked: str, *rest: Any) -> Any:
    assert hub.listener is not None
    door = hub.listener.door
    if asked == "memory":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    if asked == "door":
        return door.new, door.links, door.turned_away, len(hub.listener._visitors)
    if asked == "heard":
        return [frame for peer, frame in hub.frames if peer == rest[0]]
    if asked == "send":
        hub.wire.send(rest[0], rest[1])
        return None
    if asked == "cpu":
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime
    raise ValueError(asked)


class Hub:
    """The process, from outside."""

    def __init__(self, port: int = 0, **limits: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self.process = context.Process(target=_live, args=(theirs, limits, port), daemon=True)
        self.process.start()
        assert self._pipe.poll(PATIENCE_SECONDS)
        self.port: int = self._pipe.recv()
        self.host = f"127.0.0.1:{self.port}"

    def ask(self, *question: Any) -> Any:
        self._pipe.send(question)
        assert self._pipe.poll(PATIENCE_SECONDS), f"the hub does not answer {question[0]}"
        return self._pipe.recv()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.is_alive():
            self._pipe.send(("stop",))
            self.process.join(10)
        self.process.kill()


class Rude:
    """A client that says what it likes."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, challenge: bytes) -> None:
        self.socket = socket
        self.challenge = challenge

    async def attach(self, name: str, host: str, **other: Any) -> bytes:
        """Attaches as somebody, or tries to; the answer."""
        key: SecretKey = other.get("key", key_of(name))
        peer = peer_id(key_of(name).public_key)
        challenge = other.get("challenge", self.challenge)
        signature = sign(attach_digest(other.get("signed_host", host), challenge), key)
        await self.socket.send_bytes(Attach(peer, signature, host).encode())
        return await self.hear()

    async def hear(self) -> bytes:
        """What comes; at the end the close code and reason, as text in bytes."""
        message = await self.socket.receive(PATIENCE_SECONDS)
        if message.type is aiohttp.WSMsgType.BINARY:
            return message.data
        if message.type is aiohttp.WSMsgType.CLOSE:
            return f"{message.data} {message.extra}".encode()
        return f"{self.socket.close_code} ".encode()


@asynccontextmanager
async def rude(hub: Hub, address: str = "127.0.0.1", **more: Any) -> AsyncIterator[Rude]:
    """A link that is not attached yet."""
    connector = aiohttp.TCPConnector(local_addr=(address, 0), limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        socket = await client.ws_connect(
            f"ws://{hub.host}/wire",
            protocols=(PROTOCOL,),
            max_msg_size=MAX_PACKET_BYTES + 1,
            **more,
        )
        async with socket:
            challenge = packets.read_challenge(await socket.receive_bytes())
            yield Rude(socket, challenge)


def run(work: Any) -> Any:
    """Runs an asynchronous part of a test."""
    return asyncio.run(work)


__all__ = ["HUB", "Hub", "Rude", "rude", "run"]
