"""Attacks on what nanocontracts promise to the channels that list them, on the bytecode: one
answer that never changes, the same for every leg, and a clock that a reorganisation only moves."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

import pytest

from populus.exceptions import ContractReverted
from tests.contracts.coin_flip.test_reveal import new_flip
from tests.contracts.coin_flip.test_reveal import secret as share
from tests.contracts.rock_paper_scissors.test_reveal import new_hands
from tests.contracts.rock_paper_scissors.test_reveal import secret as hand
from tests.contracts.turn_game.table import ALICE, BOB, EMPTY, WHOLE, Table, new_table
from tests.support.channels import new_channel
from tests.support.contracts import Deployed
from tests.support.instances import lock_id, new_lock, new_nano
from tests.support.stage import HOUR, Stage

Attempt = Callable[[], object]
Case = tuple[Deployed, bytes, int, list[Attempt]]
"""A contract, an id, the second from which it is done, and all that somebody may try then."""


def agreed_game(stage: Stage) -> Case:
    table = new_table(stage)
    start = table.submit(table.signed(2, 0, EMPTY, 7)).timestamp + HOUR
    newer, running = table.signed(4, 0, EMPTY, -20), table.signed(5, ALICE, EMPTY)
    return table.contract, table.id, start + 1, [
        lambda: table.submit(newer),
        lambda: table.submit(running),
        lambda: table.move(ALICE, 2, EMPTY, b"\0"),
        lambda: table.contract.send(stage.carol, "submit", table.evidence(newer)),
    ]  # fmt: skip


def won_game(stage: Stage) -> Case:
    table = new_table(stage)
    three = bytes([0, 3, 0, 0x18])
    start = table.submit(table.signed(4, ALICE, three)).timestamp + HOUR
    stage.at(start + 1)
    table.move(ALICE, 4, three, b"\2")
    won = bytes([0, 7, 0, 0x18])
    return table.contract, table.id, stage.now, [
        lambda: table.submit(table.signed(9, 0, won, 10)),
        lambda: table.move(BOB, 5, won, b"\5"),
        lambda: table.move(ALICE, 4, three, b"\2"),
    ]  # fmt: skip


def lost_game(stage: Stage) -> Case:
    """Alice lets her clock run out."""
    table = new_table(stage)
    start = table.submit(table.signed(0, ALICE, EMPTY)).timestamp + HOUR
    return table.contract, table.id, start + table.terms.alice_bank + 1, [
        lambda: table.move(ALICE, 0, EMPTY, b"\0"),
        lambda: table.submit(table.signed(1, 0, EMPTY, -20)),
        lambda: table.contract.send(
            stage.carol, "submit", table.move_evidence(ALICE, 0, EMPTY, b"\0")
        ),
    ]  # fmt: skip


def silent_flip(stage: Stage) -> Case:
    """Alice has spoken and Bob has not."""
    coin, flip = stage.deploy("CoinFlip"), new_flip(stage)
    spoken = coin.send(stage.carol, "reveal", flip, False, share(40_000)).timestamp
    return coin, coin.ask("flipId", flip), spoken + HOUR + 1, [
        lambda: coin.send(stage.carol, "reveal", flip, True, share(1_000)),
        lambda: coin.send(stage.carol, "reveal", flip, False, share(40_000)),
    ]  # fmt: skip


def thrown_hands(stage: Stage) -> Case:
    contract, hands = stage.deploy("RockPaperScissors"), new_hands(stage)
    contract.send(stage.carol, "reveal", hands, False, hand(2))
    contract.send(stage.carol, "reveal", hands, True, hand(1))
    return contract, contract.ask("handsId", hands), stage.now, [
        lambda: contract.send(stage.carol, "reveal", hands, True, hand(0)),
        lambda: contract.send(stage.carol, "reveal", hands, False, hand(2)),
    ]  # fmt: skip


def opened_lock(stage: Stage) -> Case:
    preimage = b"\x07" * 32
    lock = new_lock(stage, 9, preimage)
    stage.locks.send(stage.carol, "reveal", lock, preimage)
    return stage.locks, lock_id(stage, lock), stage.now, [
        lambda: stage.locks.send(stage.carol, "reveal", lock, bytes(32)),
        lambda: stage.locks.send(stage.carol, "reveal", lock, preimage),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "case", [agreed_game, won_game, lost_game, silent_flip, thrown_hands, opened_lock]
)
def test_outcome_never_changes_after_done(stage: Stage, case: Callable[[Stage], Case]) -> None:
    """Whatever is brought, and however long after. The other kinds have this test beside theirs."""
    contract, id, done_at, attempts = case(stage)
    stage.wait_until(max(done_at, stage.now + 1))
    before = contract.ask("outcome", id)
    assert before[0] is True
    for later in (1, HOUR, 400 * 24 * HOUR):
        stage.at(stage.now + later)
        for attempt in attempts:
            with contextlib.suppress(ContractReverted):
                attempt()
            assert contract.ask("outcome", id) == before


# ---------------------------------------------------------------------------------- two legs


def settle_apart(stage: Stage, table: Table, first: str, seconds: int) -> tuple[int, ...]:
    """What Alice, the hub and Bob have got when one leg is settled so long after the other, both
    after everything is over. The right channel is the other way round."""
    alice, bob, ingrid = stage.alice, stage.bob, stage.ingrid
    left = new_channel(stage, alice, ingrid).fund(100, 100)
    right = new_channel(stage, bob, ingrid).fund(100, 100)
    gained = stage.gains(left.asset, alice, ingrid, bob)
    of_left = (new_nano(table.contract, table.id, 10, 20, table.final_time),)
    of_right = (new_nano(table.contract, table.id, 20, 10, table.final_time, swapped=True),)
    left.register(alice, 2, 0, of_left)
    right.register(bob, 2, 0, of_right)
    legs = [(left, of_left), (right, of_right)]
    for channel, nanos in legs if first == "left" else legs[::-1]:
        stage.wait_until(max(stage.now, channel.dispute().deadline, table.final_time) + seconds)
        channel.settle(stage.carol, 0, nanos)
    return gained()


@pytest.mark.parametrize("first", ["left", "right"])
@pytest.mark.parametrize(("loser", "paid"), [(ALICE, 10), (BOB, -20)])
def test_whole_lock_by_the_clock_is_the_same_in_a_leg_the_other_way_round(
    stage: Stage, first: str, loser: int, paid: int
) -> None:
    """`outcome` answers ±(2**111 − 1), since it knows no locks; −(2**111 − 1) is exchanged, too."""
    table = new_table(stage)
    table.submit(table.signed(1, loser, EMPTY))
    gains = settle_apart(stage, table, first, 30 * 24 * HOUR)
    assert table.outcome() == (True, WHOLE if loser == ALICE else -WHOLE)
    assert gains == (100 - paid, 200, 100 + paid)


@pytest.mark.parametrize("second", [1, 2])
def test_rules_that_look_at_the_clock_cost_the_hub_nothing(stage: Stage, second: int) -> None:
    """Their answer is stored once; whoever signed a game by them has only itself to blame."""
    table = new_table(stage, "ClockSteps")
    start = table.submit(table.signed(0, ALICE, b"\0")).timestamp + HOUR
    stage.at(start + second)
    table.move(ALICE, 0, b"\0", b"\1")
    done, shift = table.outcome()
    assert done
    assert shift == (10 if stage.now % 2 == 0 else -20)
    assert settle_apart(stage, table, "left", 7 * 24 * HOUR + 1) == (100 - shift, 200, 100 + shift)


@pytest.mark.parametrize("first", ["left", "right"])
def test_nobody_says_anything_and_both_legs_move_nothing(stage: Stage, first: str) -> None:
    """Of a game, which stands for all kinds: without a record `outcome` is not done, for ever."""
    table = new_table(stage)
    assert settle_apart(stage, table, first, 1) == (100, 200, 100)
    with contextlib.suppress(ContractReverted):
        table.submit(table.signed(9, 0, EMPTY, 10))
    assert table.outcome() == (False, 0)


# ------------------------------------------------------------------------------ reorganisations


@pytest.mark.parametrize("moved", [1, 30])
def test_reorganisation_that_moves_the_start_leaves_the_move_good(stage: Stage, moved: int) -> None:
    """The same signatures count again, later; the bank is counted from the new start."""
    table = new_table(stage)
    signed = table.signed(0, ALICE, EMPTY)
    signature = stage.alice.sign(table.move_digest(0, EMPTY, b"\0"))
    move: Sequence[object] = (table.terms, EMPTY, b"\0", signature)
    with stage.chain.isolated():
        start = table.submit(signed).timestamp + HOUR
        stage.at(start + 600)
        table.contract.send(stage.carol, "submitMove", *move)
    stage.at(start - HOUR + moved)
    again = table.submit(signed).timestamp + HOUR
    assert again == start + moved
    stage.at(again + 600)
    table.contract.send(stage.carol, "submitMove", *move)
    assert table.word() >> 254 == BOB
    assert table.outcome() == (False, 0)
