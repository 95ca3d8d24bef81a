"""Attacks on how a node keeps its books: batches, queues that grow, terms that fit no record."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign
from perun.core.inputs import CommandTransfer
from perun.core.notices import VirtualReady
from perun.core.state import HubStage
from perun.encoding.messages import (
    AnswerState,
    Invite,
    Over,
    Propose,
    RequestInstance,
    decode,
    encode,
)
from perun.testing.parties import Party
from perun.testing.stories import add_machine
from perun.types import (
    ETH,
    Address,
    InstanceId,
    Machine,
    Nano,
    Ready,
    Salt,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)
from tests.support.books import lost_fields

from .conftest import Pair, Trio
from .replacing import lost, signature
from .test_unasked import command, rewrite, trio_of


def is_on_disk(party: Party) -> None:
    """What the store would bring back is what the node goes by, order of indexes included."""
    assert lost_fields(party.node.books, party.store) == [], party.name


def machine(trio: Trio, number: int = 1, **fields: object) -> Machine:
    keys = (trio.alice.key.address, trio.bob.key.address)
    end = UnixTime(trio.world.ledger.time + 5_000)
    salt = Salt(bytes([number]) * 32)
    return replace(Machine(*keys, Wei(5), Wei(5), end, Seconds(600), salt), **fields)


def ask(trio: Trio, who: Party, terms: Machine, place: InstanceId | None = None) -> None:
    channel = trio.left if who is trio.alice else trio.right
    message = RequestInstance(channel, terms, who is trio.alice, place)
    trio.world.network.inject(who.peer, trio.ingrid.peer, message)


# ------------------------------------------------------------------------------ one batch, one disk


def test_what_is_dropped_and_comes_back_in_one_turn_is_on_disk(trio: Trio) -> None:
    """A store writes a batch first and drops from it last."""
    terms = machine(trio)
    ask(trio, trio.alice, terms, InstanceId(b"\x07" * 32))
    trio.ingrid.node.turn()
    ask(trio, trio.bob, terms)  # the ends do not agree: dropped …
    ask(trio, trio.alice, terms)  # … and here again.
    ask(trio, trio.bob, terms)
    trio.ingrid.node.turn()

    (crossing,) = trio.ingrid.node.books.hub_instances.values()
    assert crossing.stage is HubStage.OPENING
    is_on_disk(trio.ingrid)


def test_hub_that_lost_power_after_such_a_turn_frees_its_channels(trio: Trio) -> None:
    """Else the channel is in flight for ever, for a crossing that nobody knows."""
    terms = machine(trio)
    ask(trio, trio.alice, terms, InstanceId(b"\x07" * 32))
    trio.ingrid.node.turn()
    ask(trio, trio.bob, terms)
    ask(trio, trio.alice, terms)
    ask(trio, trio.bob, terms)
    trio.ingrid.node.turn()
    trio.ingrid.restart()
    for _ in range(3):
        trio.world.advance(11)

    channels = trio.ingrid.node.books.channels
    assert [view.inflight for view in channels.values()] == [None, None]
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert trio.bob.told(VirtualReady)


def test_request_that_comes_as_the_one_before_is_given_up_is_on_disk(trio: Trio) -> None:
    """Patience ends in the very turn in which an honest end asks again."""
    terms = machine(trio)
    ask(trio, trio.alice, terms)
    trio.ingrid.node.turn()
    trio.ingrid.clock.ahead += trio.ingrid.limits.patience + 1
    ask(trio, trio.alice, terms)
    trio.ingrid.node.turn()

    assert len(trio.ingrid.node.books.hub_instances) == 1
    is_on_disk(trio.ingrid)


# ------------------------------------------------------------------------------ terms of no record


@pytest.mark.parametrize("first", [True, False])
def test_end_of_time_stops_no_hub(trio: Trio, first: bool) -> None:
    """Its nano cannot even be made, and its turn would come while the hub signs something else."""
    absurd = machine(trio, 3, validity=UnixTime(2**40 - 1), challenge=Seconds(2**32 - 1))
    network, hub = trio.world.network, trio.ingrid

    def rule(letter):  # type: ignore[no-untyped-def]
        if letter[1] == hub.peer and isinstance(decode(letter[2]), (Propose, RequestInstance)):
            hub.node.receive(letter[0], (letter[2],))
            if first or isinstance(decode(letter[2]), RequestInstance):
                ask(trio, trio.alice, absurd)
                ask(trio, trio.bob, absurd)
            return ()
        return (letter,)

    network.rule = rule
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)

    assert hub.node.failed is None
    assert trio.bob.told(VirtualReady)
    assert all(view.waiting == () for view in hub.node.books.channels.values())


# ------------------------------------------------------------------------------- queues that grow


def test_pair_whose_turn_never_came_leaves_nothing_in_the_queue() -> None:
    """Its other channel was never idle; 64 leftovers would have closed this one to requests."""
    trio = trio_of()
    trio.world.network.rule = lost(trio.bob, AnswerState, Propose)
    trio.ingrid.do(CommandTransfer(trio.right, Wei(1)))
    for _ in range(3):
        trio.alice.do(command(trio.alice, trio.left, trio.bob))
        trio.world.settle()
        for _ in range(5):
            trio.world.advance(11)

    books = trio.ingrid.node.books
    assert books.hub_instances == {}
    assert [view.waiting for view in books.channels.values()] == [(), ()]
    is_on_disk(trio.ingrid)


def test_invitation_said_again_is_kept_once() -> None:
    """While a half of Bob's own waits, what he is to ask for next does not pile up."""
    trio = trio_of()
    trio.world.network.rule = rewrite(trio.alice, lambda _message: ())
    trio.alice.do(command(trio.alice, trio.left, trio.bob))
    trio.world.settle()
    view = trio.bob.node.books.channels[trio.right]
    assert len(view.proposals) == 1

    said = encode(Invite(machine(trio, 9), None, ETH))
    for _ in range(20):
        trio.world.network.inject(trio.alice.peer, trio.bob.peer, Over(trio.ingrid.peer, said))
        trio.world.settle([trio.bob])
    assert len(trio.bob.node.books.channels[trio.right].intents) == 1


def test_refusals_that_nobody_answers_are_so_many(pair: Pair) -> None:
    """Each costs its proposer a signature, and us a row that is written and sent time and again."""
    nano = Nano(Address(b"\x01" * 20), InstanceId(b"\x02" * 32), Wei(1), Wei(1), UnixTime(5), False)
    most = pair.bob.limits.unresolved_per_channel
    pair.world.network.lose(AnswerState)
    for _ in range(3 * most):
        view = pair.bob.node.books.channels[pair.channel]
        version = max(view.signed, view.seen) + 1
        state = State(pair.channel, Version(version + version % 2), Wei(0), (nano,))
        message = Propose(state, signature(pair.alice, state), 0)
        pair.world.network.inject(pair.alice.peer, pair.bob.peer, message)
        pair.world.settle([pair.bob])
    assert len(pair.bob.node.books.channels[pair.channel].proposals) == most

    # Whoever answers the newest of them has answered all.
    refusal = pair.bob.node.books.channels[pair.channel].proposals[-1].state
    answer = AnswerState(pair.channel, refusal.version, signature(pair.alice, refusal))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, answer)
    pair.world.settle([pair.bob])
    assert pair.bob.node.books.channels[pair.channel].proposals == ()


def test_instances_that_ends_let_lapse_are_watched_no_longer(trio: Trio) -> None:
    """Each look at the chain costs a hub something for all it watches, for ever."""
    for number in range(5):
        terms = machine(trio, number)
        ask(trio, trio.alice, terms)
        ask(trio, trio.bob, terms)
        trio.world.settle([trio.ingrid])
        assert len(trio.ingrid.chain.snapshots()) == 3
        trio.world.advance(11)
    assert len(trio.ingrid.chain.snapshots()) == 2


# ------------------------------------------------------------------------------ what nobody repeats


def test_ready_that_a_slow_signer_had_not_signed_is_asked_for_again(trio: Trio) -> None:
    """Else a channel that both have would never be paid in, after a restart of either end."""
    quick = trio.bob.signer.sign

    def slow(wish: Sign) -> tuple[Signature, ...] | None:
        return None if isinstance(wish.items[0].message, Ready) else quick(wish)

    trio.bob.signer.sign = slow  # type: ignore[method-assign]
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert not trio.alice.told(VirtualReady)
    trio.bob.signer.sign = quick  # type: ignore[method-assign]
    trio.bob.restart()
    trio.world.settle()
    assert trio.alice.told(VirtualReady)
    assert trio.bob.told(VirtualReady)
