"""Nodes that contradict themselves: several that are not in step, cut answers, others' logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from perun.bindings.events import Settled
from perun.bindings.logs import Log
from perun.chain.endpoint import Inconsistent
from perun.chain.fold import fold_channel
from perun.chain.reports import Disagreement, FinalityBroken
from perun.core.state import EMPTY
from perun.types import ETH, Address, InstanceId, Nano, UnixTime, Wei
from tests.node.chain.conftest import ALICE, BOB, LIMITS, Party, World

Answer = Callable[[tuple[Log, ...]], Sequence[Log]]


def lies(party: Party, answer: Answer) -> None:
    """Everything that the node says of logs goes through `answer` from now on."""
    true = party.endpoint.logs

    def logs(*arguments: Any, **named: Any) -> tuple[Log, ...]:
        return tuple(answer(true(*arguments, **named)))

    party.endpoint.logs = logs  # type: ignore[method-assign]


def watching(world: World) -> Party:
    party = world.party(BOB)
    party.port.watch(world.watch)
    return party


def _of_another(log: Log) -> Log:
    return replace(log, address=Address(b"\x77" * 20), index=log.index + 50)


@pytest.mark.parametrize(
    "answer",
    [
        lambda logs: logs * 2,
        lambda logs: sorted(logs, key=lambda log: -log.block),
        lambda logs: (*logs, *map(_of_another, logs)),
        lambda logs: (*logs, *(replace(log, block=log.block + 10**6) for log in logs)),
    ],
    ids=["twice", "backwards", "of other contracts", "of later blocks"],
)
def test_what_was_not_asked_for_counts_for_nothing(world: World, answer: Answer) -> None:
    honest, party = watching(world), watching(world)
    lies(party, answer)
    world.open(ALICE, 70)
    world.open(BOB, 30)
    for _ in range(4):
        honest.poll()
        party.poll()
        assert party.seen(world.id) == honest.seen(world.id)
        world.chain.mine()
    assert party.port.follower.head == honest.port.follower.head


def test_logs_of_a_block_are_told_apart_by_more_than_their_number(world: World) -> None:
    """Some nodes count them anew in every transaction."""
    party = watching(world)
    lies(party, lambda logs: [replace(log, index=0) for log in logs])
    world.open(ALICE, 70)
    party.poll()
    head, _ = party.seen(world.id)
    assert (head.alice, head.announced_by) == (70, (True, False))


def test_node_far_behind_does_not_break_finality(world: World) -> None:
    party = watching(world)
    world.open(ALICE, 70)
    for _ in range(4):
        world.chain.mine()
    party.poll()
    seen = party.port.follower.head, party.port.follower.final
    true = party.endpoint.block

    def behind(number: int | None = None) -> Any:
        if number is not None and number > 1:
            return None
        return true(1)

    party.endpoint.block = behind  # type: ignore[method-assign]
    assert party.poll() == []
    assert party.of(FinalityBroken) == []
    assert (party.port.follower.head, party.port.follower.final) == seen


def test_log_that_a_node_keeps_back_is_missed(world: World) -> None:
    party = watching(world)
    world.open(ALICE, 70)
    party.poll()
    world.open(BOB, 30)
    lies(party, lambda logs: [log for log in logs if log.block < world.chain.head.number])
    with pytest.raises(Inconsistent):
        party.poll()
    assert [said.id for said in party.of(Disagreement)] == [world.id]
    assert party.port.health.doubts == 1
    del party.endpoint.logs
    world.chain.mine()
    party.poll()
    head, _ = party.seen(world.id)
    assert (head.alice, head.bob) == (70, 30)
    assert party.port.health.doubts == 0


def test_settlement_that_nobody_registered_is_a_fault_and_no_crash(world: World) -> None:
    nano = Nano(world.channel.alice, InstanceId(b"\1" * 32), Wei(1), Wei(0), UnixTime(9), False)
    with pytest.raises(Inconsistent):
        fold_channel(EMPTY, ETH, [Settled(world.id, Wei(0), Wei(0), (nano,))])


def test_chain_without_a_first_block_is_a_fault_and_no_crash(world: World) -> None:
    party = world.party(BOB, limits=replace(LIMITS, finality_blocks=None))
    true = party.endpoint.block
    party.endpoint.block = lambda number=None: None if number in (None, 0) else true(number)
    with pytest.raises(Inconsistent):
        party.poll()
