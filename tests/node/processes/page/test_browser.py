"""The page in a real browser, against a network that runs: whole lives, reloads, kills."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest

from perun.api.page import is_built
from perun.town.place import open_town
from tests.node.processes.town.running import Up

pytestmark = [pytest.mark.slow, pytest.mark.chain]

DAPP: Final = Path(__file__).resolve().parents[4] / "dapp"
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
        process.send_signal(signal.SIGINT)
        process.communicate()


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
                ["node", "test/life.mjs", url, f"http://127.0.0.1:{town.ports.patron}", link],
                cwd=DAPP,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all is well" in done.stdout
        assert up.end() == 0
