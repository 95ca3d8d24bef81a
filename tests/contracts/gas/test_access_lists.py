"""The lists of the gas table are those that a real node leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks.gas.bench import Bench, Sending
from benchmarks.gas.nodes import AnvilNode, anvil_node
from benchmarks.gas.rows.agreement import NET
from benchmarks.gas.rows.dispute import AFTER
from benchmarks.gas.rows.with_lists import LOCK, PAID
from benchmarks.gas.scene import Scene
from perun.bindings.access import GAIN, worth_listing
from perun.bindings.calls import Call
from perun.chain.rpc import RpcEndpoint
from perun.types import Asset, Wei
from populus import Project

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def node(project: Project) -> Iterator[AnvilNode]:
    with anvil_node(project) as started:
        yield started


@pytest.fixture
def scene(node: AnvilNode) -> Iterator[Scene]:
    with node.isolated():
        yield Scene(Bench(node), "access lists")


def close(scene: Scene) -> tuple[Sending, Sending]:
    bob = scene.bench.bob
    return scene.open_channel().close(NET, (bob,)), scene.open_channel().close(NET, (bob,))


def deposit(scene: Scene) -> tuple[Sending, Sending]:
    alice = scene.bench.alice
    return scene.channel().deposit(alice), scene.channel().deposit(alice)


def settle(scene: Scene) -> tuple[Sending, Sending]:
    calls = []
    for _ in range(2):
        channel, machine = scene.open_channel(), scene.machine(lock=LOCK)
        nanos = (machine.nano,)
        evidence = (machine.evidence(*PAID),)
        channel.register(4, NET, (channel.bob,), nanos, evidence)(channel.alice)
        calls.append(channel.settle(NET, nanos))
    scene.bench.later(AFTER)
    scene.bench.pay(scene.bench.bob.account, 1)(scene.bench.alice)  # a block at that time
    return calls[0], calls[1]


@pytest.mark.parametrize(
    ("calls", "token", "pieces"),
    [
        (close, False, 1),
        (close, True, 4),
        (deposit, False, 0),
        (deposit, True, 4),
        (settle, False, 3),
        (settle, True, 6),
    ],
)
def test_node_leads_to_a_list_that_saves(
    scene: Scene, calls: Any, token: bool, pieces: int
) -> None:
    bench, alice = scene.bench, scene.bench.alice
    if token:
        scene.asset = Asset(bench.token)
    plain, listed = calls(scene)
    call = Call(listed._to, listed._data, Wei(listed._value))
    touched = RpcEndpoint(bench.web3).touched(call, alice.account)
    found = worth_listing(call, alice.account, touched, gas=10**6)
    assert sum(1 + len(item.keys) for item in found) == pieces
    saved = plain(alice) - listed.touching(*touched)(alice)
    assert abs(saved - GAIN * pieces) < 60  # zero bytes of ids and signatures
