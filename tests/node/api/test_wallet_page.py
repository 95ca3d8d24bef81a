"""The page over a daemon's node: who gets its token, and what is passed on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from aiohttp import web

from perun.api.sessions import UNKNOWN_TOKEN
from perun.api.wallet_page import NOT_RUNNING, Code, wallet_app, write_link
from perun.app.methods import Scope
from tests.node.api.conftest import Desk

HERE: Final = "127.0.0.1"


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


class Served:
    """The page as it is served, and how a browser asks it."""

    def __init__(self, url: str, client: aiohttp.ClientSession, code: Code) -> None:
        self.url, self.client, self.code = url, client, code

    async def token(self, code: str, **headers: str) -> tuple[int, str]:
        own = {"Origin": self.url, **headers}
        async with self.client.post(f"{self.url}/token", json={"code": code}, headers=own) as said:
            return said.status, await said.text()

    async def first_answer(self, token: str, origin: str | None = None) -> str | int:
        """What comes after the token was said: text, or why the line ends."""
        own = {"Origin": origin or self.url}
        async with self.client.ws_connect(f"{self.url}/ws", headers=own) as line:
            await line.send_json({"token": token})
            message = await line.receive()
            return message.data if isinstance(message.data, str | int) else -1


@asynccontextmanager
async def served(folder: Path, node: str | None) -> AsyncIterator[Served]:
    (folder / "index.html").write_text("<p>")
    code = Code()

    def where() -> str:
        if node is None:
            raise FileNotFoundError
        return node

    app = wallet_app(where, {}, code.take, "the token", folder)
    running = web.AppRunner(app)
    await running.setup()
    site = web.TCPSite(running, HERE, 0)
    await site.start()
    try:
        (place,) = running.addresses
        async with aiohttp.ClientSession() as client:
            yield Served(f"http://{HERE}:{place[1]}", client, code)
    finally:
        await running.cleanup()


def test_a_code_is_changed_for_the_token_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, None) as page:
            assert (await page.token("another"))[0] == 403
            assert await page.token(page.code.text) == (200, '{"token": "the token"}')
            assert (await page.token(page.code.text))[0] == 403

    run(story())


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Origin": "null"}]
)
def test_other_pages_get_no_token(tmp_path: Path, headers: dict[str, str]) -> None:
    async def story() -> None:
        async with served(tmp_path, None) as page:
            assert (await page.token(page.code.text, **headers))[0] == 403
            assert (await page.token(page.code.text))[0] == 200

    run(story())


def test_what_the_page_says_reaches_the_node_with_its_token(tmp_path: Path, desk: Desk) -> None:
    async def story() -> None:
        async with served(tmp_path, desk.server.url) as page:
            assert '"hello"' in str(await page.first_answer(desk.token("page", Scope.ALL)))
            assert await page.first_answer("none") == UNKNOWN_TOKEN
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await page.first_answer("none", "http://evil.example")

    run(story())


def test_a_page_is_told_that_the_node_is_not_there(tmp_path: Path) -> None:
    async def story() -> None:
        async with served(tmp_path, None) as page:
            assert await page.first_answer("any") == NOT_RUNNING

    run(story())


def test_the_links_file_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "wallet.html"
    write_link(path, "http://localhost:1/#code=a")
    write_link(path, "http://localhost:1/#code=b")
    assert path.stat().st_mode & 0o077 == 0
    assert "#code=b" in path.read_text()
