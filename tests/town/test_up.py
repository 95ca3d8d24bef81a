"""`perun up` with real processes: what a newcomer does, and what is killed meanwhile."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
import requests

from perun.api.client import CallRefused, Node, connect
from tests.town.running import PATIENCE, Up, perun

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc"),
]


def names_of(home: Path) -> dict[str, str]:
    """What the file for the shell says."""
    text = (home / "names").read_text()
    return dict(re.findall(r"^([A-Z]+)=(\S+)$", text, re.M))


def test_newcomer_pays_and_is_paid_whatever_is_killed(tmp_path: Path) -> None:
    home, you = tmp_path / "up", tmp_path / "you"
    with Up(home) as up:
        up.hear("Type in another terminal")
        names = names_of(home)
        perun(
            you,
            "init",
            "--rpc",
            names["RPC"],
            "--hub",
            names["HUB"],
            "--yes",
            "--api",
            "127.0.0.1:0",
        )
        perun(you, "node", "start")
        try:
            with connect(home=you) as node:
                perun(
                    you,
                    "open",
                    names["HUB"],
                    "0.1ether",
                    "--receive",
                    "0.1ether",
                    "--draw",
                    "--yes",
                )
                buy_coffee(node, names)
                with pytest.raises(CallRefused, match="top it up, or pay less"):
                    node.pay(names["SHOP"], "5 ether")
                assert "Paid 0.02 ETH" in ask(node, names, "0.02 ether")
                assert "at most 0.05 at a time" in ask(node, names, "0.2 ether")

                for killed in ("anvil", "chain", "hub", "shop", "patron"):
                    os.kill(up.children()[killed], signal.SIGKILL)
                    up.hear(f"The {'chain' if killed == 'anvil' else killed} is back.")
                buy_coffee(node, names)
                assert "Paid 0.01 ETH" in ask(node, names, "0.01 ether")

                up.kill()
                up.await_nobody()
                with Up(home) as again:
                    again.hear("Type in another terminal")
                    assert names_of(home) == names
                    buy_coffee(node, names)
                    assert again.end() == 0
                    assert again.children() == {}
        finally:
            perun(you, "node", "stop")


def buy_coffee(node: Node, names: dict[str, str]) -> None:
    """The shop answers with its words."""
    before = {one.id for one in node.payments("in")}
    paid = node.pay(names["SHOP"], "0.001 ether", wait=60)
    assert paid.step == "done", paid.why
    end = time.monotonic() + PATIENCE
    while True:
        new = [one for one in node.payments("in") if one.id not in before]
        if any(one.text.startswith("Your coffee: ") and one.refunds == paid.id for one in new):
            return
        assert time.monotonic() < end, new
        time.sleep(0.05)


def ask(node: Node, names: dict[str, str], amount: str) -> str:
    """What the patron answers."""
    return requests.post(names["PATRON"], data=node.request(amount).uri, timeout=PATIENCE).text
