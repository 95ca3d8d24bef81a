"""The soak in short: every quirk once, and a few games of many, always the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from perun.chain.provider import BoundedProvider, over
from perun.chain.rpc import RpcEndpoint
from perun.testing.bent.catalogue import CATALOGUE
from perun.testing.bent.double import Bent, Kind, Server
from perun.testing.bent.node import ScriptedNode
from perun.testing.chain import ScriptedChain
from tests.games.storm.voyage import Voyage


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.mark.parametrize("seed", range(4))
def test_dispute_in_a_storm_is_answered_and_no_wei_is_missing(
    seed: int, tmp_path: Path, server: Server
) -> None:
    voyage = Voyage(seed, tmp_path, server)
    try:
        voyage.play()
    finally:
        voyage.close()
    assert voyage.missing == 0
    assert voyage.seen["disputes answered"] == 1


def test_names_of_quirks_are_theirs_alone() -> None:
    names = [kind.name for kind in CATALOGUE]
    assert len(set(names)) == len(names)


def test_node_without_quirks_is_read_as_it_is(server: Server) -> None:
    chain = ScriptedChain()
    for _ in range(5):
        chain.mine()
    server.clients["plain"] = Bent(ScriptedNode(chain))
    endpoint = RpcEndpoint(over(BoundedProvider(server.url("plain"), 10)))
    assert endpoint.block() == chain.head
    endpoint.require(chain.deployment)
    final = endpoint.finalized()
    assert final is not None
    assert final.number == 3


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_every_quirk_can_be_made_from_any_number(kind: Kind) -> None:
    for seed in range(20):
        assert callable(kind.make(Random(seed)))
