"""A hub's queue: what waits in it once, what is served at once, and whose place can be taken."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign
from perun.core.hub import queue
from perun.core.inputs import CommandTransfer
from perun.core.state import HubInstance, HubStage, InstanceView, LegStatus
from perun.core.virtual import doing, ends
from perun.encoding.messages import AnswerState, GrantInstance, RequestInstance, RevealSecret
from perun.testing.stories import GAMBLER, add_machine, flip_coin
from perun.types import InstanceId, Machine, MachineRecord, Seconds, UnixTime, Wei

from .conftest import Trio, new_trio
from .crafted import at, put, said

FAR = UnixTime(2_000_000_000)
OTHER = InstanceId(b"\x09" * 32)


def a_machine(trio: Trio) -> Machine:
    keys = (trio.alice.key.address, trio.bob.key.address)
    end = UnixTime(trio.world.ledger.time + 10_000)
    return Machine(*keys, Wei(300), Wei(0), end, Seconds(600), trio.alice.random())


def grants(trio: Trio) -> int:
    return len(trio.world.network.said(GrantInstance))


def test_request_that_is_said_again_waits_once(trio: Trio) -> None:
    draft = at(trio.ingrid)
    put(draft, draft.channel(trio.right), inflight=OTHER)
    terms = a_machine(trio)
    for channel, from_alice in ((trio.left, True), (trio.left, True), (trio.right, False)) * 2:
        request = RequestInstance(channel, terms, from_alice)
        queue.on_request(draft, draft.channel(channel), request)
    for channel in (trio.left, trio.right):
        assert len(draft.channel(channel).waiting) == 1
    assert said(draft) == []


def test_pair_is_served_when_the_state_is_signed_that_kept_its_channel_busy(trio: Trio) -> None:
    """At once: not with the next block."""
    trio.world.network.lose(AnswerState)
    trio.ingrid.do(CommandTransfer(trio.right, Wei(5)))
    trio.world.settle()
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert grants(trio) == 0
    trio.world.network.lose()
    answer = next(
        said for said in trio.world.network.said(AnswerState) if said.channel == trio.right
    )
    trio.world.network.inject(trio.bob.peer, trio.ingrid.peer, answer)
    trio.world.settle()
    assert grants(trio) == 2


def test_pair_that_waits_is_served_when_both_ends_are_met_again(trio: Trio) -> None:
    books = trio.ingrid.node.books
    trio.world.network.lose(GrantInstance)
    books.load(replace(books.channels[trio.right], inflight=OTHER))
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert books.hub_instances[machine].stage is HubStage.REQUESTED
    trio.ingrid.store.write([replace(books.channels[trio.right], inflight=None)])
    before = grants(trio)
    trio.ingrid.restart()
    trio.world.settle()
    assert grants(trio) == before + 2


def taking_its_place(trio: Trio, old: InstanceView) -> str | None:
    """Why another machine cannot take the place of one, if that is so."""
    draft = at(trio.ingrid, trio.world.ledger.time)
    draft.put(old)
    new = replace(old, id=OTHER)
    crossing = HubInstance(OTHER, trio.left, trio.right, since=UnixTime(0), replaces=old.id)
    return queue.why_stays(draft, crossing, new)


def test_place_of_what_the_chain_has_decided_is_not_taken(trio: Trio) -> None:
    id = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    old = trio.ingrid.node.books.instances[id]
    assert taking_its_place(trio, old) is None
    for deadline, why in ((FAR, None), (UnixTime(1), "the chain has decided")):
        found = taking_its_place(trio, replace(old, final=MachineRecord(Wei(1), Wei(0), deadline)))
        assert found is None if why is None else found is not None and why in found


def test_store_that_is_exit_only_says_no_ready(trio: Trio) -> None:
    id = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    books = trio.bob.node.books
    fresh = replace(books.instances[id], ready_sent=False)
    for exit_only, signs in ((False, 1), (True, 0)):
        books.exit_only = exit_only
        draft = at(trio.bob)
        ends.on_added(draft, fresh)
        assert sum(isinstance(made, Sign) for made in draft.step().effects) == signs


@pytest.mark.parametrize("leaving", [False, True])
def test_nobody_says_a_secret_where_nothing_is_signed_any_more(leaving: bool) -> None:
    trio = new_trio(GAMBLER)
    trio.world.network.lose(RevealSecret)
    flip_coin(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()
    (flip,) = trio.alice.node.books.instances.values()
    assert flip.legs[0].status is LegStatus.LISTED
    draft = at(trio.alice)
    put(draft, draft.channel(trio.left), leaving=leaving)
    doing.act(draft, flip)
    assert any(isinstance(message, RevealSecret) for message in said(draft)) is not leaving
