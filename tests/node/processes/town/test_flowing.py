"""A stream to the shop over the hub, whose payer, payee and hub are killed in the middle of it, and
a bet with the shop: with real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from perun.api.client import Node, connect
from perun.app.bets import feed_bytes
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.daemon.auditing import audit_home
from perun.encoding.price_bet import PRICE_DOMAIN, price_digest
from perun.errors import PerunError
from perun.types import Price, UnixTime, Wei
from tests.node.processes.network.wired import eventually
from tests.node.processes.town.running import Up, shell
from tests.node.processes.town.test_player import free
from tests.node.processes.town.test_signals import has_ended, process_in
from tests.node.processes.town.test_up import names_of, stopped_at_the_end

TICK, TICKS = 10**12, 3
REPORTER = SecretKey(b"\x5a" * 32)


def asked(home: Path, question: Callable[[Node], bool]) -> Callable[[], bool]:
    """Asks a node that may be away, or not ready yet."""

    def ask() -> bool:
        try:
            with connect(home=home) as node:
                return question(node)
        except (PerunError, OSError):
            return False

    return ask


@pytest.mark.chain
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="looks into /proc")
def test_stream_flows_on_whoever_is_killed_and_a_bet_is_paid(tmp_path: Path) -> None:
    home = tmp_path / "up"
    with Up(home) as up:
        up.hear("Type in another terminal")
        steps, own = up.steps(), 0
        with stopped_at_the_end(home):
            for step in steps[1:4]:
                said = shell(home, step)
                own = process_in(said) if "node start" in step else own
            shop = names_of(home)["SHOP"]
            with connect(home=home / "you") as node:
                before = free(node)
                id = node.stream(shop, 10**15, TICK).id
            paid = killed_mid_stream(up, home, own, id)
            gain = bet_is_paid(home, shop)

            def all_is_free() -> bool:
                with connect(home=home / "you") as node:
                    return free(node) == before - paid + gain

            eventually(all_is_free)
            audit = audit_home(home / "hub")
            assert audit.holds, audit.wrong


def killed_mid_stream(up: Up, home: Path, own: int, id: str) -> int:
    """Each tick counts once, whoever is killed and whatever is asked again; what it has paid."""
    payer, payee = home / "you", home / "shop"
    eventually(asked(payer, lambda node: node.streams(id)[0].state == "open"))
    total = 0

    def tick(key: str) -> Callable[[], bool]:
        return asked(payer, lambda node: bool(node.tick(id, TICKS, idempotency_key=key)))

    for round, name in enumerate(("you", "shop", "hub", "you")):
        for number in range(4):
            eventually(tick(f"{round} {number}"))
            total += TICKS * TICK
        if name == "you":
            os.kill(own, signal.SIGKILL)
            eventually(lambda own=own: has_ended(own))  # type: ignore[misc]
            own = process_in(shell(home, "perun node start"))
        else:
            os.kill(up.children()[name], signal.SIGKILL)
            up.hear(f"The {name} is back.")
        # The same wish again pays nothing again.
        eventually(tick(f"{round} 3"))
        for home_of in (payer, payee):
            eventually(asked(home_of, lambda node, by=total: has_paid(node, id, by)))  # type: ignore[misc]
    eventually(asked(payee, lambda node: bool(node.stop_stream(id, idempotency_key="stop"))))
    for home_of, sign_of in ((payer, -1), (payee, 1)):
        eventually(asked(home_of, lambda node: node.streams(id)[0].state == "over"))
        with connect(home=home_of) as node:
            assert node.streams(id)[0].gain == str(sign_of * total)
    return total


def has_paid(node: Node, id: str, total: int) -> bool:
    return node.streams(id)[0].paid == str(total)


def bet_is_paid(home: Path, shop: str) -> int:
    """The shop's owner agrees, and brings the price by which he loses; what it has brought us."""
    with connect(home=home / "you") as node, connect(home=home / "shop") as other:
        time = node.status().block.time + 1
        words = ("0x" + REPORTER.address.hex(), "ETH/USD", time, "2000", "1000", "1")
        bet = node.bet(shop, 10**14, *words)
        eventually(lambda: bet.id in {one.id for one in other.offers()})
        other.answer(bet.id, True)
        eventually(lambda: node.bets(bet.id)[0].state == "open")
        said = Price(feed_bytes("ETH/USD"), UnixTime(time), Wei(2_007))
        signature = sign(price_digest(PRICE_DOMAIN, said), REPORTER)
        other.bring_price(bet.id, "2007", "0x" + signature.hex())
        for one, gain in ((node, 7_000), (other, -7_000)):
            eventually(lambda one=one: one.bets(bet.id)[0].state == "over")  # type: ignore[misc]
            assert one.bets(bet.id)[0].gain == str(gain)
    return 7_000
