"""`perun up` with real processes: a newcomer does what it prints, and whatever runs is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perun.api.client import Node, connect
from perun.chain.rpc import connect as connect_chain
from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import PATIENCE, Up, shell

EXAMPLES = Path(__file__).parents[4] / "examples"
GUIDE = Path(__file__).parents[4] / "docs" / "guides" / "first-payment.md"

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc"),
]


def test_newcomer_pays_and_is_paid_whatever_is_killed(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home) as up:
        up.hear("Type in another terminal")
        steps = up.steps()
        assert [_plain(step) for step in steps] == guide("sh")
        answers = {}
        with stopped_at_the_end(home):
            for step in steps[:-2]:
                code = 1 if "5ether" in step else 0
                # Every cell in turn; what is taken is refused in words.
                typed = "y\n" + "\n".join("123456789") + "\n"
                answers[step.split()[1]] = shell(home, step, typed, code=code)
            # The shop pays a hundredth back with it, over a machine of its own.
            eventually(lambda: "Your coffee: " in shell(home, "perun payments"))
            assert "Paid 0.02 ETH" in answers["request"]
            assert re.search(r"account  0x\w{40}, has 0.899\d+ ETH", answers["balance"])
            assert re.search("You have (won|lost) 0.001|A draw", answers["play"])
            assert re.search("You have (won|lost) 0.001", answers["flip"])
            eventually(lambda: "127.0.0.1:" in shell(home, "perun exposure"))  # the tower watches
            assert "not 5 ETH; top it up, or pay less" in answers["pay"]
            assert "at most 0.05 at a time" in shell(home, steps[7].replace("0.02", "0.2"))

            pay_by_programs(home)

            with connect(home=home / "you") as node:
                before = node.status().block.number
                for killed in ("anvil", "chain", "hub", "tower", "shop", "patron"):
                    os.kill(up.children()[killed], signal.SIGKILL)
                    up.hear(f"The {'chain' if killed == 'anvil' else killed} is back.")
                buy_coffee(home, node)

                up.kill()
                up.await_nobody()
                with Up(home) as again:
                    again.hear("Type in another terminal")
                    assert [_plain(step) for step in again.steps()] == [
                        step for step in guide("sh") if not step.startswith("perun init")
                    ]
                    buy_coffee(home, node)
                    assert node.status().block.number > before
                    assert "Paid 0.02 ETH" in shell(home, steps[7])
                    closed = shell(home, steps[-2])
                    assert "done: the channel has ended, its money is paid" in closed
                    assert re.search(r"Your account has 1.0\d+ ETH", closed)
                    assert node.channels() == ()
                    assert again.end() == 0
                    assert again.children() == {}


@contextmanager
def stopped_at_the_end(home: Path) -> Iterator[None]:
    """The newcomer's own node is not `perun up`'s to end."""
    try:
        yield
    finally:
        shell(home, "perun node stop")


def guide(language: str) -> list[str]:
    """The lines of the guide's commands, or its programs."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines()] if language == "sh" else blocks


def _plain(step: str) -> str:
    """A step as the guide has it, whatever this machine's folder and ports are."""
    step = re.sub(r"^\. .*/names$", ". ~/.perun/up/names", step)
    return re.sub(r" --api \S+$", "", step)


def pay_by_programs(home: Path) -> None:
    """The examples, in three languages."""
    wanted = {"by Python": ("python pay.py $SHOP '0.001 ether'", "done 1000000000000000")}
    if shutil.which("node"):
        wanted["by Node"] = ("node pay.mjs $SHOP 0.001", "done 1000000000000000")
    if shutil.which("curl"):
        wanted["by curl"] = ("sh pay.sh $SHOP 1000000000000000 order-1", '"step":"done"')
    for text, (command, said) in wanted.items():
        answer = shell(home, f"cd {EXAMPLES} && {command}")
        assert said in answer, answer
        if text == "by curl":
            again = shell(home, f"cd {EXAMPLES} && {command}")
            assert json.loads(again)["result"]["id"] == json.loads(answer)["result"]["id"]
    with connect(home=home / "you") as node:
        texts = [one.text for one in node.payments("out")]
        assert {text: texts.count(text) for text in wanted} == dict.fromkeys(wanted, 1)


def buy_coffee(home: Path, node: Node) -> None:
    """By the guide's program; the shop answers with its words."""
    before = {one.id for one in node.payments("in")}
    program = guide("python")[0]
    assert shell(home, "python -", program).split()[0] == "done"
    end = time.monotonic() + PATIENCE
    while True:
        new = [one for one in node.payments("in") if one.id not in before]
        if any(one.text.startswith("Your coffee: ") for one in new):
            return
        assert time.monotonic() < end, new
        time.sleep(0.05)


@pytest.mark.slow
def test_a_network_without_anvil_goes_on_as_well(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home, "--chain", "embedded") as up:
        up.hear("Type in another terminal")
        web3 = connect_chain(names_of(home)["RPC"]).web3
        before = web3.eth.get_block("latest")
        os.kill(up.children()["chain"], signal.SIGKILL)
        up.hear("The chain is back.")
        assert web3.eth.get_block(before["number"]) == before
        assert up.end() == 0
        assert up.children() == {}


def names_of(home: Path) -> dict[str, str]:
    """What the file for the shell says."""
    return dict(re.findall(r"^export ([A-Z]+)=(\S+)$", (home / "names").read_text(), re.M))
