"""`settle`: after the deadline, free money at once, locked money when its nanocontract says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from perun.testing.owners import Owner
from tests.support import plain
from tests.support.channels import NO_DISPUTE, BasicChannel, Dispute, Holdings, new_channel
from tests.support.contracts import Deployed, Receipt, normal
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, Stage


def in_dispute(
    channel: BasicChannel, net: int = 0, nanos: Sequence[Any] = (), version: int = 2
) -> BasicChannel:
    """The channel with this state registered; the next transaction may settle it."""
    channel.register(channel.alice, version, net, nanos)
    channel.wait_until_settleable()
    return channel


def settled(channel: BasicChannel, alice: int, bob: int, remaining: Sequence[Any] = ()) -> Any:
    """The event."""
    paid = {"alicePaid": alice, "bobPaid": bob}
    return ("Settled", {"id": channel.id, **paid, "remaining": normal(tuple(remaining))})


# ---------------------------------------------------------------------- without nanos


@pytest.mark.parametrize("net", [-10, -3, 0, 4, 10])
def test_settle_pays_both_and_clears_both_slots(
    stage: Stage, asset: bytes, carol: Owner, net: int
) -> None:
    channel = in_dispute(new_channel(stage, asset=asset).fund(10, 10), net)
    gained = stage.gains(asset, stage.alice, stage.bob, stage.ms)

    receipt = channel.settle(carol, net)

    assert gained() == (10 - net, 10 + net, -20)
    assert channel.credits() == (0, 0)
    assert (channel.holdings(), channel.dispute()) == (Holdings(0, 0), NO_DISPUTE)
    assert receipt.events == (settled(channel, 10 - net, 10 + net),)


def test_version_0_gives_deposits_back(stage: Stage, carol: Owner) -> None:
    channel = new_channel(stage).fund(10, 7)
    channel.register(channel.bob, 0)
    channel.wait_until_settleable()
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    channel.settle(carol)
    assert gained() == (10, 7)


def test_newest_registered_state_is_settled(stage: Stage, funded: BasicChannel) -> None:
    funded.register(funded.alice, 2, -5)
    in_dispute(funded, 6, version=4)
    gained = stage.gains(funded.asset, funded.alice, funded.bob)
    funded.settle(stage.carol, 6)
    assert gained() == (4, 16)


def test_settle_clears_count_and_mark(stage: Stage, funded: BasicChannel) -> None:
    funded.withdraw(stage.carol, 0, 1, 1)
    in_dispute(funded).settle(stage.carol)
    assert funded.holdings() == Holdings(0, 0)


def test_settle_with_a_side_below_zero(stage: Stage, funded: BasicChannel) -> None:
    funded.withdraw(stage.carol, 0, 0, 15)
    in_dispute(funded, 5)
    gained = stage.gains(funded.asset, funded.alice, funded.bob)
    funded.settle(stage.carol, 5)
    assert gained() == (5, 0)


# ---------------------------------------------------------------------- refusals


def test_settle_without_a_dispute_is_refused(funded: BasicChannel) -> None:
    with reverts("NotInDispute", funded.id):
        funded.settle(funded.alice)


def test_settle_works_once(funded: BasicChannel) -> None:
    in_dispute(funded).settle(funded.alice)
    with reverts("NotInDispute", funded.id):
        funded.settle(funded.alice)


@pytest.mark.parametrize("early", [1, 0])
def test_settle_waits_for_the_deadline_to_be_over(funded: BasicChannel, early: int) -> None:
    funded.register(funded.alice, 2)
    deadline = funded.dispute().deadline
    funded.stage.at(deadline - early)
    with reverts("DisputeStillOpen", funded.id, deadline, deadline - early):
        funded.settle(funded.alice)


def test_settle_wants_the_registered_net(funded: BasicChannel) -> None:
    in_dispute(funded, 3)
    given, registered = (plain.state_hash(funded.id, 2, net, ()) for net in (2, 3))
    with reverts("StateMismatch", funded.id, given, registered):
        funded.settle(funded.alice, 2)


def test_settle_wants_the_registered_list(funded: BasicChannel, liar: Deployed) -> None:
    nanos = (new_nano(liar, 1, 2, 2), new_nano(liar, 2, 2, 2))
    in_dispute(funded, 3, nanos)
    registered = plain.state_hash(funded.id, 2, 3, nanos)
    wrong = [(), nanos[:1], nanos[::-1], (*nanos, nanos[0]), (nanos[0], new_nano(liar, 2, 2, 3))]
    for nanos_given in wrong:
        given = plain.state_hash(funded.id, 2, 3, nanos_given)
        with reverts("StateMismatch", funded.id, given, registered):
            funded.settle(funded.alice, 3, nanos_given)


# ---------------------------------------------------------------------- outcomes

SHIFTS = [
    # shift, swapped, aliceLock, bobLock, moves from the channel's Alice to its Bob
    (3, False, 5, 4, 3),
    (-3, False, 5, 4, -3),
    (0, False, 5, 4, 0),
    (5, False, 5, 4, 5),
    (6, False, 5, 4, 5),
    (-4, False, 5, 4, -4),
    (-5, False, 5, 4, -4),
    (3, True, 5, 4, -3),
    (-3, True, 5, 4, 3),
    (5, True, 5, 4, -4),
    (-6, True, 5, 4, 5),
    (7, True, 0, 10, -7),
    (7, True, 10, 0, 0),
    (2**111 - 1, False, 5, 4, 5),
    (-(2**111), False, 5, 4, -4),
    (-(2**111), True, 5, 4, 5),
    (2**111 - 1, True, 5, 4, -4),
    (7, False, 0, 0, 0),
]


@pytest.mark.parametrize(("shift", "swapped", "alice_lock", "bob_lock", "moved"), SHIFTS)
def test_outcome_moves_money_within_the_locks(
    funded: BasicChannel,
    liar: Deployed,
    shift: int,
    swapped: bool,
    alice_lock: int,
    bob_lock: int,
    moved: int,
) -> None:
    stage = funded.stage
    nano = new_nano(liar, 1, alice_lock, bob_lock, FOREVER, swapped)
    liar.send(stage.carol, "set", nano.id, True, shift)
    in_dispute(funded, 0, (nano,))
    gained = stage.gains(funded.asset, funded.alice, funded.bob, stage.ms)

    receipt = funded.settle(stage.carol, 0, (nano,))

    assert gained() == (10 - moved, 10 + moved, -20)
    assert receipt.events == (settled(funded, 10 - moved, 10 + moved),)


def test_outcomes_of_many_nanos_add_up(funded: BasicChannel, liar: Deployed) -> None:
    stage = funded.stage
    nanos = [new_nano(liar, number, 3, 3, FOREVER, number % 2 == 0) for number in (1, 2, 3)]
    for nano, shift in zip(nanos, (3, -2, -1), strict=True):
        liar.send(stage.carol, "set", nano.id, True, shift)
    in_dispute(funded, 1, nanos)
    gained = stage.gains(funded.asset, funded.alice, funded.bob)
    funded.settle(stage.carol, 1, nanos)
    moved = 1 + 3 + 2 - 1  # the second is swapped
    assert gained() == (10 - moved, 10 + moved)


@pytest.mark.parametrize(
    ("late", "locked"), [(-1, True), (0, True), (1, False)], ids=["T-1", "T", "T+1"]
)
def test_nano_that_is_not_done_holds_its_locks_until_it_expires(
    funded: BasicChannel, liar: Deployed, late: int, locked: bool
) -> None:
    stage = funded.stage
    expiry = stage.now + 10_000
    nanos = (new_nano(liar, 1, 4, 3, expiry),)
    in_dispute(funded, 0, nanos)
    stage.at(expiry + late)
    receipt = funded.settle(stage.carol, 0, nanos)
    if locked:
        assert receipt.events == (settled(funded, 6, 7, nanos),)
        assert funded.holdings() == Holdings(4, 3, disputed=True)
    else:
        assert receipt.events == (settled(funded, 10, 10),)
        assert funded.holdings() == Holdings(0, 0)


def test_outcome_counts_after_the_expiry_too(funded: BasicChannel, liar: Deployed) -> None:
    stage = funded.stage
    nanos = (new_nano(liar, 1, 4, 3, expiry=0),)
    liar.send(stage.carol, "set", nanos[0].id, True, 2)
    in_dispute(funded, 0, nanos)
    assert funded.settle(stage.carol, 0, nanos).events == (settled(funded, 8, 12),)


def test_payments_of_a_machine_are_settled(stage: Stage, carol: Owner) -> None:
    channel = new_channel(stage).fund(10, 10)
    machine = new_machine(stage, alice_lock=9, bob_lock=9, challenge=60)
    nanos = (machine.nano(),)
    channel.register(stage.alice, 2, 1, nanos, evidence=(machine.evidence(9, 2),))
    channel.wait_until_settleable()
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    channel.settle(carol, 1, nanos)
    assert gained() == (10 - 1 - 7, 10 + 1 + 7)


# ---------------------------------------------------------------------- in parts


def three_nanos(channel: BasicChannel, liar: Deployed) -> list[Any]:
    """Two, three and one of each side, far from expiry, registered at net 1."""
    nanos = [new_nano(liar, n, lock, lock, FOREVER) for n, lock in ((1, 2), (2, 3), (3, 1))]
    in_dispute(channel, 1, nanos)
    return nanos


@pytest.mark.parametrize("done", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)])
def test_what_is_not_resolved_stays_locked(
    funded: BasicChannel, liar: Deployed, done: tuple[int, ...]
) -> None:
    stage = funded.stage
    nanos = three_nanos(funded, liar)
    before = funded.dispute()
    for index in done:
        liar.send(stage.carol, "set", nanos[index].id, True, 1)
    remaining = [nano for index, nano in enumerate(nanos) if index not in done]
    locked = sum(nano.alice_lock for nano in remaining)
    moved = 1 + len(done)
    gained = stage.gains(funded.asset, funded.alice, funded.bob, stage.ms)
    stage.at(before.deadline + 50)

    receipt = funded.settle(stage.carol, 1, nanos)

    alice_paid, bob_paid = 10 - moved - locked, 10 + moved - locked
    assert gained() == (alice_paid, bob_paid, -alice_paid - bob_paid)
    assert receipt.events == (settled(funded, alice_paid, bob_paid, remaining),)
    assert funded.holdings() == Holdings(locked, locked, disputed=True)
    rest = plain.state_hash(funded.id, 2, 0, remaining)
    assert funded.dispute() == Dispute(2, before.deadline, True, rest)


def test_rest_is_settled_later(funded: BasicChannel, liar: Deployed) -> None:
    stage = funded.stage
    nanos = three_nanos(funded, liar)
    gained = stage.gains(funded.asset, funded.alice, funded.bob, stage.ms)
    funded.settle(stage.carol, 1, nanos)
    assert gained() == (3, 5, -8)

    liar.send(stage.carol, "set", nanos[1].id, True, 2)
    funded.settle(stage.carol, 0, nanos)
    assert gained() == (3 + 1, 5 + 5, -14)

    rest = (nanos[0], nanos[2])
    for nano, shift in zip(rest, (-2, 1), strict=True):
        liar.send(stage.carol, "set", nano.id, True, shift)
    funded.settle(stage.carol, 0, rest)
    assert gained() == (4 + 4 + 0, 10 + 0 + 2, -20)
    assert (funded.holdings(), funded.dispute()) == (Holdings(0, 0), NO_DISPUTE)


def test_settle_that_finds_nothing_new_changes_nothing(
    funded: BasicChannel, liar: Deployed
) -> None:
    nanos = three_nanos(funded, liar)
    funded.settle(funded.alice, 1, nanos)
    before = funded.holdings(), funded.dispute()
    gained = funded.stage.gains(funded.asset, funded.alice, funded.bob, funded.stage.ms)

    receipt = funded.settle(funded.stage.carol, 0, nanos)

    assert receipt.events == ()
    assert (funded.holdings(), funded.dispute()) == before
    assert gained() == (0, 0, 0)


def test_first_settle_counts_though_nothing_is_free(stage: Stage, liar: Deployed) -> None:
    channel = new_channel(stage).fund(4, 3)
    nanos = (new_nano(liar, 1, 4, 3, FOREVER),)
    in_dispute(channel, 0, nanos)
    receipt = channel.settle(stage.carol, 0, nanos)
    assert receipt.events == (settled(channel, 0, 0, nanos),)
    assert channel.dispute().settling


def test_registered_net_does_not_count_again_while_settling(
    funded: BasicChannel, liar: Deployed
) -> None:
    nanos = three_nanos(funded, liar)
    funded.settle(funded.alice, 1, nanos)
    given, rest = (plain.state_hash(funded.id, 2, net, nanos) for net in (1, 0))
    with reverts("StateMismatch", funded.id, given, rest):
        funded.settle(funded.alice, 1, nanos)


def test_resolved_nano_is_not_settled_again(funded: BasicChannel, liar: Deployed) -> None:
    nanos = three_nanos(funded, liar)
    liar.send(funded.alice, "set", nanos[0].id, True, 2)
    funded.settle(funded.alice, 1, nanos)
    given = plain.state_hash(funded.id, 2, 0, nanos)
    rest = plain.state_hash(funded.id, 2, 0, nanos[1:])
    with reverts("StateMismatch", funded.id, given, rest):
        funded.settle(funded.alice, 0, nanos)


def test_settling_keeps_the_drawn_mark_and_the_count(
    stage: Stage, funded: BasicChannel, liar: Deployed
) -> None:
    funded.withdraw(stage.carol, 0, 1, 1)
    nanos = (new_nano(liar, 1, 4, 3, FOREVER),)
    in_dispute(funded, 0, nanos).settle(stage.carol, 0, nanos)
    assert funded.holdings() == Holdings(4, 3, 1, disputed=True)


# ---------------------------------------------------------------------- strange nanocontracts


def words(*values: int) -> bytes:
    return b"".join(plain.word(value) for value in values)


DONE = words(1, 3)
ANSWERS = {
    # what `outcome` returns -> the shift it stands for, None if it counts as not done
    "done": (DONE, 3),
    "done and a byte more": (DONE + b"\0", 3),
    "done and a kB more": (DONE + b"\xff" * 1_000, 3),
    "not done": (words(0, 3), None),
    "nothing": (b"", None),
    "one word": (words(1), None),
    "63 bytes": (DONE[:63], None),
    "true is 2": (words(2, 3), None),
    "true is all ones": (words(-1, 3), None),
    "true in the highest bit": (words(2**255, 3), None),
    "true in the highest byte": (b"\x01" + bytes(31) + words(3), None),
    "lowest shift": (words(1, -(2**111)), -(2**111)),
    "highest shift": (words(1, 2**111 - 1), 2**111 - 1),
    "shift one too low": (words(1, -(2**111) - 1), None),
    "shift one too high": (words(1, 2**111), None),
    "lowest number": (words(1, -(2**255)), None),
    "highest number": (words(1, 2**255 - 1), None),
    "not done, shift too high": (words(0, 2**111), None),
}


@pytest.fixture(scope="session")
def raw(stage: Stage) -> Deployed:
    """Answers with any bytes."""
    return stage.deploy("RawNanocontract")


@pytest.mark.parametrize("name", ANSWERS)
def test_only_two_well_formed_words_are_an_answer(
    funded: BasicChannel, raw: Deployed, name: str
) -> None:
    answer, shift = ANSWERS[name]
    raw.send_raw(funded.alice, raw.call_data("set", answer, False), gas=16_000_000)
    moved = None if shift is None else max(-4, min(4, shift))
    assert_counts_as(funded, raw, moved)


@pytest.mark.parametrize("answer", [b"", words(1), DONE], ids=["nothing", "a word", "an answer"])
def test_revert_is_no_answer(funded: BasicChannel, raw: Deployed, answer: bytes) -> None:
    raw.send(funded.alice, "set", answer, True)
    assert_counts_as(funded, raw, None)


def test_answer_is_cut_off_after_two_words(funded: BasicChannel) -> None:
    """32 kB of answer: only the callee pays for them."""
    receipt = assert_counts_as(funded, funded.stage.deploy("HugeNanocontract"), 4)
    assert receipt.gas_used < 150_000


@pytest.mark.parametrize("name", ["GasBurningNanocontract", "WritingNanocontract"])
def test_nanocontract_that_burns_gas_or_writes_is_not_done(funded: BasicChannel, name: str) -> None:
    assert_counts_as(funded, funded.stage.deploy(name), None)


@pytest.mark.parametrize("app", [b"\x77" * 20, bytes(20), bytes(19) + b"\x04", "ms", "alice"])
def test_address_that_is_no_nanocontract_is_not_done(
    funded: BasicChannel, app: bytes | str
) -> None:
    """Nobody, zero, the identity precompile (which answers), MSContract itself, a party."""
    known = {"ms": funded.stage.ms.address, "alice": funded.alice.account}
    assert_counts_as(funded, known.get(app, app), None)  # type: ignore[call-overload]


def assert_counts_as(channel: BasicChannel, app: Any, moved: int | None) -> Receipt:
    """Settles 4 and 4 locked under `app`: `moved` from Alice to Bob, or still locked if None.

    What is still locked is free, and nothing moves, once it has expired.
    """
    stage = channel.stage
    expiry = stage.now + 10_000
    nanos = (new_nano(app, 1, 4, 4, expiry),)
    in_dispute(channel, 0, nanos)
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    receipt = channel.settle(stage.carol, 0, nanos)
    if moved is None:
        assert gained() == (6, 6)
        stage.at(expiry + 1)
        channel.settle(stage.carol, 0, nanos)
        assert gained() == (10, 10)
    else:
        assert gained() == (10 - moved, 10 + moved)
    assert channel.holdings() == Holdings(0, 0)
    return receipt


def test_lie_after_the_settlement_is_not_heard(funded: BasicChannel, liar: Deployed) -> None:
    """Nothing asks a second time."""
    stage = funded.stage
    nanos = (new_nano(liar, 1, 4, 4, FOREVER), new_nano(liar, 2, 1, 1, FOREVER))
    liar.send(stage.carol, "set", nanos[0].id, True, 4)
    in_dispute(funded, 0, nanos)
    gained = stage.gains(funded.asset, funded.alice, funded.bob)
    funded.settle(stage.carol, 0, nanos)
    liar.send(stage.carol, "set", nanos[0].id, True, -4)
    liar.send(stage.carol, "set", nanos[1].id, True, -1)
    funded.settle(stage.carol, 0, nanos[1:])
    assert gained() == (10 - 4 + 1, 10 + 4 - 1)


def test_list_with_dirty_words_does_not_match(funded: BasicChannel, liar: Deployed) -> None:
    """`settle` does not check the list: it must be the one that `register` has checked."""
    stage = funded.stage
    nanos = (new_nano(liar, 1, 4, 4, FOREVER),)
    in_dispute(funded, 0, nanos)
    data = bytearray(stage.ms.call_data("settle", funded.terms, 0, nanos))
    data[-1] = 2  # swapped
    given = plain.state_hash(funded.id, 2, 0, ((*plain.to_abi(nanos[0])[:5], 2),))
    with reverts("StateMismatch", funded.id, given, plain.state_hash(funded.id, 2, 0, nanos)):
        stage.ms.send_raw(stage.carol, bytes(data))
