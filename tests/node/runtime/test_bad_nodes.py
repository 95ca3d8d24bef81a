"""Whatever a node says or refuses for a while, an exit gets all out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from msgspec.structs import replace

from perun.bindings.failures import NodeBusy, PoolRefused
from perun.demo.character import Character
from perun.errors import ChainFault
from perun.types import UnixTime, Wei
from tests.node.runtime.test_exit import Leaver, paid
from tests.support.scene import ETHER, Scene

__all__ = ["paid"]

METHODS = (
    *("block", "finalized", "logs", "ask", "next_nonce", "balance", "tip", "estimate", "mined"),
    "send",
)
WHEN = (0, 3, 7)
"""Rounds before it begins: nothing is sent, registered, settled."""
GAIN = ETHER - 100 + 30
"""Of Alice, who has paid 100 and was paid 30; the 7 that she paid Bob alone could show."""


def refuses(method: str, fault: ChainFault) -> Callable[[Leaver], None]:
    def bend(leaver: Leaver) -> None:
        def no(*_: object, **__: object) -> Any:
            raise fault

        setattr(leaver.endpoint, method, no)

    return bend


def shows_time(time: int, *, head: bool) -> Callable[[Leaver], None]:
    def bend(leaver: Leaver) -> None:
        method = "block" if head else "finalized"
        true = getattr(leaver.endpoint, method)

        def lie(*number: int | None) -> Any:
            block = true(*number)
            return block and replace(block, time=UnixTime(time))

        setattr(leaver.endpoint, method, lie)

    return bend


def dear(leaver: Leaver) -> None:
    leaver.scene.chain.base_fee = Wei(100 * leaver.scene.chain.base_fee)


def turn(leaver: Leaver, rounds: int) -> None:
    for number in range(rounds):
        with suppress(ChainFault):
            leaver.exit.go()
        leaver.scene.block(at=leaver.scene.later(601) if number % 6 == 5 else None)


BENDS: dict[str, Callable[[Leaver], None]] = {
    **{method: refuses(method, NodeBusy("not now")) for method in METHODS},
    "pool": refuses("send", PoolRefused("txpool is full")),
    "time 0": shows_time(0, head=True),
    "far future": shows_time(2**33, head=True),
    "final in the far future": shows_time(2**33, head=False),
    "dear": dear,
}


@contextmanager
def leaving(scene: Scene, alice: Character) -> Iterator[Leaver]:
    before = scene.chain.evm.balance(alice.address)
    leaver = Leaver(scene, alice, alice.path)
    yield leaver
    leaver.close()
    assert scene.chain.evm.balance(alice.address) - before == GAIN


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("bend", BENDS)
def test_exit_gets_all_out_once_it_is_over(
    paid: tuple[Scene, Character, Character], bend: str, when: int
) -> None:
    scene, alice, _ = paid
    with leaving(scene, alice) as leaver:
        turn(leaver, when)
        fee = scene.chain.base_fee
        BENDS[bend](leaver)
        turn(leaver, 5)
        for method in METHODS:
            vars(leaver.endpoint).pop(method, None)
        scene.chain.base_fee = fee
        turn(leaver, 40)


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("when", [3, 7, 11])
def test_exit_gets_all_out_though_its_steps_are_taken_back(
    paid: tuple[Scene, Character, Character], when: int, keep: bool
) -> None:
    scene, alice, _ = paid
    with leaving(scene, alice) as leaver:
        turn(leaver, when)
        scene.chain.reorganise(2, keep=keep)
        turn(leaver, 60)


def test_exit_that_is_killed_in_every_round_gets_all_out(
    paid: tuple[Scene, Character, Character],
) -> None:
    scene, alice, _ = paid
    before = scene.chain.evm.balance(alice.address)
    for number in range(30):
        killed = Leaver(scene, alice, alice.path)
        killed.exit.go()
        killed.close()
        scene.block(at=scene.later(601) if number % 6 == 5 else None)
    last = Leaver(scene, alice, alice.path)
    assert last.exit.look().empty
    last.close()
    assert scene.chain.evm.balance(alice.address) - before == GAIN
