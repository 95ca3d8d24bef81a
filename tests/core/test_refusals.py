"""What is refused at an entrance, each condition by itself: of peers, of our user, of terms."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.books import Step
from perun.core.effects import Send
from perun.core.faults import InstanceRejected, NotAllowedNow, UnexpectedMessage
from perun.core.inputs import (
    CommandAddMachine,
    CommandAnswer,
    CommandReplace,
    CommandReveal,
    CommandTransfer,
    Received,
)
from perun.core.limits import Limits
from perun.core.nanocontracts.coin_flip import COIN_FLIP
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.instances import check_terms
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.machine import MACHINE
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.state import Held, InstanceView, Intent, LegStatus, Purpose, Totals
from perun.core.step import step
from perun.crypto.hashing import keccak
from perun.encoding.messages import DeclineInvite, Invite, Invited, Message, Propose
from perun.node.settings import peer_id
from perun.testing.parties import Party, key_of
from perun.testing.stories import SECRET, add_lock, add_machine, instance, open_channel
from perun.types import (
    ETH,
    Address,
    Flip,
    Game,
    Lock,
    Machine,
    MachineRecord,
    Preimage,
    Salt,
    Seconds,
    Signature,
    State,
    Terms,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair, Trio
from .crafted import at

MALLORY = peer_id(key_of("mallory").public_key)
NOTHING = Signature(b"")
ZEROS = Salt(bytes(32))


def hear(party: Party, sender: bytes, message: Message, via: bytes = b"") -> Step:
    return step(party.node.books, Received(sender, message, via))


def answers(found: Step) -> list[Message]:
    return [effect.message for effect in found.effects if isinstance(effect, Send)]


# ------------------------------------------------------------------------------------ invitations


def a_machine(pair: Pair) -> CommandAddMachine:
    end = UnixTime(pair.world.ledger.time + 5_000)
    return CommandAddMachine(pair.channel, Wei(5), Wei(5), end, Seconds(600), pair.alice.random())


def test_only_who_was_invited_answers(pair: Pair) -> None:
    pair.world.network.lose(Invite)
    pair.alice.do(a_machine(pair))
    (invitation,) = pair.alice.node.books.invitations.values()
    for answer in (Invited(invitation.id, ZEROS), DeclineInvite(invitation.id, "no")):
        with pytest.raises(UnexpectedMessage):
            hear(pair.alice, MALLORY, answer)
        assert hear(pair.alice, pair.bob.peer, answer).drops == (invitation,)


def a_lock(pair: Pair | Trio) -> Lock:
    """Nobody signs in it, so no key says whose it is."""
    end = UnixTime(pair.world.ledger.time + 5_000)
    return Lock(Wei(5), False, keccak(SECRET), end, pair.alice.random())


def test_nobody_invites_into_a_channel_of_others(pair: Pair) -> None:
    lock = a_lock(pair)
    invite = Invite(lock, pair.channel, ETH)
    assert answers(hear(pair.bob, pair.alice.peer, invite))[0] != DeclineInvite(
        lock.salt, "not our channel"
    )
    found = hear(pair.bob, MALLORY, invite)
    (declined,) = answers(found)
    assert isinstance(declined, DeclineInvite)
    assert "not our channel" in declined.reason
    assert found.writes == ()


def test_channel_that_is_being_left_is_no_place_however_idle_it_is(trio: Trio) -> None:
    """Of two channels with the hub the living one is taken, though more is in use there."""
    busy = open_channel(trio.world, trio.bob, trio.ingrid, 1_000, 1_000)
    add_lock(trio.world, trio.bob, busy, 5, keccak(SECRET), trio.alice)
    books = trio.bob.node.books
    books.load(replace(books.channels[trio.right], leaving=True))
    found = hear(trio.bob, trio.alice.peer, Invite(a_lock(trio), None, ETH), trio.ingrid.peer)
    added = [row for row in found.writes if isinstance(row, InstanceView)]
    places = {leg.channel for row in added for leg in row.legs}
    assert places == {busy}


@pytest.mark.parametrize(
    "status", [LegStatus.NEW, LegStatus.ADDING, LegStatus.REMOVING, LegStatus.REMOVED]
)
def test_only_what_is_listed_is_replaced(pair: Pair, status: LegStatus) -> None:
    old = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    books, known = pair.alice.node.books, instance(pair.alice, old)
    end = UnixTime(pair.world.ledger.time + 5_000)
    command = CommandReplace(old, Wei(5), Wei(5), end, Seconds(600), pair.alice.random())
    step(books, command)
    books.load(replace(known, legs=(replace(known.legs[0], status=status),)))
    with pytest.raises(NotAllowedNow, match="not listed"):
        step(books, command)


# ------------------------------------------------------------------------------------- our user


def test_only_a_payment_of_something_is_a_transfer(pair: Pair) -> None:
    for amount in (0, -1):
        with pytest.raises(NotAllowedNow, match="not positive"):
            pair.alice.do(CommandTransfer(pair.channel, Wei(amount)))
    pair.alice.do(CommandTransfer(pair.channel, Wei(1)))


def test_what_is_answered_already_is_not_answered_again(pair: Pair) -> None:
    """Not refused, above all: our signer may have signed it by then."""
    books = pair.bob.node.books
    view = books.channels[pair.channel]
    state = State(pair.channel, Version(view.signed + 2), Wei(-5))
    intent = Intent(Purpose.TRANSFER, Wei(-5))
    waits = replace(view, held=Held(state, NOTHING, intent))
    books.load(waits)
    for accept in (True, False):
        command = CommandAnswer(pair.channel, state.version, accept)
        step(books, command)
        books.load(replace(waits, held=replace(waits.held, answering=True)))  # type: ignore[type-var]
        with pytest.raises(NotAllowedNow, match="no such proposal"):
            step(books, command)
        books.load(waits)


def test_only_its_receiver_reveals_and_only_the_secret(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET))
    with pytest.raises(NotAllowedNow, match="not the secret"):
        pair.bob.do(CommandReveal(lock, Preimage(bytes(32))))
    with pytest.raises(NotAllowedNow, match="other side is paid"):
        pair.alice.do(CommandReveal(lock, SECRET))
    pair.bob.do(CommandReveal(lock, SECRET))


def test_removal_shows_a_secret_only_if_it_opens_the_lock(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET))
    draft, known = at(pair.alice), instance(pair.alice, lock)
    removal = Propose(State(pair.channel, Version(9), Wei(0)), NOTHING, int(Purpose.REMOVE))
    HASH_LOCK.believe(draft, known, replace(removal, preimage=Preimage(bytes(32))))
    assert draft.instance(lock).preimage is None
    HASH_LOCK.believe(draft, known, replace(removal, preimage=SECRET))
    assert draft.instance(lock).preimage == SECRET


# ----------------------------------------------------------------------------------------- terms

WIDE = Limits(greatest_challenge=Seconds(2**31))
ALICE, BOB = Address(b"\x01" * 20), Address(b"\x02" * 20)


def machine(validity: int, challenge: int) -> Terms:
    return Machine(ALICE, BOB, Wei(7), Wei(5), UnixTime(validity), Seconds(challenge), ZEROS)


def flip(validity: int, window: int) -> Terms:
    locks = (Wei(7), Wei(5))
    return Flip(*locks, bytes(32), bytes(32), 1, UnixTime(validity), Seconds(window), ZEROS)


def game(validity: int, challenge: int, banks: int = 2_000) -> Terms:
    return Game(
        *(ALICE, BOB, Wei(7), Wei(5), BOB, bytes(32), bytes(32)),
        *(UnixTime(validity), Seconds(challenge), Seconds(banks), Seconds(banks), ZEROS),
    )


CLOCKED = ((MACHINE, machine, 0), (COIN_FLIP, flip, 0), (TURN_GAME, game, 4_000))


@pytest.mark.parametrize(("kind", "make", "banks"), CLOCKED)
def test_window_to_answer_in_is_within_our_limits(
    kind: Kind[Terms, object], make: type, banks: int
) -> None:
    limits = Limits()
    least, most = limits.least_machine_challenge, limits.greatest_challenge
    for seconds in (least, most):
        kind.check(limits, make(1_000, seconds))
    for seconds in (least - 1, most + 1):
        with pytest.raises(InstanceRejected, match="outside our limits"):
            kind.check(limits, make(1_000, seconds))


@pytest.mark.parametrize(("kind", "make", "banks"), CLOCKED)
def test_final_time_fits_the_34_bits_of_a_record(
    kind: Kind[Terms, object], make: type, banks: int
) -> None:
    challenge = 100_000
    latest = 2**34 - 1 - challenge - banks
    kind.check(Limits(), make(latest, challenge))
    with pytest.raises(InstanceRejected, match="does not fit"):
        kind.check(Limits(), make(latest + 1, challenge))


def test_instance_begins_two_margins_before_its_end_at_the_latest(pair: Pair) -> None:
    config, now = pair.alice.node.books.config, UnixTime(1_000)
    too_soon = now + 2 * config.limits.margin
    lock = Lock(Wei(5), False, bytes(32), UnixTime(too_soon + 1), ZEROS)
    check_terms(config, now, lock)
    with pytest.raises(InstanceRejected, match="too soon"):
        check_terms(config, now, replace(lock, deadline=UnixTime(too_soon)))


def test_record_decides_from_the_second_after_its_deadline_on() -> None:
    record = MachineRecord(Wei(5), Wei(2), UnixTime(1_000))
    assert MACHINE.outcome(machine(500, 600), record, UnixTime(1_000)) is None
    assert MACHINE.outcome(machine(500, 600), record, UnixTime(1_001)) == 3


def test_nothing_is_enforced_that_nobody_has_submitted_in_time(pair: Pair) -> None:
    id = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    known, terms = instance(pair.bob, id), instance(pair.bob, id).terms
    totals = Totals(id, received=Wei(30), received_signature=Signature(b"\x01" * 65))
    last = MACHINE.last_time(terms)
    assert MACHINE.enforceable(terms, known, totals, last) == 30
    assert MACHINE.enforceable(terms, known, totals, UnixTime(last + 1)) == 0

    coin = flip(1_000, 600)
    tossed = InstanceView(known.id, coin, known.legs, known.role, known.end)
    assert COIN_FLIP.enforceable(coin, tossed, totals, UnixTime(1_000)) == -5
    assert COIN_FLIP.enforceable(coin, tossed, totals, UnixTime(1_001)) == 0
