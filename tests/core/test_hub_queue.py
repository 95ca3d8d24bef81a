"""A hub's queue: what waits in it once, what is served at once, and whose place can be taken."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core import open_at_once
from perun.core.books import Draft
from perun.core.channel import proposals
from perun.core.effects import Sign
from perun.core.hub import pairs, queue
from perun.core.hub.letting_go import refuse_one
from perun.core.hub.patience import overdue
from perun.core.hub.policy import why_refuse
from perun.core.inputs import CommandTransfer
from perun.core.nanocontracts.instances import instance_id, nano_of
from perun.core.state import (
    Held,
    HubInstance,
    HubStage,
    InstanceView,
    Intent,
    LegStatus,
    OwnProposal,
    Purpose,
)
from perun.core.virtual import doing, ends
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Propose,
    RefuseInstance,
    RequestInstance,
    RevealSecret,
    SignedHalf,
    decode,
    encode,
)
from perun.testing.parties import DEPLOYMENT
from perun.testing.stories import GAMBLER, add_machine, flip_coin, hub_policy
from perun.types import (
    InstanceId,
    Lock,
    Machine,
    MachineRecord,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Trio, new_trio
from .crafted import at, put, said

FAR = UnixTime(2_000_000_000)
SIGNED = Signature(b"\x01" * 65)
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


def opening(trio: Trio) -> tuple[InstanceId, InstanceView]:
    """A machine that crosses the hub; and its row as it was before anything was signed."""
    id = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    known = trio.ingrid.node.books.instances[id]
    legs = tuple(replace(leg, status=LegStatus.NEW) for leg in known.legs)
    return InstanceId(id), replace(known, legs=legs)


def crossing(trio: Trio, id: InstanceId, stage: HubStage) -> HubInstance:
    return replace(trio.ingrid.node.books.hub_instances[id], stage=stage)


def test_pair_whose_half_comes_out_of_turn_is_let_go_of_at_once(trio: Trio) -> None:
    """The other end waits no longer than the one that was refused."""
    id, new = opening(trio)
    draft = at(trio.ingrid)
    draft.put(new)
    draft.put(crossing(trio, id, HubStage.REQUESTED))
    view = put(draft, draft.channel(trio.left), agreed=None)
    state = State(trio.left, Version(8), Wei(0), (nano_of(DEPLOYMENT, id, new.terms, False),))
    proposals.take(draft, view, Propose(state, SIGNED, int(Purpose.ADD), adds=id))
    assert crossing(trio, id, HubStage.REQUESTED) in draft.step().drops
    (refused,) = [message for message in said(draft) if isinstance(message, RefuseInstance)]
    assert refused.instance == id


@pytest.mark.parametrize("length", [5, 1_000])
def test_hub_says_no_in_no_more_words_than_a_message_takes(trio: Trio, length: int) -> None:
    """A letter more, and whoever waits for it would take it for malformed and go on waiting."""
    id, _ = opening(trio)
    draft = at(trio.ingrid)
    refuse_one(draft, draft.channel(trio.left), id, "x" * length)
    (refused,) = said(draft)
    assert decode(encode(refused)) == refused


def holding_both(trio: Trio, id: InstanceId, intent: Intent) -> Draft:
    draft = at(trio.ingrid)
    for channel in (trio.left, trio.right):
        state = State(channel, Version(8), Wei(0))
        put(draft, draft.channel(channel), held=Held(state, SIGNED, intent))
    return draft


def test_halves_that_open_are_looked_at_again_with_a_block(trio: Trio) -> None:
    """Our view was too old when they came, and of the instance the chain tells nothing new."""
    id, new = opening(trio)
    draft = holding_both(trio, id, Intent(Purpose.ADD, adds=id))
    draft.put(new)
    draft.put(crossing(trio, id, HubStage.OPENING))
    pairs.look_again(draft, id)
    views = [draft.channel(channel) for channel in (trio.left, trio.right)]
    assert [view.held is not None and view.held.answering for view in views] == [True, True]


def test_hub_that_follows_proposes_once(trio: Trio) -> None:
    """Where something else is open it waits, and wants nothing more at each block."""
    id, new = opening(trio)
    first, second = new.legs
    legs = (
        replace(first, status=LegStatus.REMOVED),
        replace(second, status=LegStatus.LISTED),
    )
    draft = at(trio.ingrid)
    draft.put(replace(new, legs=legs))
    before = draft.channel(second.channel)
    state = State(second.channel, Version(8), Wei(0))
    for busy in (
        replace(before, held=Held(state, SIGNED, Intent(Purpose.TRANSFER))),
        replace(before, proposals=(OwnProposal(state, Intent(Purpose.TRANSFER)),)),
    ):
        draft.put(busy)
        pairs.follow(draft, id)
        assert draft.channel(second.channel).intents == ()
    draft.put(before)
    for _ in range(3):
        pairs.follow(draft, id)
    view = draft.channel(second.channel)
    assert (len(view.proposals), view.intents) == (1, ())


def test_opening_of_which_something_is_signed_is_not_let_go_of(trio: Trio) -> None:
    id, new = opening(trio)
    first, second = new.legs
    for status, ends_it in ((LegStatus.NEW, True), (LegStatus.ADDING, False)):
        draft = at(trio.ingrid)
        draft.put(replace(new, legs=(replace(first, status=status), second)))
        opened = crossing(trio, id, HubStage.OPENING)
        draft.put(opened)
        late = opened.since + trio.ingrid.limits.patience + 1
        draft.chain = replace(draft.chain, clock=UnixTime(late))
        overdue(draft, opened)
        assert bool(said(draft)) is ends_it
        assert (opened in draft.step().drops) is ends_it


def test_full_queue_gives_up_what_one_end_alone_has_asked_for(trio: Trio) -> None:
    books = trio.ingrid.node.books
    books.config = replace(books.config, policy=hub_policy(greatest_queue=1))
    for both in (False, True):
        draft = at(trio.ingrid)
        view = put(draft, draft.channel(trio.left), waiting=(OTHER,), inflight=OTHER)
        draft.put(HubInstance(OTHER, trio.left, trio.right, requested=(True, both)))
        queue.on_request(draft, view, RequestInstance(trio.left, a_machine(trio), True))
        (refused,) = said(draft) if both else said(draft)[:1]
        assert isinstance(refused, RefuseInstance)
        assert (refused.instance == OTHER) is not both
        assert (OTHER in draft.channel(trio.left).waiting) is both


def test_inviters_own_channel_is_not_the_other_ends(trio: Trio) -> None:
    """Nobody signs in a hash lock, so no key says that Alice's half is none of Bob's."""
    end = UnixTime(trio.world.ledger.time + 5_000)
    lock = Lock(Wei(5), False, bytes(32), end, trio.alice.random())
    id = instance_id(DEPLOYMENT, lock)
    state = State(trio.left, Version(2), Wei(0), (nano_of(DEPLOYMENT, id, lock, True),))
    half = SignedHalf(state, trio.world.sign(trio.alice.key.address, state))
    draft = at(trio.ingrid)
    request = RequestInstance(trio.left, lock, True, other_half=half)
    open_at_once.on_request(draft, draft.channel(trio.left), request)
    (refused,) = said(draft)
    assert isinstance(refused, RefuseInstance)
    assert draft.step().writes == ()


@pytest.mark.parametrize(("slots", "taken"), [(1, False), (2, True)])
def test_one_peer_fills_no_more_than_its_slots(trio: Trio, slots: int, taken: bool) -> None:
    opening(trio)
    books = trio.ingrid.node.books
    limits = replace(books.config.limits, slots_per_peer=slots)
    policy = hub_policy(small_lock=Wei(0), reserved_slots=0)
    config = replace(books.config, limits=limits, policy=policy)
    terms = a_machine(trio)
    place = (books.channels[trio.left], nano_of(DEPLOYMENT, OTHER, terms, False))
    why = why_refuse(config, books.chain, terms, (place,))
    assert (why is None) is taken
    assert taken or why == "no slot left in the channel"


def test_half_that_resizes_is_not_refused_with_the_ticks_of_the_old_machine(trio: Trio) -> None:
    """It waits until the chain has told of the new one; a removal that is left over does not."""
    id, _ = opening(trio)
    resizes = Intent(Purpose.REPLACE, adds=OTHER, removes=id)
    for intent, refused in ((resizes, False), (Intent(Purpose.REMOVE, removes=id), True)):
        draft = holding_both(trio, id, intent)
        overdue(draft, crossing(trio, id, HubStage.OPEN))
        views = [draft.channel(channel) for channel in (trio.left, trio.right)]
        assert [view.held is None for view in views] == [refused, refused]
