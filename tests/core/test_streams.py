"""Streams between two and over a hub: the payee is paid what was given out, and no more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.faults import InstanceRejected, NotAllowedNow, NotEnoughMoney, UnexpectedMessage
from perun.core.inputs import CommandDispute, Received
from perun.core.nanocontracts import hash_chain
from perun.core.nanocontracts.hash_chain import (
    HASH_CHAIN,
    MOST_TICKS,
    STREAMS,
    CommandSettle,
    CommandTick,
    paid_in,
)
from perun.core.notices import TicksDelivered
from perun.core.state import LegStatus
from perun.core.states.valuation import alone, balance
from perun.encoding.hash_chain import tick_hash
from perun.encoding.messages import MalformedMessage, Ticked, Ticks, decode, encode
from perun.errors import BadSignature
from perun.spec.nanocontracts.hash_chain import HashChain
from perun.testing.parties import Party, World
from perun.testing.stories import open_stream
from perun.types import Stream, StreamId, Wei

from .conftest import Pair, Trio
from .ends import only, seen, status, wait


def paid(party: Party) -> int:
    stream = seen(party).terms
    assert isinstance(stream, Stream)
    return paid_in(stream, seen(party))


def shift(party: Party) -> int:
    return int(seen(party).legs[0].removed_shift)


def tick(party: Party, ticks: int = 1) -> None:
    party.do(CommandTick(only(party), ticks))


def begin(pair: Pair, lock: int = 600, size: int = 3) -> None:
    open_stream(pair.world, pair.alice, pair.channel, lock, size)
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.LISTED


def begin_over(trio: Trio, lock: int = 600, size: int = 3) -> None:
    open_stream(trio.world, trio.alice, trio.left, lock, size, trio.bob)
    trio.world.settle()
    trio.world.advance()
    assert status(trio.alice) is status(trio.bob) is LegStatus.LISTED


def submitted(world: World) -> int | None:
    records = list(world.ledger.contracts.of(HashChain).records.values())
    return records[0].total if records else None


# -------------------------------------------------------------------------------- when all is well


def test_ticks_arrive_and_the_removal_pays_them(pair: Pair) -> None:
    begin(pair)
    tick(pair.alice)
    tick(pair.alice, 4)
    pair.world.settle()
    assert (paid(pair.alice), paid(pair.bob)) == (15, 15)
    assert STREAMS.of(seen(pair.alice)).held == 15
    assert pair.alice.told(TicksDelivered)[-1] == TicksDelivered(only(pair.alice), Wei(15))
    pair.alice.do(CommandSettle(only(pair.alice)))
    pair.world.settle()
    assert status(pair.alice) is status(pair.bob) is LegStatus.REMOVED
    assert shift(pair.alice) == shift(pair.bob) == 15


@pytest.mark.parametrize("who", ["alice", "bob"])
@pytest.mark.parametrize("ticks", [0, 7])
def test_either_end_settles(pair: Pair, who: str, ticks: int) -> None:
    begin(pair)
    if ticks:
        tick(pair.alice, ticks)
    pair.world.settle()
    side = getattr(pair, who)
    side.do(CommandSettle(only(side)))
    pair.world.settle()
    assert shift(pair.alice) == shift(pair.bob) == 3 * ticks


@pytest.mark.parametrize("who", ["alice", "bob"])
@pytest.mark.parametrize("ticks", [0, 7])
def test_over_a_hub_both_channels_move_the_same(trio: Trio, who: str, ticks: int) -> None:
    begin_over(trio)
    if ticks:
        tick(trio.alice, ticks)
    trio.world.settle()
    assert paid(trio.bob) == 3 * ticks
    side = getattr(trio, who)
    side.do(CommandSettle(only(side)))
    trio.world.settle()
    for _ in range(4):
        trio.world.advance()
    assert [leg.removed_shift for leg in seen(trio.ingrid).legs] == [3 * ticks, 3 * ticks]
    assert status(trio.alice) is status(trio.bob) is LegStatus.REMOVED


def test_stream_is_longer_than_a_chain_of_hashes(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One signature opens so many ticks; the next begins where they end."""
    monkeypatch.setattr(hash_chain, "MOST_TICKS", 64)
    begin(pair, lock=900, size=1)
    for ticks, base in ((1, 0), (31, 0), (1, 0), (31, 0), (1, 64), (70, 128), (765, 896)):
        tick(pair.alice, ticks)
        pair.world.settle()
        assert STREAMS.of(seen(pair.bob)).base == base
    assert paid(pair.alice) == paid(pair.bob) == 900


def test_wishes_of_one_moment_leave_as_one_message(pair: Pair) -> None:
    begin(pair)
    said = len(pair.world.network.seen)
    pair.alice.node.post([CommandTick(only(pair.alice), ticks) for ticks in (1, 2, 1, 1)])
    pair.world.settle()
    assert (paid(pair.alice), paid(pair.bob)) == (15, 15)
    # The ticks, and that they are held.
    assert len(pair.world.network.seen) - said == 2


def test_of_wishes_that_come_together_those_that_fit_are_paid(pair: Pair) -> None:
    begin(pair, lock=30)
    settles = CommandSettle(only(pair.alice))
    wishes = [CommandTick(only(pair.alice), ticks) for ticks in (8, 8, 1, 0, 2)]
    pair.alice.node.post([*wishes, settles, wishes[2]])
    pair.world.settle()
    assert len(pair.alice.faults) == 4
    pair.alice.faults.clear()
    assert shift(pair.alice) == shift(pair.bob) == 27


def test_lost_ticks_are_made_good_by_the_next(pair: Pair) -> None:
    begin(pair)
    tick(pair.alice)
    pair.world.settle()
    pair.world.network.rule = lambda _letter: ()
    tick(pair.alice, 5)
    pair.world.settle()
    assert (paid(pair.alice), paid(pair.bob)) == (18, 3)
    pair.world.network.rule = None
    pair.world.advance()
    pair.world.settle()
    assert paid(pair.bob) == 18


# ----------------------------------------------------------------------------------- on the chain


def test_payee_left_alone_shows_its_newest_tick_in_time(pair: Pair) -> None:
    begin(pair)
    tick(pair.alice, 100)
    pair.world.settle()
    pair.world.network.rule = lambda _letter: ()
    wait(pair.world, pair.alice, pair.bob)
    assert submitted(pair.world) == 300


def test_payee_in_a_dispute_is_paid_all_it_holds(pair: Pair) -> None:
    begin(pair)
    tick(pair.alice, 100)
    pair.world.settle()
    pair.world.network.rule = lambda _letter: ()
    pair.alice.do(CommandDispute(pair.channel))
    wait(pair.world, pair.alice, pair.bob)
    ledger = pair.world.ledger
    assert [ledger.paid[one.account.address] for one in (pair.alice, pair.bob)] == [700, 1_300]


def test_payee_over_a_hub_left_alone_is_paid_and_the_hub_loses_nothing(trio: Trio) -> None:
    begin_over(trio)
    tick(trio.alice, 100)
    trio.world.settle()
    trio.world.network.rule = lambda letter: () if trio.alice.peer in letter[:2] else (letter,)
    wait(trio.world, trio.alice, trio.bob, trio.ingrid)
    assert submitted(trio.world) == 300
    agreed = trio.bob.node.books.channels[trio.right].agreed
    assert agreed is not None
    assert (agreed.state.net, agreed.state.nanos) == (-300, ())
    books = trio.ingrid.node.books
    assert balance(books, books.channels[trio.left]).guaranteed >= 1_000 + 300


# -------------------------------------------------------------------------------------- attacks


def test_no_more_than_the_lock_is_paid(pair: Pair) -> None:
    begin(pair, lock=600, size=3)
    tick(pair.alice, 199)
    with pytest.raises(NotEnoughMoney):
        tick(pair.alice, 2)
    for wrong in (0, -1):
        with pytest.raises(NotEnoughMoney):
            tick(pair.alice, wrong)
    tick(pair.alice)
    pair.world.settle()
    assert paid(pair.bob) == 600


def test_payee_pays_nothing_and_nobody_pays_in_what_is_closed(pair: Pair) -> None:
    begin(pair)
    with pytest.raises(NotAllowedNow):
        tick(pair.bob)
    pair.world.network.rule = lambda _letter: ()
    pair.alice.do(CommandSettle(only(pair.alice)))
    with pytest.raises(NotAllowedNow):
        tick(pair.alice)


def test_whoever_is_paid_does_not_invite(pair: Pair) -> None:
    with pytest.raises(InstanceRejected):
        open_stream(pair.world, pair.alice, pair.channel, 600, 601)


def shown(pair: Pair, ticks: int = 5) -> Ticks:
    """What Alice has said last, as a message; Bob has heard all."""
    tick(pair.alice, ticks)
    pair.world.settle()
    view = STREAMS.of(seen(pair.alice))
    return Ticks(only(pair.alice), view.base, view.root, view.ticks, view.value, view.signature)


@pytest.mark.parametrize(
    "change",
    [
        {"ticks": 6},
        {"value": b"\x01" * 32, "ticks": 6},
        {"base": Wei(3)},
        {"base": Wei(300), "ticks": 0, "root": b"\x05" * 32, "value": b"\x05" * 32},
        {"root": b"\x05" * 32, "value": b"\x05" * 32, "ticks": 0, "base": Wei(100)},
    ],
)
def test_what_the_chain_would_not_count_is_not_counted(
    pair: Pair, change: dict[str, object]
) -> None:
    begin(pair)
    message = replace(shown(pair), **change)
    with pytest.raises((UnexpectedMessage, BadSignature)):
        pair.bob.do(Received(pair.alice.peer, message))
    assert paid(pair.bob) == 15


def test_ticks_that_lead_nowhere_cost_so_many_hashes_and_no_more(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(pair)
    message = replace(shown(pair), ticks=MOST_TICKS, value=b"\x01" * 32)
    hashed: list[bytes] = []

    def counted(id: StreamId, value: bytes) -> bytes:
        hashed.append(value)
        return tick_hash(id, value)

    monkeypatch.setattr(hash_chain, "tick_hash", counted)
    with pytest.raises(UnexpectedMessage):
        pair.bob.do(Received(pair.alice.peer, message))
    assert 0 < len(hashed) <= MOST_TICKS
    with pytest.raises(MalformedMessage):
        decode(encode(replace(message, ticks=MOST_TICKS + 1)))
    assert paid(pair.bob) == 15


def test_old_ticks_change_nothing(pair: Pair) -> None:
    begin(pair)
    old = shown(pair, 2)
    shown(pair, 3)
    before = STREAMS.of(seen(pair.bob))
    pair.bob.do(Received(pair.alice.peer, old))
    assert STREAMS.of(seen(pair.bob)) == before


def test_payer_pays_no_more_for_what_the_payee_makes_up(pair: Pair) -> None:
    begin(pair)
    shown(pair)
    with pytest.raises(UnexpectedMessage):
        pair.alice.do(Received(pair.bob.peer, Ticked(only(pair.alice), Wei(16))))
    assert paid(pair.alice) == 15


def test_tower_is_given_what_pays_its_client_and_nothing_that_could_be_spent(pair: Pair) -> None:
    """Values that the payer has not given out are money; the payee's newest is its evidence."""
    begin(pair)
    tick(pair.alice, 5)
    pair.world.settle()
    payer, payee = seen(pair.alice), seen(pair.bob)
    assert HASH_CHAIN.defending(payer) == replace(payer, kept=b"")
    assert payer.kept
    assert HASH_CHAIN.defending(payee) == payee


def test_newest_tick_is_what_the_chain_alone_would_pay(pair: Pair) -> None:
    begin(pair)
    tick(pair.alice, 5)
    pair.world.settle()
    books = [party.node.books for party in (pair.alice, pair.bob)]
    assert [alone(one, one.channels[pair.channel]) for one in books] == [1_000 - 15, 1_000 + 15]


def test_what_is_wanted_counts_as_gone_before_it_leaves(pair: Pair) -> None:
    begin(pair)
    pair.world.network.rule = lambda _letter: ()
    tick(pair.alice, 10)
    books = pair.alice.node.books
    assert balance(books, books.channels[pair.channel]).guaranteed == 1_000 - 30
