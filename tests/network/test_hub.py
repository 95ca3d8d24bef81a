"""A hub in a process of its own, two daemons, an anvil: payments cross it, and it may die."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from perun.app.methods import GetChannels, MakeRequest, Open, Pay
from perun.chain.anvil import Anvil
from perun.daemon.auditing import audit_home
from perun.daemon.settings import WireSettings
from tests.network.homes import ETHER, FREE, HubProcess, Place, User

pytestmark = pytest.mark.chain


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def running(stack: ExitStack, home: Path) -> HubProcess:
    hub = HubProcess(home, "run")
    stack.callback(lambda: hub.process.poll() is None and hub.kill())
    return hub


def entered(stack: ExitStack, place: Place, name: str, hub: HubProcess) -> User:
    user = User(place.home(name, WireSettings()), hub.link)
    stack.callback(user.stop)
    return user


def open_with(user: User, hub: HubProcess, amount: int = ETHER) -> None:
    user.ask(
        "open",
        Open(
            idempotency_key="open",
            peer=hub.link,
            amount=str(amount),
            peer_amount=str(amount),
            draw=True,
            consent=True,
        ),
    )


def is_open(user: User) -> bool:
    return [channel.phase for channel in user.ask("channels", GetChannels())] == ["open"]


def pay(alice: User, bob: User, key: str) -> None:
    request = bob.ask("request", MakeRequest(amount="1000"))
    paid = alice.ask("pay", Pay(idempotency_key=key, to=request.uri, wait=60))
    assert paid.step == "done", paid.why


def channel_of(user: User) -> str:
    (channel,) = user.ask("channels", GetChannels())
    return str(channel.id)


def adds_up(home: Path) -> None:
    found = audit_home(home)
    assert found.holds, found.wrong
    assert found.notes == []


def test_payments_cross_a_hub_that_dies_and_comes_back(tmp_path: Path, stack: ExitStack) -> None:
    anvil = stack.enter_context(Anvil(options=["--block-time", "1"]))
    place = Place(anvil, tmp_path)
    home = place.home("hub", WireSettings("127.0.0.1:0"), FREE)
    hub = running(stack, home)
    hub.wait("Paid", kind="FundCredit")
    alice, bob = (entered(stack, place, name, hub) for name in ("alice", "bob"))
    for user in (alice, bob):
        open_with(user, hub)
    for user in (alice, bob):
        user.until(lambda user=user: is_open(user))  # type: ignore[misc]
        hub.wait("ChannelFunded", channel=channel_of(user))
    pay(alice, bob, "1")

    hub.kill()
    place.listen_at(home, hub.link)
    hub = running(stack, home)
    hub.wait("Running")
    pay(alice, bob, "2")
    adds_up(home)
    assert hub.stop() == 0
    adds_up(home)
    assert not [line for line in hub.raw if "open\n" in line or "Traceback" in line]
