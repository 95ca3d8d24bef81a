"""Nodes that contradict themselves: several that are not in step, cut answers, others' logs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from perun.bindings.events import Settled
from perun.bindings.failures import NodeBusy
from perun.bindings.logs import Log
from perun.chain.endpoint import Inconsistent
from perun.chain.fold import fold_channel
from perun.chain.reports import Disagreement, FinalityBroken
from perun.core.chain_view import EMPTY
from perun.core.inputs import ChainBlock
from perun.errors import ChainFault
from perun.types import ETH, Address, InstanceId, Nano, UnixTime, Wei
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Site, Watcher

Answer = Callable[[tuple[Log, ...]], Sequence[Log]]


def lies(watcher: Watcher, answer: Answer) -> None:
    """Everything that the node says of logs goes through `answer` from now on."""
    true = watcher.endpoint.logs

    def logs(*arguments: Any, **named: Any) -> tuple[Log, ...]:
        return tuple(answer(true(*arguments, **named)))

    watcher.endpoint.logs = logs  # type: ignore[method-assign]


def watching(site: Site) -> Watcher:
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    return watcher


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
def test_what_was_not_asked_for_counts_for_nothing(site: Site, answer: Answer) -> None:
    honest, watcher = watching(site), watching(site)
    lies(watcher, answer)
    site.open(ALICE, 70)
    site.open(BOB, 30)
    for _ in range(4):
        honest.poll()
        watcher.poll()
        assert watcher.seen(site.id) == honest.seen(site.id)
        site.chain.mine()
    assert watcher.port.follower.head == honest.port.follower.head


def test_logs_of_a_block_are_told_apart_by_more_than_their_number(site: Site) -> None:
    """Some nodes count them anew in every transaction."""
    watcher = watching(site)
    lies(watcher, lambda logs: [replace(log, index=0) for log in logs])
    site.open(ALICE, 70)
    watcher.poll()
    head, _ = watcher.seen(site.id)
    assert (head.alice, head.announced_by) == (70, (True, False))


def test_node_far_behind_does_not_break_finality(site: Site) -> None:
    watcher = watching(site)
    site.open(ALICE, 70)
    for _ in range(4):
        site.chain.mine()
    watcher.poll()
    seen = watcher.port.follower.head, watcher.port.follower.final
    true = watcher.endpoint.block

    def behind(number: int | None = None) -> Any:
        if number is not None and number > 1:
            return None
        return true(1)

    watcher.endpoint.block = behind  # type: ignore[method-assign]
    assert watcher.poll() == []
    assert watcher.of(FinalityBroken) == []
    assert (watcher.port.follower.head, watcher.port.follower.final) == seen


def test_log_that_a_node_keeps_back_is_missed(site: Site) -> None:
    watcher = watching(site)
    site.open(ALICE, 70)
    watcher.poll()
    site.open(BOB, 30)
    lies(watcher, lambda logs: [log for log in logs if log.block < site.chain.head.number])
    with pytest.raises(Inconsistent):
        watcher.poll()
    assert [said.id for said in watcher.of(Disagreement)] == [site.id]
    assert watcher.port.health.doubts == 1
    del watcher.endpoint.logs
    site.chain.mine()
    watcher.poll()
    head, _ = watcher.seen(site.id)
    assert (head.alice, head.bob) == (70, 30)
    assert watcher.port.health.doubts == 0


def test_settlement_that_nobody_registered_is_a_fault_and_no_crash(site: Site) -> None:
    nano = Nano(site.channel.alice, InstanceId(b"\1" * 32), Wei(1), Wei(0), UnixTime(9), False)
    with pytest.raises(Inconsistent):
        fold_channel(EMPTY, ETH, [Settled(site.id, Wei(0), Wei(0), (nano,))])


def test_chain_without_a_first_block_is_a_fault_and_no_crash(site: Site) -> None:
    watcher = site.watcher(BOB, limits=replace(LIMITS, finality_blocks=None))
    true = watcher.endpoint.block
    watcher.endpoint.block = lambda number=None: None if number in (None, 0) else true(number)
    with pytest.raises(Inconsistent):
        watcher.poll()


@pytest.mark.parametrize("gap", [14, 60])
@pytest.mark.parametrize("rounds", [1, 30])
def test_logs_that_came_late_are_read_after_an_outage(site: Site, gap: int, rounds: int) -> None:
    """A node has the last block before its logs, is out of reach for longer than blocks are read
    again, and has no storage to ask."""
    watcher = watching(site)
    site.open(ALICE, 100)
    for _ in range(rounds):
        watcher.poll()
        site.chain.mine()

    def busy(*_: object) -> object:
        raise NodeBusy("database closed")

    watcher.endpoint.ask = busy  # type: ignore[method-assign, assignment]
    site.act(ALICE, site.call(site.register(1)))
    newest = site.chain.head.number
    lies(watcher, lambda logs: [log for log in logs if log.block != newest])
    with suppress(ChainFault):
        watcher.poll()
    for _ in range(gap):
        site.chain.mine()
    del watcher.endpoint.logs
    with suppress(ChainFault):
        watcher.poll()
    head, _ = watcher.seen(site.id)
    assert head.dispute.version == 1


def test_end_in_logs_that_storage_denies_hides_no_dispute(site: Site) -> None:
    watcher = watching(site)
    site.open(ALICE, 100)
    watcher.poll()
    site.act(ALICE, site.closing())
    ended = site.chain.block(site.chain.head.number).logs
    site.chain.reorganise(1, keep=False)
    site.act(ALICE, site.call(site.register(1)))
    at = site.chain.head
    made_up = [replace(log, block=at.number, block_hash=at.hash, index=9) for log in ended]
    lies(watcher, lambda logs: (*logs, *made_up))
    with pytest.raises(Inconsistent, match="holdings"):
        watcher.poll()
    head, _ = watcher.seen(site.id)
    assert head.dispute.version == 1
    assert not head.ended


def test_money_for_an_id_that_is_spent_is_no_contradiction(site: Site) -> None:
    """A stranger must not make us say that our node lies."""
    watcher = watching(site)
    site.open(ALICE, 100)
    site.act(ALICE, site.closing())
    site.chain.mine([site.dust(INGRID, 1, to_bob=True)])
    for _ in range(4):
        watcher.poll()
        site.chain.mine()
    assert watcher.of(Disagreement) == []


def test_final_block_is_of_no_later_time_than_the_newest(site: Site) -> None:
    """A year of final time would let all lapse that anybody has signed."""
    watcher = site.watcher(BOB, limits=replace(LIMITS, finality_blocks=None))
    for _ in range(6):
        site.chain.mine()
    site.chain.tagged = 4
    true = watcher.endpoint.finalized
    watcher.endpoint.finalized = lambda: (  # type: ignore[method-assign]
        replace(true(), time=UnixTime(true().time + 31_536_000))
    )
    with pytest.raises(Inconsistent, match="later time"):
        watcher.poll()
    (told,) = (input for input in watcher.inputs if isinstance(input, ChainBlock))
    assert told.final_time == 0
