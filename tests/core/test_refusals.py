"""What is refused at an entrance, each condition by itself: of peers, of our user, of terms."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from msgspec.structs import replace

from perun.core.books import Step
from perun.core.channel.judge import judge
from perun.core.effects import Send, Submit
from perun.core.faults import BadProposal, InstanceRejected, NotAllowedNow, UnexpectedMessage
from perun.core.inputs import (
    CommandAddMachine,
    CommandAnswer,
    CommandConsent,
    CommandPay,
    CommandRemove,
    CommandReplace,
    CommandTransfer,
    Received,
    Restarted,
)
from perun.core.limits import Limits
from perun.core.nanocontracts.coin_flip import COIN_FLIP
from perun.core.nanocontracts.hash_lock import (
    HASH_LOCK,
    CommandReveal,
)
from perun.core.nanocontracts.instances import check_terms
from perun.core.nanocontracts.kind import Kind
from perun.core.nanocontracts.kinds import kind_of
from perun.core.nanocontracts.machine import MACHINE, totals_shift
from perun.core.nanocontracts.turn_game import TURN_GAME
from perun.core.state import (
    Deposit,
    Held,
    InstanceView,
    Intent,
    Invitation,
    Leg,
    LegStatus,
    Purpose,
    StoreMark,
    Totals,
)
from perun.core.step import step
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    DeclineInvite,
    GrantInstance,
    Invite,
    Invited,
    Message,
    Propose,
    RefuseInstance,
    RequestInstance,
)
from perun.node.settings import peer_id
from perun.testing.parties import Party, key_of
from perun.testing.stories import (
    SECRET,
    add_lock,
    add_machine,
    instance,
    invite_to_game,
    open_channel,
)
from perun.types import (
    ETH,
    Address,
    Flip,
    Game,
    InstanceId,
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


def game(validity: int, challenge: int, banks: int = 2_000) -> Game:
    return Game(
        *(ALICE, BOB, Wei(7), Wei(5), BOB, bytes(32), bytes(32)),
        *(UnixTime(validity), Seconds(challenge), Seconds(banks), Seconds(banks), ZEROS),
    )


GAME = game(10_000, 600)
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


@pytest.mark.parametrize("late", [False, True])
def test_what_was_agreed_on_in_time_is_not_locked_too_late(pair: Pair, late: bool) -> None:
    """Mallory keeps her proposal until nobody could answer what she submits then."""
    pair.world.network.lose(Propose)
    pair.alice.do(a_machine(pair))
    pair.world.settle()
    (own,) = pair.alice.channel(pair.bob).proposals
    (instance,) = pair.bob.node.books.instances.values()
    message = Propose(own.state, NOTHING, int(Purpose.ADD), adds=instance.id)
    last = kind_of(instance.terms).last_time(instance.terms) - 2 * pair.bob.limits.margin
    draft = at(pair.bob, last - 1 + late)
    with pytest.raises(BadProposal, match="too soon") if late else nullcontext():
        judge(draft, pair.bob.channel(pair.alice), message)


@pytest.mark.parametrize(("locks", "shift"), [((7, 5), 30), ((7, 0), 50), ((0, 5), -20)])
def test_side_without_a_lock_has_paid_nothing_whatever_was_submitted(
    locks: tuple[int, int], shift: int
) -> None:
    one = Machine(ALICE, BOB, Wei(locks[0]), Wei(locks[1]), UnixTime(9), Seconds(6), ZEROS)
    assert totals_shift(one, 50, 20) == shift


def test_removal_of_what_nobody_knows_proves_nothing_and_ends_no_node(pair: Pair) -> None:
    """A stranger's id in the message; what the state itself does is a transfer, and good."""
    pair.world.network.lose(Propose)
    pair.alice.do(CommandTransfer(pair.channel, Wei(5)))
    pair.world.settle()
    (own,) = pair.alice.channel(pair.bob).proposals
    unknown = InstanceId(b"\x09" * 32)
    message = Propose(own.state, own.signature, int(Purpose.REMOVE), removes=unknown)
    pair.bob.node.post([Received(pair.alice.peer, message)])
    pair.bob.node.turn()
    assert pair.bob.faults == []
    agreed = pair.bob.channel(pair.alice).agreed
    assert agreed is not None
    assert agreed.state == own.state


def test_grant_for_another_channel_with_the_same_hub_is_none(trio: Trio) -> None:
    """Its fee would be moved where nobody has agreed to it."""
    second = open_channel(trio.world, trio.alice, trio.ingrid, 1_000, 1_000)
    trio.world.network.lose(GrantInstance, Propose)
    id = add_machine(trio.world, trio.alice, trio.left, 30, 20, trio.bob)
    now = trio.world.ledger.time
    for channel in (second, trio.left):
        grant = GrantInstance(channel, id, Wei(0), UnixTime(now + 60))
        with pytest.raises(UnexpectedMessage) if channel == second else nullcontext():
            hear(trio.alice, trio.ingrid.peer, grant)


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


# ------------------------------------------------------------------------ what is no better known


def test_machine_takes_the_place_of_one_in_its_own_asset(pair: Pair) -> None:
    old = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    keys = (pair.alice.key.address, pair.bob.key.address)
    end = UnixTime(pair.world.ledger.time + 5_000)
    new = Machine(*keys, Wei(5), Wei(5), end, Seconds(600), pair.alice.random())
    invite = Invite(new, pair.channel, ETH, old)
    assert isinstance(answers(hear(pair.bob, pair.alice.peer, invite))[0], Invited)
    other = replace(invite, asset=Address(b"\x09" * 20))
    (declined,) = answers(hear(pair.bob, pair.alice.peer, other))
    assert isinstance(declined, DeclineInvite)
    assert "of another channel" in declined.reason


def test_what_is_listed_is_not_refused_any_more(pair: Pair) -> None:
    id = add_machine(pair.world, pair.alice, pair.channel, 100, 50)
    found = hear(pair.alice, pair.bob.peer, RefuseInstance(id, "too late"))
    assert found.writes == ()


def held(pair: Pair, number: int, *, theirs: bool = True) -> Invitation:
    """An invitation to a game, from or to whoever."""
    terms = replace(GAME, salt=Salt(number.to_bytes(32, "big")))
    end = peer_id(key_of(f"end {number}").public_key)
    return Invitation(terms.salt, pair.channel, terms, end, b"", theirs=theirs)


def test_our_user_consents_to_what_others_have_invited_to(pair: Pair) -> None:
    own = held(pair, 1, theirs=False)
    pair.alice.node.books.load(own)
    with pytest.raises(NotAllowedNow, match="no such invitation"):
        pair.alice.do(CommandConsent(own.id, False))
    assert [*pair.alice.node.books.invitations] == [own.id]


def game_from_alice(pair: Pair) -> Invite:
    pair.world.network.lose(Invite)
    invite_to_game(pair.world, pair.alice, pair.channel, 70, 60)
    (sent,) = pair.alice.node.books.invitations.values()
    return Invite(sent.terms, pair.channel, ETH)


def test_invitation_to_a_game_does_not_change_while_our_user_thinks(pair: Pair) -> None:
    invite = game_from_alice(pair)
    (known,) = hear(pair.bob, pair.alice.peer, invite).writes
    assert isinstance(known, Invitation)
    pair.bob.node.books.load(known)
    assert hear(pair.bob, pair.alice.peer, invite) == Step()
    terms = invite.terms
    assert isinstance(terms, Game)
    dearer = replace(invite, terms=replace(terms, bob_lock=Wei(600)))
    (declined,) = answers(hear(pair.bob, pair.alice.peer, dearer))
    assert isinstance(declined, DeclineInvite)
    assert "another invitation" in declined.reason


@pytest.mark.parametrize(("waiting", "room"), [(255, True), (256, False)])
def test_invitations_of_all_peers_together_are_so_many(
    pair: Pair, waiting: int, room: bool
) -> None:
    invite = game_from_alice(pair)
    for number in range(waiting):
        pair.bob.node.books.load(held(pair, number))
    found = hear(pair.bob, pair.alice.peer, invite)
    assert bool(found.writes) is room
    assert bool(answers(found)) is not room


def test_room_for_strangers_is_not_made_of_what_is_to_take_a_place(trio: Trio) -> None:
    books = trio.bob.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, unsigned_per_hub=1))
    trio.world.network.lose(RequestInstance, Propose)
    invite = Invite(a_lock(trio), None, ETH)
    (waiting,) = [
        row
        for row in hear(trio.bob, trio.alice.peer, invite, trio.ingrid.peer).writes
        if isinstance(row, InstanceView)
    ]
    for replaces, dropped in ((None, 1), (InstanceId(b"\x09" * 32), 0)):
        books.load(replace(waiting, replaces=replaces, legs=(unsigned(waiting),)))
        stranger = replace(invite, terms=a_lock(trio))
        found = hear(trio.bob, trio.alice.peer, stranger, trio.ingrid.peer)
        assert len([row for row in found.drops if isinstance(row, InstanceView)]) == dropped


def unsigned(instance: InstanceView) -> Leg:
    """As it stood before anything was signed."""
    return replace(instance.legs[0], status=LegStatus.NEW)


# ------------------------------------------------------------------------------------- exit only


def test_mark_of_a_step_that_came_to_nothing_is_taken_back(pair: Pair) -> None:
    draft = at(pair.alice)

    def turns_out_old() -> None:
        draft.put(StoreMark(reason="a test"))
        assert draft.exit_only
        raise NotAllowedNow("go on", "a test")

    draft.attempt(turns_out_old)
    assert not draft.exit_only
    assert draft.step() == Step()


@pytest.mark.parametrize("exit_only", [False, True])
def test_store_that_is_exit_only_puts_nothing_in_after_a_start(pair: Pair, exit_only: bool) -> None:
    books = pair.alice.node.books
    deposit = Deposit(Wei(5), UnixTime(pair.world.ledger.time + 100), Wei(1_000))
    books.load(replace(books.channels[pair.channel], deposits=(deposit,)))
    books.exit_only = exit_only
    sent = [made for made in step(books, Restarted()).effects if isinstance(made, Submit)]
    assert bool(sent) is not exit_only


def test_totals_are_forgotten_with_their_machine(pair: Pair) -> None:
    id = add_machine(pair.world, pair.alice, pair.channel, 100, 50, life=1_000)
    pair.alice.do(CommandPay(id, Wei(5)))
    pair.world.settle()
    pair.alice.do(CommandRemove(id))
    pair.world.settle()
    assert id in pair.bob.node.books.totals
    pair.world.until(lambda: not pair.bob.node.books.instances, step=50)
    assert pair.bob.node.books.totals == {}
