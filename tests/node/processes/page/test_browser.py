"""The page in a real browser, against a network that runs: whole lives, reloads, kills."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import Final
from urllib.request import urlopen

import pytest

from perun.api.page import is_built
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.town.place import open_town
from perun.types import Price, UnixTime, Wei
from tests.node.processes.town.running import Up

pytestmark = [pytest.mark.slow, pytest.mark.chain]

DAPP: Final = Path(__file__).resolve().parents[4] / "dapp"
REPORTER: Final = SecretKey(b"\x5a" * 32)
PATIENCE: Final = 900
"""Seconds; only a test that fails waits for so long."""


def needs(condition: object, what: str) -> None:
    if not condition:
        pytest.skip(what)


@contextmanager
def wallet(home: Path) -> Iterator[str]:
    """`perun wallet` over a node that runs; the link that it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "perun.cli.main", "wallet", "--no-browser"]
    process = subprocess.Popen(
        [*command, "--home", str(home), "--listen", place], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().partition("wallet: ")[2].strip()
    finally:
        # Not by Ctrl-C: whoever is started in the background of a shell does not hear it.
        process.terminate()
        process.communicate()


def signed_price() -> str:
    """As `perun bet sign` says it: of the minute in an hour or so, more than what is bet on."""
    said = Price(b"ETH/USD".ljust(32, b"\0"), UnixTime((int(time()) // 60 + 60) * 60), Wei(3_001))
    signature = sign(price_digest(PRICE_DOMAIN, said), REPORTER)
    shown = {"reporter": "0x" + REPORTER.address.hex(), "feed": "ETH/USD", "time": said.time}
    return json.dumps(shown | {"price": str(said.price), "signature": "0x" + signature.hex()})


def test_a_wallet_lives_in_a_page(tmp_path: Path) -> None:
    needs(shutil.which("chromium"), "chromium is not installed")
    needs((DAPP / "node_modules" / "playwright-core").exists(), "`make page` was not run")
    needs(is_built(), "the page is not built: make page")
    with Up(tmp_path / "town") as up:
        up.hear("Ctrl-C")
        town = open_town(up.home)
        assert town is not None
        url = f"http://localhost:{town.ports.page}/"
        with urlopen(url + "network.json") as answer:
            assert json.load(answer)["rpc"] == town.rpc
        with wallet(up.home / "shop") as link:
            done = subprocess.run(
                [
                    *("node", "test/life.mjs", url),
                    f"http://127.0.0.1:{town.ports.patron}",
                    link,
                    signed_price(),
                ],
                cwd=DAPP,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all is well" in done.stdout
        assert up.end() == 0
