"""Two persons whose nodes run in a thread, and the interface of one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from perun.api.client import Node, connect
from perun.api.place import tokens_folder
from perun.api.publishing import publish_place
from perun.api.server import ApiServer
from perun.api.tokens import Tokens, make_token
from perun.app.methods import Scope
from perun.app.settings import KnownToken
from perun.node.threads import NodeThread
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.types import ETH, Address, Asset, Wei

USDC = KnownToken(Asset(Address(b"\xab" * 20)), "USDC", 6)
"""Alice's name for a token."""


@dataclass
class Desk:
    """What a test of the interface works with."""

    home: Path
    alice: Person
    bob: Person
    server: ApiServer
    thread: NodeThread
    node: Node

    def token(self, name: str, scope: Scope, eth: int = 0) -> str:
        return make_token(tokens_folder(self.home), name, scope, {ETH: Wei(eth)})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    town = Town()
    alice = town.person("alice", OPEN_HANDED, msgspec.structs.replace(SETTINGS, tokens=(USDC,)))
    bob = town.person("bob", OPEN_HANDED)
    open_channel(town.world, alice.party, bob.party, 10**18, 10**18)
    thread = NodeThread(alice.party.node, bob.party.node)
    server = ApiServer(
        alice.party.node, Tokens(tokens_folder(tmp_path)), origins=["http://localhost:5173"]
    )
    server.start()
    thread.start()
    publish_place(tmp_path, server.url)
    node = connect(home=tmp_path)
    yield Desk(tmp_path, alice, bob, server, thread, node)
    node.hang_up()
    server.stop()
    thread.stop()
