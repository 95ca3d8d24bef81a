"""The page in a real browser, against a network that runs: whole lives, reloads, kills."""

from __future__ import annotations

import json
import shutil
import subprocess
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
        done = subprocess.run(
            ["node", "test/life.mjs", url, f"http://127.0.0.1:{town.ports.patron}"],
            cwd=DAPP,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all is well" in done.stdout
        assert up.end() == 0
