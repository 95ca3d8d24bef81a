"""A hub behind gateways, whose writer dies under payments, and whose next one is stopped: each time
a standby takes over, and goes on."""

from __future__ import annotations

import itertools
import shutil
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec.structs import replace

from perun.app.methods import GetPayments, MakeRequest, Pay
from perun.chain.anvil import Anvil
from perun.daemon.settings import (
    FILE_NAME,
    WireSettings,
    read_settings,
    write_settings,
)
from perun.store.postgres.place import PostgresPlace
from tests.node.processes.network.homes import (
    FREE,
    HubProcess,
    Place,
    User,
    entered,
    is_open,
    open_with,
    running,
)
from tests.node.processes.network.proxy import Proxy
from tests.node.processes.network.test_gateways import gateway
from tests.node.processes.network.test_hub import adds_up, hub_says, pay
from tests.support.nats import NatsServer, nats_program
from tests.support.postgres import Servers

pytestmark = [
    pytest.mark.chain,
    pytest.mark.skipif(nats_program() is None, reason="NATS: apt-get install nats-server"),
]


def store_on(home: Path, place: PostgresPlace) -> None:
    """From now on its store is there."""
    settings = read_settings(home / FILE_NAME)
    node = replace(settings.node, store=place.database, witness=place.witness)
    write_settings(home / FILE_NAME, replace(settings, node=node))


def second_of(home: Path) -> Path:
    """The same hub's folder on another machine: settings, keys and contracts, and no more."""
    other = home.with_name("standby")
    other.mkdir()
    for name in (FILE_NAME, "keys.json", "contracts.json", "password"):
        shutil.copy(home / name, other / name)
    return other


def standing_by(stack: ExitStack, home: Path) -> HubProcess:
    hub = HubProcess(home, "run", "--standby")
    stack.callback(lambda: hub.process.poll() is None and hub.kill())
    return hub


class Payer:
    """Pays again and again, until told to stop. Where nobody signs for a hub, a payment that needs
    a new machine may fail; then it says that nothing was paid, and the next one is tried."""

    def __init__(self, alice: User, bob: User) -> None:
        self.paid = 0
        self.broken: list[BaseException] = []
        self._enough = threading.Event()
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._run, args=(alice, bob))
        self._thread.start()

    def _run(self, alice: User, bob: User) -> None:
        try:
            for number in itertools.count():
                # Few enough to be listed in one answer.
                if self._enough.wait(0.1):
                    return
                request = bob.ask("request", MakeRequest(amount="1000"))
                wish = Pay(idempotency_key=f"again {number}", to=request.uri, wait=60)
                answer = alice.ask("pay", wish)
                assert answer.step in ("done", "failed"), answer
                with self._more:
                    self.paid += answer.step == "done"
                    self._more.notify_all()
        except BaseException as error:
            with self._more:
                self.broken.append(error)
                self._more.notify_all()

    def wait_for(self, more: int) -> None:
        """Until so many more were paid."""
        with self._more:
            wanted = self.paid + more
            assert self._more.wait_for(lambda: self.paid >= wanted or self.broken, 120)
            assert not self.broken, self.broken

    def stop(self) -> None:
        self._enough.set()
        self._thread.join()


def test_standby_takes_over_from_a_killed_and_from_a_stopped_writer_under_payments(
    tmp_path: Path, stack: ExitStack, postgres: Servers
) -> None:
    anvil = stack.enter_context(Anvil(options=["--block-time", "1"]))
    nats = NatsServer(tmp_path)
    stack.callback(nats.stop)
    door = Proxy(0)  # The hub's name, in front of its gateways.
    one, two = (gateway(stack, nats, door.host) for _ in range(2))
    door.target = one.port
    place = Place(anvil, tmp_path)
    wire = WireSettings("127.0.0.1:0", hosts=(door.host,), nats=nats.url)
    home = place.home("hub", wire, FREE)
    hub = running(stack, home)
    hub.wait("Paid", kind="FundCredit")
    alice, bob = (entered(stack, place, name, hub) for name in ("alice", "bob"))
    for user in (alice, bob):
        open_with(user, hub)
    for user in (alice, bob):
        user.until(lambda user=user: is_open(user))  # type: ignore[misc]
    pay(alice, bob, "on one machine")
    there = postgres.place()
    copying = ("store", "copy", there.database, "--witness", there.witness)
    assert hub.stop() == 0
    assert "signs nothing new" in hub_says(home, *copying)
    store_on(home, there)

    writer = standing_by(stack, home)
    writer.wait("Running")
    heir = second_of(home)
    standby = standing_by(stack, heir)
    standby.wait("StandingBy")
    payer = Payer(alice, bob)
    stack.callback(payer.stop)
    payer.wait_for(3)
    writer.kill()
    standby.wait("Running")
    payer.wait_for(3)
    door.target = two.port
    one.kill()
    payer.wait_for(3)

    # The one that was killed comes back, and waits; the other one is stopped for a while.
    returned = standing_by(stack, home)
    returned.wait("StandingBy")
    standby.process.send_signal(signal.SIGSTOP)
    returned.wait("Running")
    payer.wait_for(3)
    standby.process.send_signal(signal.SIGCONT)
    assert standby.ended() != 0  # It has found its session and its epoch gone.
    payer.wait_for(3)
    payer.stop()
    assert payer.broken == []

    received = bob.ask("payments", GetPayments(direction="in", limit=1_000))
    assert [one.amount for one in received] == ["1000"] * (payer.paid + 1)
    adds_up(home)
    assert returned.stop() == 0
    adds_up(heir)
