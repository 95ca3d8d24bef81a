"""An anvil of our own for as long as a replay needs it."""

from __future__ import annotations

import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.games.stateful.codec import ROOT
from tests.games.stateful.evm import CHAIN_ID, GENESIS

BINARY = ROOT / "node_modules" / ".bin" / "anvil"


@contextmanager
def anvil() -> Iterator[str | None]:
    """Its address, or None if it is not installed."""
    if not BINARY.exists():
        yield None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = {
        "--port": port,
        "--chain-id": CHAIN_ID,
        "--hardfork": "prague",
        "--order": "fifo",
        "--timestamp": GENESIS - 1_000_000,
        "--gas-limit": 1_000_000_000,
    }
    command = [str(BINARY), "--silent", "--host", "127.0.0.1"]
    command += [str(part) for pair in arguments.items() for part in pair]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str) -> None:
    until = time.monotonic() + 20
    request = urllib.request.Request(
        url,
        b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
        {"Content-Type": "application/json"},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=1):
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
