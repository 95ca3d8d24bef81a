"""A listener with a certificate of its own, and pages beside the links."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from perun.wire import packets
from perun.wire.door import DoorLimits
from perun.wire.listener import CARD_PATH, Listener
from perun.wire.packets import PROTOCOL


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of the server, and of a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cafile=str(file))


async def hello(_: web.Request) -> web.Response:
    return web.Response(text="hello")


def test_links_card_and_pages_over_tls(tmp_path: Path) -> None:
    server, trusting = certificate(tmp_path)

    async def visit() -> None:
        listener = Listener("127.0.0.1", 0, tls=server, card=lambda: '{"card": {}}')
        listener.app.router.add_get("/hello", hello)
        await listener.start()
        try:
            at = f"https://localhost:{listener.port}"
            async with aiohttp.ClientSession() as client:
                card = await client.get(at + CARD_PATH, ssl=trusting)
                assert (card.status, await card.json()) == (200, {"card": {}})
                assert card.headers["Access-Control-Allow-Origin"] == "*"
                page = await client.get(at + "/hello", ssl=trusting)
                assert await page.text() == "hello"
                socket = await client.ws_connect(at + "/wire", protocols=(PROTOCOL,), ssl=trusting)
                assert len(packets.read_challenge(await socket.receive_bytes())) == 32
                await socket.close()
                # Who speaks no TLS is not understood, and harms nobody.
                _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                writer.close()
                assert (await client.get(at + "/hello", ssl=trusting)).status == 200
        finally:
            await listener.stop()

    asyncio.run(visit())


def test_a_host_without_a_card_says_so_and_pages_have_limits() -> None:
    async def visit() -> None:
        listener = Listener("127.0.0.1", 0, limits=DoorLimits(links_per_address=1))
        started, go = asyncio.Event(), asyncio.Event()

        async def slow(_: web.Request) -> web.Response:
            started.set()
            await go.wait()
            return web.Response(text="slow")

        listener.app.router.add_get("/slow", slow)
        await listener.start()
        try:
            at = f"http://{listener.host}"
            async with aiohttp.ClientSession() as client:
                assert (await client.get(at + CARD_PATH)).status == 404
                first = asyncio.create_task(client.get(at + "/slow"))
                await started.wait()
                second = await client.get(at + "/slow")
                assert (second.status, second.headers["Retry-After"]) == (503, "10")
                assert "more than 1" in (await second.json())["reason"]
                go.set()
                assert (await first).status == 200
        finally:
            await listener.stop()

    asyncio.run(visit())
