"""Whoever posts to a page has so much of our memory, however slowly and from however many sides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from perun.wire.bodies import Bodies, BodyLimits, BodyRefused
from perun.wire.listener import Listener

Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Page:
    """A listener's page that answers once it is let; who asks says its own address."""

    def __init__(self, limits: BodyLimits) -> None:
        self.bodies = Bodies(limits, lambda request: request.headers["From"])
        self.answering = asyncio.Event()
        self.answering.set()
        self.read = 0
        self.listener = Listener("127.0.0.1", 0)
        self.listener.app.router.add_post("/page", self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        try:
            async with self.bodies.read(request) as (data, group):
                self.read += 1
                await self.answering.wait()
                return web.Response(text=f"{len(data)} {group}")
        except BodyRefused as refused:
            return web.Response(status=refused.status, text=refused.why)

    async def begin(self, length: int, body: bytes = b"", of: str = "a") -> Line:
        line = await asyncio.open_connection("127.0.0.1", self.listener.port)
        head = f"POST /page HTTP/1.1\r\nHost: x\r\nFrom: {of}\r\nContent-Length: {length}\r\n\r\n"
        line[1].write(head.encode() + body)
        return line

    async def ask(self, body: bytes, of: str = "a") -> tuple[int, str]:
        return await said(await self.begin(len(body), body, of))


async def said(line: Line) -> tuple[int, str]:
    reader, writer = line
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split()[1]), (await reader.readexactly(length)).decode()
    finally:
        writer.close()


@asynccontextmanager
async def a_page(limits: BodyLimits) -> AsyncIterator[Page]:
    page = Page(limits)
    await page.listener.start()
    try:
        yield page
    finally:
        page.answering.set()
        await page.listener.stop()


async def until_under_way(page: Page, bytes_: int) -> None:
    while sum(body.size for body in page.bodies._under_way) != bytes_:
        await asyncio.sleep(0.001)


def test_a_body_and_whose_it_is_is_read() -> None:
    async def run() -> None:
        async with a_page(BodyLimits(100)) as page:
            assert await page.ask(b"x" * 100, "b") == (200, "100 b")
            assert (await page.ask(b"x" * 101))[0] == 413
            assert not page.bodies._under_way
            assert not page.bodies._at_once

    asyncio.run(run())


def test_a_body_that_never_comes_is_not_waited_for() -> None:
    async def run() -> None:
        async with a_page(BodyLimits(100, seconds=0.05)) as page:
            assert await said(await page.begin(100, b"x")) == (408, "it came too slowly")

    asyncio.run(run())


def test_an_address_has_so_many_under_way_and_keeps_out_no_other() -> None:
    async def run() -> None:
        async with a_page(BodyLimits(100, at_once=2)) as page:
            slow = [await page.begin(100, b"x") for _ in range(2)]
            await until_under_way(page, 2)
            status, why = await page.ask(b"y")
            assert (status, "being answered" in why) == (429, True)
            assert await page.ask(b"y", "b") == (200, "1 b")
            for line in slow:
                line[1].close()
            await until_under_way(page, 0)
            assert await page.ask(b"y") == (200, "1 a")

    asyncio.run(run())


def test_a_body_counts_until_it_is_answered() -> None:
    async def run() -> None:
        async with a_page(BodyLimits(100, at_once=1)) as page:
            page.answering.clear()
            waits = await page.begin(1, b"x")
            while not page.read:
                await asyncio.sleep(0.001)
            assert (await page.ask(b"y"))[0] == 429
            page.answering.set()
            assert (await said(waits))[0] == 200

    asyncio.run(run())


def test_whoever_has_sent_most_goes_when_all_have_sent_too_much() -> None:
    """Attack: megabytes on each of hundreds of connections, and never their last byte."""

    async def run() -> None:
        async with a_page(BodyLimits(1_000, in_all=2_000)) as page:
            lines = [
                await page.begin(1_000, b"x" * size, of)
                for size, of in ((900, "a"), (700, "b"), (300, "c"))
            ]
            await until_under_way(page, 1_900)
            assert await page.ask(b"y" * 200, "honest") == (200, "200 honest")
            assert (await said(lines[0]))[0] == 408
            await until_under_way(page, 1_000)
            for line in lines[1:]:
                line[1].close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("limits", "sizes"),
    [
        (BodyLimits(100, each_second=0.1), (1,)),
        (BodyLimits(100, bytes_each_second=0.001), (100, 100)),
    ],
)
def test_requests_and_bytes_of_an_address_are_so_many(
    limits: BodyLimits, sizes: tuple[int, ...]
) -> None:
    async def run() -> None:
        async with a_page(limits) as page:
            for size in sizes:
                assert (await page.ask(b"x" * size))[0] == 200
            assert (await page.ask(b"x"))[0] == 429
            assert (await page.ask(b"x", "b"))[0] == 200

    asyncio.run(run())


def test_requests_that_make_no_sense_write_nothing_into_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Attack: a traceback for each, at the speed of the network, fills the disk."""

    async def run() -> None:
        async with a_page(BodyLimits(100)) as page:
            for data in (b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nX\x00: y\r\n\r\n"):
                line = await asyncio.open_connection("127.0.0.1", page.listener.port)
                line[1].write(data)
                assert (await said(line))[0] == 400

    asyncio.run(run())
    assert caplog.text == ""
