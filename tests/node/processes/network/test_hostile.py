"""A hub's process under everything that somebody on the network may send it."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator

import aiohttp
import pytest

from perun.node.settings import peer_id
from perun.testing.parties import key_of
from perun.wire.codes import Code
from perun.wire.packets import Kind, Packet
from tests.node.processes.network.processes import HUB, Hub, rude, run
from tests.node.processes.network.wired import Wired, eventually

MALLORY = peer_id(key_of("mallory").public_key)
BOB = peer_id(key_of("bob").public_key)
CAROL = peer_id(key_of("carol").public_key)
TAG = b"tag tag "


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with Hub() as hub:
        yield hub


def served(hub: Hub) -> None:
    """Somebody honest is, as if nothing else went on."""
    with Wired("carol") as carol:
        carol.wire.reach(HUB, hub.host)
        carol.wait(lambda: HUB in carol.met)
        word = os.urandom(8)
        carol.wire.send(HUB, (word,))
        eventually(lambda: word in hub.ask("heard", carol.peer))


# --------------------------------------------------------------------------------------- garbage


GARBAGE = [
    b"",
    b"\x00",
    b"\x01" + bytes(32),
    b"\x02",
    b"\x02" + bytes(98),
    b"\x02" + bytes(98) + b"\xff\xfe",
    b"\x02" + bytes(98) + b"x" * 400,
    b"\x03" + bytes(33),
    b"\x09" * 60_000,
    Packet(MALLORY, HUB, Kind.BOX, TAG, b"x").encode(),
]


@pytest.mark.parametrize("data", GARBAGE, ids=lambda data: data[:3].hex() + f"_{len(data)}")
def test_garbage_instead_of_attaching_closes_with_a_reason(hub: Hub, data: bytes) -> None:
    async def attack() -> None:
        async with rude(hub) as link:
            await link.socket.send_bytes(data)
            code, _, reason = (await link.hear()).decode().partition(" ")
            assert int(code) in (Code.MALFORMED, Code.REFUSED)
            assert reason

    run(attack())
    served(hub)


def test_attaching_takes_a_signature_over_this_challenge_at_this_host(hub: Hub) -> None:
    async def attack() -> None:
        tries = (
            ("mallory", hub.host, {"key": key_of("bob")}),
            ("mallory", hub.host, {"challenge": bytes(32)}),
            ("mallory", hub.host, {"signed_host": "hub.example.org"}),
            ("mallory", "hub.example.org", {}),
        )
        for name, host, other in tries:
            async with rude(hub) as link:
                answer = await link.attach(name, host, **other)
                assert answer.startswith(b"4003 "), answer
        async with rude(hub) as link:
            assert await link.attach("mallory", hub.host) == b"\x03" + MALLORY

    run(attack())


WRONG = [
    Packet(BOB, HUB, Kind.BOX, TAG, b"in the name of another").encode(),
    Packet(MALLORY, HUB, Kind.BOX, TAG).encode()[:-1],
    b"\x01" + bytes(80),
    b"",
]


@pytest.mark.parametrize("data", WRONG, ids=["other", "short", "kind", "empty"])
def test_garbage_of_somebody_attached_closes_with_a_reason(hub: Hub, data: bytes) -> None:
    async def attack() -> None:
        async with rude(hub) as link:
            await link.attach("mallory", hub.host)
            await link.socket.send_bytes(data)
            assert (await link.hear()).startswith(b"4000 ")

    run(attack())


def test_too_long_is_closed_and_the_longest_is_not(hub: Hub) -> None:
    async def attack() -> None:
        head = Packet(MALLORY, MALLORY, Kind.BOX, TAG).encode()
        async with rude(hub) as link:
            await link.attach("mallory", hub.host)
            longest = head + bytes(65_535 - len(head))
            await link.socket.send_bytes(longest)
            assert await link.hear() == longest
            await link.socket.send_bytes(longest + b"x")
            assert (await link.hear())[:4] in (b"4000", b"1009")
        async with rude(hub) as link:
            await link.socket.send_str("text")
            assert (await link.hear()).startswith(b"4000 ")

    run(attack())


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\xff" * 50,
        b"GET /wire HTTP/1.1\r\n\r\n",
        b"GET /wire HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 100_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
    ],
    ids=["noise", "no host", "no key", "long body", "long head", "tls"],
)
def test_what_is_no_websocket_is_harmless(hub: Hub, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", hub.port)) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass
    served(hub)


def test_half_a_packet_and_a_reset_is_harmless(hub: Hub) -> None:
    async def attack() -> None:
        async with rude(hub) as link:
            await link.attach("mallory", hub.host)
            transport = link.socket.get_extra_info("socket")
            assert transport is not None
            raw = link.socket._conn.transport  # type: ignore[union-attr]
            raw.write(b"\x82\xfe\xff\x00half")
            raw.abort()

    run(attack())
    served(hub)


def test_another_subprotocol_is_told_which_one_is_here(hub: Hub) -> None:
    async def ask() -> None:
        async with aiohttp.ClientSession() as client:
            answer = await client.get(f"http://{hub.host}/wire")
            assert answer.status == 426
            assert "perun.1" in await answer.text()

    run(ask())


# ------------------------------------------------------------------------------------------ floods


def flood(hub: Hub, count: int) -> None:
    """So many packets of each kind, by one that reads the answers."""
    kinds = [*Kind, 0, 77]
    tails = (b"", os.urandom(16), os.urandom(50), os.urandom(66), os.urandom(1_000))

    async def attack() -> None:
        async with rude(hub, "127.0.0.2") as link:
            await link.attach("mallory", hub.host)

            async def read() -> None:
                while not link.socket.closed:
                    await link.socket.receive()

            reader = asyncio.create_task(read())
            for kind in kinds:
                for number in range(count):
                    receiver = (HUB, BOB, MALLORY)[number % 3]
                    tag = number.to_bytes(8, "big")
                    packet = Packet(MALLORY, receiver, kind, tag, tails[number % len(tails)])
                    await link.socket.send_bytes(packet.encode())
            reader.cancel()

    run(attack())


def flooded(count: int) -> None:
    with Hub() as hub, Wired("alice") as alice:
        alice.wire.reach(HUB, hub.host)
        alice.wait(lambda: HUB in alice.met)
        before = hub.ask("memory")
        attacker = threading.Thread(target=flood, args=(hub, count))
        attacker.start()
        sent = []
        while attacker.is_alive():
            word = os.urandom(8)
            sent.append(word)
            alice.wire.send(HUB, (word,))
            eventually(lambda: word in hub.ask("heard", alice.peer))  # noqa: B023
        attacker.join()
        assert hub.ask("heard", alice.peer) == sent
        assert hub.ask("memory") - before < 30 * 2**20


def test_hostile_packets_of_each_kind_disturb_nobody() -> None:
    flooded(1_000)


@pytest.mark.slow
def test_a_hundred_thousand_hostile_packets_of_each_kind_disturb_nobody() -> None:
    flooded(100_000)


def test_a_slow_reader_is_disconnected_and_costs_nobody_else() -> None:
    async def attack(hub: Hub) -> None:
        async with rude(hub, "127.0.0.2") as slow, rude(hub) as mallory:
            await slow.attach("bob", hub.host)
            # What the kernel keeps is not the listener's: so little of it as it lets us.
            raw = slow.socket.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            slow.socket._conn.transport.pause_reading()  # type: ignore[union-attr]
            await mallory.attach("mallory", hub.host)
            packet = Packet(MALLORY, BOB, Kind.BOX, TAG, bytes(60_000)).encode()
            undelivered = Packet(BOB, MALLORY, Kind.UNDELIVERED, TAG).encode()
            hearing = asyncio.create_task(mallory.hear())
            for _ in range(400):
                await mallory.socket.send_bytes(packet)
                if hearing.done():
                    break
            assert await hearing == undelivered
            slow.socket._conn.transport.abort()  # type: ignore[union-attr]

    with Hub() as hub:
        before = hub.ask("memory")
        run(attack(hub))
        assert hub.ask("memory") - before < 20 * 2**20
        served(hub)


@pytest.mark.slow
def test_whoever_is_sent_too_much_stays_and_hears_others() -> None:
    """Attack: an attached stranger sends more than a customer's line takes, and the customer's link
    is closed for being slow: out of reach for as long as one likes."""

    async def attack(hub: Hub) -> None:
        async with (
            rude(hub, "127.0.0.2") as bob,
            rude(hub, "127.0.0.3") as carol,
            rude(hub) as mallory,
        ):
            await bob.attach("bob", hub.host)
            raw = bob.socket.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            transport = bob.socket._conn.transport  # type: ignore[union-attr]
            transport.pause_reading()
            await mallory.attach("mallory", hub.host)
            await carol.attach("carol", hub.host)
            packet = Packet(MALLORY, BOB, Kind.BOX, TAG, bytes(20_000)).encode()
            undelivered = Packet(BOB, MALLORY, Kind.UNDELIVERED, TAG).encode()
            hearing = asyncio.create_task(mallory.hear())
            for _ in range(2_000):
                await mallory.socket.send_bytes(packet)
                if hearing.done():
                    break
            assert await hearing == undelivered
            for _ in range(200):
                await mallory.socket.send_bytes(packet)
            word = Packet(CAROL, BOB, Kind.BOX, TAG, b"from carol").encode()
            await carol.socket.send_bytes(word)
            transport.resume_reading()
            while (heard := await bob.hear()) != word:
                assert heard == packet, heard

    with Hub() as hub:
        run(attack(hub))


HALVES = {
    "connections": b"",
    "half requests": b"GET /wire HTTP/1.1\r\nHost: h",
    "links that do not attach": (
        b"GET /wire HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: perun.1\r\n\r\n"
    ),
}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(data, id=name, marks=() if "links" in name else (pytest.mark.slow,))
        for name, data in HALVES.items()
    ],
)
def test_ten_thousand_that_stop_half_way_keep_nobody_out(data: bytes) -> None:
    with Hub() as hub:
        before = hub.ask("memory")
        halves = []
        try:
            for number in range(10_000):
                half = socket.socket()
                halves.append(half)
                # Of a thousand addresses, so that those of one are not what stops them.
                half.bind((f"127.0.{2 + number % 4}.{1 + number % 250}", 0))
                half.connect(("127.0.0.1", hub.port))
                half.sendall(data)
                if number % 2_500 == 2_499:
                    served(hub)
            new, _, turned_away, _ = hub.ask("door")
            assert new <= 1_024
            assert turned_away >= 8_900
            assert hub.ask("memory") - before < 60 * 2**20
            served(hub)
        finally:
            for half in halves:
                half.close()
        eventually(lambda: hub.ask("door")[3] <= 1)


def test_those_of_one_address_keep_out_no_other_and_are_told() -> None:
    async def attack(hub: Hub) -> None:
        async with rude(hub, "127.0.0.2") as first:
            halves = [
                await asyncio.open_connection("127.0.0.1", hub.port, local_addr=("127.0.0.2", 0))
                for _ in range(70)
            ]
            assert (await first.hear()).startswith(b"4004 ")
            async with rude(hub, "127.0.0.3") as other:
                assert await other.attach("bob", hub.host) == b"\x03" + BOB
            for _, writer in halves:
                writer.close()

    with Hub(grace=0) as hub:
        run(attack(hub))


def test_whoever_does_not_attach_in_time_is_told() -> None:
    async def wait(hub: Hub) -> None:
        async with rude(hub) as link:
            assert (await link.hear()).startswith(b"4002 ")

    with Hub(seconds=0.5) as hub:
        run(wait(hub))


def test_links_of_an_address_are_counted() -> None:
    async def attack(hub: Hub) -> None:
        async with rude(hub, "127.0.0.2") as one, rude(hub, "127.0.0.2") as two:
            await one.attach("alice", hub.host)
            await two.attach("bob", hub.host)
            async with rude(hub, "127.0.0.2") as three:
                assert (await three.attach("mallory", hub.host)).startswith(b"4004 ")
            async with rude(hub, "127.0.0.3") as other:
                # The hub is full: one goes that comes from where most come from.
                assert await other.attach("carol", hub.host)
            assert (await two.hear()).startswith(b"4005 ")

    with Hub(links=2, links_per_address=2) as hub:
        run(attack(hub))


def test_whoever_sends_too_fast_is_read_more_slowly() -> None:
    async def attack(hub: Hub) -> None:
        async with rude(hub) as link:
            await link.attach("mallory", hub.host)
            loop = asyncio.get_running_loop()
            start = loop.time()
            for number in range(150):
                tag = number.to_bytes(8, "big")
                await link.socket.send_bytes(Packet(MALLORY, BOB, Kind.BOX, tag).encode())
            for _ in range(150):
                await link.hear()
            assert loop.time() - start >= 0.9

    with Hub(messages_each_second=50) as hub:
        run(attack(hub))
