"""Payments over real sockets: who shares nothing but a hub finds, admits and pays each other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from perun.api.client import Node, connect
from perun.api.place import tokens_folder
from perun.api.publishing import publish_place
from perun.api.server import ApiServer
from perun.api.tokens import Tokens
from perun.encoding.links import parse_link
from perun.node.threads import NodeThread
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.wire.web import Listener, WebWire
from tests.node.processes.network.wired import HELLO, eventually


class Online:
    """A person whose node runs in a thread, on a wire of its own, with an interface."""

    def __init__(self, person: Person, home: Path, stack: ExitStack, *, serves: bool) -> None:
        self.person, node = person, person.party.node
        self.listener = Listener("127.0.0.1", 0) if serves else None
        self.wire = WebWire(
            person.party.key, HELLO, listener=self.listener, admits=person.app.admits
        )
        person.reach = self.wire.reach
        node.connect(self.wire.enter(node))
        stack.callback(self.wire.stop)
        thread = NodeThread(node)
        thread.start()
        stack.callback(thread.stop)
        server = ApiServer(node, Tokens(tokens_folder(home)))
        server.start()
        stack.callback(server.stop)
        publish_place(home, server.url)
        self.node: Node = connect(home=home)
        stack.callback(self.node.hang_up)


class Trio:
    """Alice and Bob, each attached at Ingrid, who has a channel with both."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        town = Town()
        people = [
            town.person("alice", OPEN_HANDED, SETTINGS),
            town.person("bob", OPEN_HANDED, SETTINGS),
            town.person("ingrid", hub_policy(), SETTINGS),
        ]
        for person in people[:2]:
            open_channel(town.world, person.party, people[2].party, 10_000, 10_000)
        homes = [folder / person.party.name for person in people]
        for home in homes:
            home.mkdir()
        self.ingrid = Online(people[2], homes[2], stack, serves=True)
        self.alice = Online(people[0], homes[0], stack, serves=False)
        self.bob = Online(people[1], homes[1], stack, serves=False)
        assert self.ingrid.listener is not None
        self.host = self.ingrid.listener.host
        for one in (self.alice, self.bob):
            one.wire.reach(people[2].party.peer, self.host)
            eventually(lambda one=one: people[2].party.peer in one.wire.peers())  # type: ignore[misc]


@pytest.fixture
def trio(tmp_path: Path) -> Iterator[Trio]:
    with ExitStack() as stack:
        yield Trio(tmp_path, stack)


def test_a_request_gets_its_payer_admitted_and_is_paid_over_the_hub(trio: Trio) -> None:
    hub = f"{trio.ingrid.person.id}@{trio.host}"
    asked = trio.bob.node.request(5, memo="bread", relay=hub)
    assert parse_link(asked.uri).relay_host == trio.host
    paid = trio.alice.node.pay(asked.uri)
    assert (paid.step, paid.why) == ("done", "")
    assert paid.receipt is not None
    assert trio.bob.node.requests()[0].state == "paid"
    # The two know each other now.
    assert trio.alice.node.pay(trio.bob.person.id, 6).step == "done"


def test_whom_nobody_has_asked_hears_nothing_until_it_is_a_contact(trio: Trio) -> None:
    place = f"{trio.bob.person.id}@{trio.host}"
    paid = trio.alice.node.pay(place, 5, wait=0)
    assert paid.step == "opening"
    trio.bob.node.add_contact("alice", trio.alice.person.id)
    assert trio.alice.node.pay(place, 6, wait=60).step == "done"
    assert {one.step for one in trio.alice.node.payments()} <= {"done", "failed"}
