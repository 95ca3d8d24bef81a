"""What malicious ends, and a malicious hub, may try with a state that removes and adds at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from perun.core.effects import Sign
from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandPay, CommandRemove, CommandTransfer
from perun.core.nanocontracts.instances import nano_of
from perun.core.notices import InstanceRefused
from perun.core.state import HubStage, LegStatus
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Invite,
    Leave,
    Over,
    Propose,
    RefuseInstance,
    RequestInstance,
    encode,
)
from perun.testing.network import Letter
from perun.testing.parties import DEPLOYMENT, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, instance, open_channel
from perun.types import (
    ETH,
    Address,
    ChannelId,
    InstanceId,
    MachineId,
    Nano,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Trio
from .replacing import (
    half,
    hub_gain,
    hub_kept_both_as_they_were,
    listed,
    lost,
    net,
    resize,
    signature,
    wish,
)


def without_proposals(trio: Trio, *parties: Party) -> Callable[[Letter], tuple[Letter, ...]]:
    rules = [lost(party, Propose) for party in parties]

    def rule(letter: Letter) -> tuple[Letter, ...]:
        return (letter,) if all(one(letter) for one in rules) else ()

    return rule


@dataclass
class Granted:
    """Alice has paid Bob 50 in `old`; the hub has granted `new` in its place, and waits for both
    halves, which the ends' own nodes do not get through."""

    trio: Trio
    old: MachineId
    new: MachineId
    own: dict[ChannelId, tuple[Nano, ...]]
    """What the honest halves list."""

    def states_signed_by_the_hub(self) -> int:
        """How many states with something new Ingrid's signer was asked for."""
        return sum(
            self.new in [nano.id for nano in item.message.nanos]
            for sign in self.asked
            for item in sign.items
            if isinstance(item.message, State)
        )

    asked: list[Sign]


def granted(trio: Trio, own: int = 300, peer: int = 200, **size: int) -> Granted:
    old = add_machine(trio.world, trio.alice, trio.left, own, peer, trio.bob)
    trio.alice.do(CommandPay(old, Wei(50)))
    trio.world.settle()
    trio.world.network.rule = without_proposals(trio, trio.alice, trio.bob)
    asked: list[Sign] = []
    trio.ingrid.signer.sign = _listening(trio.ingrid, asked)  # type: ignore[method-assign]
    new = resize(trio, old, size.get("to", 400), size.get("back", 100))
    contents = {
        id: party.node.books.channels[id].proposals[-1].state.nanos
        for party, id in ((trio.alice, trio.left), (trio.bob, trio.right))
    }
    return Granted(trio, old, new, contents, asked)


def _listening(party: Party, asked: list[Sign]) -> Callable[[Sign], tuple[Signature, ...] | None]:
    signer = party.signer

    def sign(wish: Sign) -> tuple[Signature, ...] | None:
        asked.append(wish)
        return signer.sign_now(wish)

    return sign


def patience(trio: Trio) -> None:
    for _ in range(4):
        trio.world.advance(12)


def other_nano(case: Granted, channel: ChannelId, /, **changes: object) -> tuple[Nano, ...]:
    (nano,) = case.own[channel]
    return (replace(nano, **changes),)


def test_honest_halves_are_signed_together(trio: Trio) -> None:
    case = granted(trio)
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    assert case.states_signed_by_the_hub() == 0
    half(trio, trio.bob, case.own[trio.right], -50, received=50)

    assert case.states_signed_by_the_hub() == 2
    assert len(case.asked[-1].items) == 2
    assert listed(trio.ingrid, trio.left) == listed(trio.ingrid, trio.right) == [case.new]


ATTACKS: dict[str, Callable[[Granted], None]] = {
    "paired with a plain removal": lambda case: _both(
        case, (case.own[case.trio.left], 50), ((), -50)
    ),
    "paired with a plain removal, the other way": lambda case: _both(
        case, ((), 50), (case.own[case.trio.right], -50)
    ),
    "paired with adding and keeping": lambda case: _both(
        case, (case.own[case.trio.left], 50), (_kept(case, case.trio.right), 0)
    ),
    "adding and keeping in both": lambda case: _both(
        case, (_kept(case, case.trio.left), 0), (_kept(case, case.trio.right), 0)
    ),
    "at a shift that its own totals do not give, to the hub's loss": lambda case: _both(
        case, (case.own[case.trio.left], 40), (case.own[case.trio.right], -50)
    ),
    "at a shift of Bob's that takes from the hub": lambda case: _both(
        case, (case.own[case.trio.left], 50), (case.own[case.trio.right], -60)
    ),
    "at other totals": lambda case: _both(
        case, (case.own[case.trio.left], 40), (case.own[case.trio.right], -60), 40, 60
    ),
    "at other totals that come to the same": lambda case: _both(
        case, (case.own[case.trio.left], 50), (case.own[case.trio.right], -50), 50, 50, 1
    ),
    "with less locked in one": lambda case: _both(
        case,
        (case.own[case.trio.left], 50),
        (other_nano(case, case.trio.right, bob_lock=Wei(1)), -50),
    ),
    "with more locked by the hub in both": lambda case: _both(
        case,
        (other_nano(case, case.trio.left, bob_lock=Wei(101)), 50),
        (other_nano(case, case.trio.right, bob_lock=Wei(401)), -50),
    ),
    "exchanged in one": lambda case: _both(
        case,
        (case.own[case.trio.left], 50),
        (other_nano(case, case.trio.right, swapped=False), -50),
    ),
    "with another end in one": lambda case: _both(
        case,
        (other_nano(case, case.trio.left, expiry=UnixTime(2**33)), 50),
        (case.own[case.trio.right], -50),
    ),
    "with another contract in both": lambda case: _both(
        case,
        (other_nano(case, case.trio.left, app=Address(b"\x09" * 20)), 50),
        (other_nano(case, case.trio.right, app=Address(b"\x09" * 20)), -50),
    ),
    "with an instance nobody asked for": lambda case: _both(
        case,
        (case.own[case.trio.left], 50),
        (other_nano(case, case.trio.right, id=InstanceId(b"\x01" * 32)), -50),
    ),
    "with the old nano under new terms": lambda case: _both(
        case,
        (other_nano(case, case.trio.left, id=InstanceId(case.old)), 50),
        (other_nano(case, case.trio.right, id=InstanceId(case.old)), -50),
    ),
}


def _kept(case: Granted, id: ChannelId) -> tuple[Nano, ...]:
    party = case.trio.alice if id == case.trio.left else case.trio.bob
    full = party.node.books.channels[id].agreed
    assert full is not None
    return tuple(sorted((*full.state.nanos, *case.own[id]), key=lambda nano: nano.id))


def _both(
    case: Granted,
    left: tuple[tuple[Nano, ...], int],
    right: tuple[tuple[Nano, ...], int],
    paid: int = 50,
    received: int = 50,
    back: int = 0,
) -> None:
    """Alice's half and Bob's, and the totals they name; `back`: what Bob says he has paid."""
    trio = case.trio
    half(trio, trio.alice, *left, paid=paid)
    half(trio, trio.bob, *right, paid=back, received=received + back)


@pytest.mark.parametrize("name", ATTACKS)
def test_a1_halves_that_do_not_fit_are_both_refused(trio: Trio, name: str) -> None:
    case = granted(trio)
    ATTACKS[name](case)
    patience(trio)

    assert case.states_signed_by_the_hub() == 0
    assert hub_kept_both_as_they_were(trio, case.old)
    assert hub_gain(trio) == 0
    books = trio.ingrid.node.books
    assert case.new not in books.hub_instances
    assert books.hub_instances[case.old].stage is HubStage.OPEN
    assert all(books.channels[id].inflight is None for id in (trio.left, trio.right))


def test_totals_that_differ_free_the_channels_at_once(trio: Trio) -> None:
    case = granted(trio)
    ATTACKS["at other totals"](case)

    books = trio.ingrid.node.books
    assert [books.channels[id].inflight for id in (trio.left, trio.right)] == [None, None]
    assert case.new not in books.hub_instances


def test_other_machine_of_the_same_ends_is_not_replaced_instead(trio: Trio) -> None:
    """Granted in the place of one, both halves take another out."""
    other = add_machine(trio.world, trio.alice, trio.left, 10, 10, trio.bob)
    case = granted(trio)
    before = {id: listed(trio.ingrid, id) for id in (trio.left, trio.right)}
    for party, id in ((trio.alice, trio.left), (trio.bob, trio.right)):
        own = [nano for nano in case.own[id] if nano.id == case.new]
        full = party.node.books.channels[id].agreed
        assert full is not None
        kept = [nano for nano in full.state.nanos if nano.id != other]
        half(trio, party, tuple(sorted((*kept, *own), key=lambda nano: nano.id)))
    patience(trio)

    assert case.states_signed_by_the_hub() == 0
    assert {id: listed(trio.ingrid, id) for id in (trio.left, trio.right)} == before


def test_half_is_void_once_a_higher_version_comes(trio: Trio) -> None:
    """Alice takes her half back by a plain removal, when Bob's is on its way."""
    case = granted(trio)
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    half(trio, trio.alice, (), 50, paid=50)
    half(trio, trio.bob, case.own[trio.right], -50, received=50)
    assert case.states_signed_by_the_hub() == 0
    patience(trio)

    assert hub_kept_both_as_they_were(trio, case.old)


def test_half_that_is_not_solvent_after_all_is_refused(trio: Trio) -> None:
    """Granted before the totals were known: Alice's money would not suffice at these."""
    case = granted(trio, to=950)
    half(trio, trio.alice, case.own[trio.left], 60, paid=60)
    half(trio, trio.bob, case.own[trio.right], -60, received=60)
    patience(trio)

    assert case.states_signed_by_the_hub() == 0
    assert hub_kept_both_as_they_were(trio, case.old)


def test_fee_may_not_be_hidden_in_the_shift() -> None:
    """Alice pays the hub 50 for both together, when the shift alone is 50 and the fee 7."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(base_fee=Wei(7)))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    trio = Trio(world, alice, ingrid, bob, left, right)
    case = granted(trio)
    before = hub_gain(trio)
    _both(case, (case.own[left], 50), (case.own[right], -50))
    patience(trio)
    assert case.states_signed_by_the_hub() == 0

    case = _granted_again(case)
    _both(case, (case.own[left], 57), (case.own[right], -50))
    assert listed(ingrid, left) == listed(ingrid, right) == [case.new]
    assert hub_gain(trio) == before + 7
    assert {leg.removed_shift for leg in instance(ingrid, case.old).legs} == {50}


def _granted_again(case: Granted) -> Granted:
    """The ends' own proposals are refused, and they ask once more."""
    trio = case.trio
    trio.world.network.rule = None
    patience(trio)
    trio.world.network.rule = without_proposals(trio, trio.alice, trio.bob)
    new = resize(trio, case.old, 400, 100)
    contents = {
        id: party.node.books.channels[id].proposals[-1].state.nanos
        for party, id in ((trio.alice, trio.left), (trio.bob, trio.right))
    }
    return Granted(trio, case.old, new, contents, case.asked)


def test_fee_is_the_new_machines_alices_and_not_bobs() -> None:
    """What Bob adds in his channel does not stand for what Alice owes in hers."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(base_fee=Wei(7)))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    case = granted(Trio(world, alice, ingrid, bob, left, right))
    _both(case, (case.own[left], 50), (case.own[right], -43))
    patience(case.trio)

    assert case.states_signed_by_the_hub() == 0


# ------------------------------------------------------------------------------ what is asked for


def _ask(trio: Trio, case: Granted, replaces: tuple[InstanceId | None, InstanceId | None]) -> None:
    """Both ends ask for a machine with a fresh salt; each says what it replaces."""
    terms = instance(trio.alice, case.new).machine
    assert terms is not None
    terms = replace(terms, salt=trio.alice.random())
    for party, id, by_alice, what in (
        (trio.alice, trio.left, True, replaces[0]),
        (trio.bob, trio.right, False, replaces[1]),
    ):
        request = RequestInstance(id, terms, by_alice, what)
        trio.world.network.inject(party.peer, trio.ingrid.peer, request)
    trio.world.settle()


@pytest.mark.parametrize("one", ["old", "none", "unknown"])
@pytest.mark.parametrize("two", ["old", "none", "unknown"])
def test_ends_that_do_not_agree_on_what_is_replaced_are_refused(
    trio: Trio, one: str, two: str
) -> None:
    case = granted(trio)
    patience(trio)
    trio.world.network.rule = None
    patience(trio)
    assert hub_kept_both_as_they_were(trio, case.old)
    named = {"old": InstanceId(case.old), "none": None, "unknown": InstanceId(b"\x05" * 32)}
    before = len(trio.world.network.said(GrantInstance))
    _ask(trio, case, (named[one], named[two]))

    granted_now = len(trio.world.network.said(GrantInstance)) - before
    assert granted_now == (2 if one == two != "unknown" else 0)
    if not granted_now:
        inflight = [trio.ingrid.node.books.channels[id].inflight for id in (trio.left, trio.right)]
        assert inflight == [None, None]
        assert list(trio.ingrid.node.books.hub_instances) == [case.old]


def test_machine_of_other_channels_is_not_replaced(trio: Trio) -> None:
    carol = trio.world.party("carol", OPEN_HANDED)
    trio.world.advance()
    open_channel(trio.world, carol, trio.ingrid, 1_000, 1_000)
    id = trio.alice.channel(trio.ingrid).id
    theirs = add_machine(trio.world, trio.alice, id, 100, 100, carol)
    case = granted(trio)
    trio.world.network.rule = None
    patience(trio)
    _ask(trio, case, (InstanceId(theirs), InstanceId(theirs)))

    refusals = trio.world.network.said(RefuseInstance)
    assert refusals[-1].reason == "it would take a place in other channels"  # type: ignore[attr-defined]


def test_place_is_taken_once(trio: Trio) -> None:
    """Two requests for one place wait for the channels; the second finds it gone."""
    case = granted(trio)
    _ask(trio, case, (InstanceId(case.old), InstanceId(case.old)))
    assert len(trio.ingrid.node.books.channels[trio.left].waiting) == 1
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    half(trio, trio.bob, case.own[trio.right], -50, received=50)
    trio.world.advance()

    assert listed(trio.ingrid, trio.left) == [case.new]
    assert list(trio.ingrid.node.books.hub_instances) == [case.new]
    reasons = {m.reason for m in trio.world.network.said(RefuseInstance)}  # type: ignore[attr-defined]
    assert "the machine whose place it takes is not listed in both channels" in reasons or (
        "no machine whose place it could take" in reasons
    )


# ----------------------------------------------------------------------------- rules (a) to (d)


def test_rule_c_is_no_reason_to_sign_one_half_of_a_replacement(trio: Trio) -> None:
    """The hub holds Alice's statement, so it may pay Bob alone; but not lock anything new alone."""
    case = granted(trio, 300, 0, back=0)
    totals = trio.bob.node.books.totals[case.old]
    (nano,) = case.own[trio.right]
    view = trio.ingrid.node.books.channels[trio.right]
    state = State(trio.right, Version(view.seen + 2 - view.seen % 2), Wei(-50), (nano,))
    message = Propose(
        state,
        signature(trio.bob, state),
        3,
        case.new,
        case.old,
        received=totals.received,
        received_signature=totals.received_signature,
    )
    trio.world.network.inject(trio.bob.peer, trio.ingrid.peer, message)
    trio.world.settle()
    assert trio.ingrid.node.books.channels[trio.right].held is not None
    patience(trio)

    assert trio.ingrid.node.books.totals[case.old].received == 50
    assert hub_kept_both_as_they_were(trio, case.old)


def test_rule_c_removal_in_one_channel_ends_the_replacement(trio: Trio) -> None:
    """Alice's half waits while Bob cashes by rule (c): she follows by (d), and gets nothing new."""
    case = granted(trio, 300, 0, back=0)
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    totals = trio.bob.node.books.totals[case.old]
    view = trio.ingrid.node.books.channels[trio.right]
    state = State(trio.right, Version(view.seen + 2 - view.seen % 2), Wei(-50), ())
    message = Propose(
        state,
        signature(trio.bob, state),
        2,
        removes=case.old,
        received=totals.received,
        received_signature=totals.received_signature,
    )
    trio.world.network.inject(trio.bob.peer, trio.ingrid.peer, message)
    trio.world.settle()
    trio.world.ledger.advance(11)
    trio.world.settle([trio.ingrid])
    assert listed(trio.ingrid, trio.right) == []
    half(trio, trio.bob, case.own[trio.right], 0, received=50)
    trio.world.network.rule = None
    patience(trio)
    patience(trio)

    assert case.states_signed_by_the_hub() == 0
    assert listed(trio.ingrid, trio.left) == listed(trio.ingrid, trio.right) == []
    assert (net(trio.ingrid, trio.left), hub_gain(trio)) == (50, 0)


def test_c8_outcome_that_is_final_is_not_replaced_at_other_totals(trio: Trio) -> None:
    """Alice has submitted 10 of her 50, and the clock has run out: it is removed at 10 in both."""
    case = granted(trio)
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    terms = instance(trio.alice, case.old).machine
    assert terms is not None
    trio.world.submit_totals(terms, 10, 0)
    trio.world.ledger.advance(terms.challenge + 1)
    trio.world.settle([trio.ingrid])
    half(trio, trio.bob, case.own[trio.right], -50, received=50)

    assert case.states_signed_by_the_hub() == 0
    trio.world.network.rule = None
    patience(trio)
    patience(trio)
    assert hub_gain(trio) == 0


def test_a4_new_machine_that_was_submitted_before_is_not_locked(trio: Trio) -> None:
    case = granted(trio)
    half(trio, trio.alice, case.own[trio.left], 50, paid=50)
    terms = instance(trio.alice, case.new).machine
    assert terms is not None
    trio.world.submit_totals(terms, 10, 0)
    trio.world.advance()
    half(trio, trio.bob, case.own[trio.right], -50, received=50)
    patience(trio)

    assert case.states_signed_by_the_hub() == 0
    assert hub_kept_both_as_they_were(trio, case.old)


# --------------------------------------------------------------------------- against honest ends


def _say(trio: Trio, sender: Party, receiver: Party, message: object) -> None:
    """About the hub, by an end whose node would not say it."""
    over = Over(trio.ingrid.peer, encode(message))  # type: ignore[arg-type]
    trio.world.network.inject(sender.peer, receiver.peer, over)
    trio.world.settle()


def test_leave_for_a_machine_that_was_never_agreed_on_stops_nobody(trio: Trio) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    leave = Leave(old, Wei(0), Wei(0), successor=InstanceId(b"\x05" * 32))
    _say(trio, trio.alice, trio.bob, leave)

    assert not instance(trio.bob, old).leave_sent
    trio.bob.do(CommandPay(old, Wei(5)))


def test_leave_for_the_successor_of_another_machine_stops_nobody(trio: Trio) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 30, 20, trio.bob)
    other = add_machine(trio.world, trio.alice, trio.left, 30, 20, trio.bob)
    trio.world.network.rule = lost(trio.bob, Leave)
    new = resize(trio, old, 40, 40)
    _say(trio, trio.alice, trio.bob, Leave(other, Wei(0), Wei(0), successor=new))

    assert not instance(trio.bob, other).leave_sent
    trio.bob.do(CommandPay(other, Wei(5)))


def test_refused_successor_is_never_taken_up_again(trio: Trio) -> None:
    """Bob has heard of the refusal, Alice not yet: her next Leave is answered with it."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.lose(RequestInstance)
    new = resize(trio, old, 400, 100)
    trio.world.network.inject(trio.ingrid.peer, trio.bob.peer, RefuseInstance(new, "no"))
    trio.world.settle()
    assert not instance(trio.bob, old).leave_sent
    trio.world.network.lose()
    trio.world.advance()

    for party in (trio.alice, trio.bob):
        assert not instance(party, old).leave_sent
        assert instance(party, new).refused
    assert listed(trio.bob, trio.right) == [old]


def test_invited_end_asks_the_hub_when_it_knows_the_last_statement_and_not_before(
    trio: Trio,
) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = lost(trio.alice, Leave)
    before = len(trio.world.network.said(RequestInstance))
    resize(trio, old, 400, 100)

    assert len(trio.world.network.said(RequestInstance)) == before
    trio.bob.do(CommandPay(old, Wei(5)))


@pytest.mark.parametrize("by", ["carol", "ingrid"])
def test_nobody_else_may_take_a_machines_place(trio: Trio, by: str) -> None:
    """Neither another end over the hub, nor the hub by a machine of its own."""
    carol = trio.world.party("carol", OPEN_HANDED)
    trio.world.advance()
    open_channel(trio.world, carol, trio.ingrid, 1_000, 1_000)
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    sender = carol if by == "carol" else trio.ingrid
    keys = (sender.key.address, trio.alice.key.address)
    terms = instance(trio.alice, old).machine
    assert terms is not None
    machine = replace(terms, alice=keys[0], bob=keys[1], salt=sender.random())
    channel = None if by == "carol" else trio.left
    message = Invite(machine, channel, ETH, old)
    if by == "carol":
        _say(trio, carol, trio.alice, message)
    else:
        trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, message)
        trio.world.settle()

    assert not [i for i in trio.alice.node.books.instances.values() if i.replaces == old]


def test_invitation_that_names_another_channel_is_declined(trio: Trio) -> None:
    first = add_machine(trio.world, trio.ingrid, trio.left, 30, 20)
    second = open_channel(trio.world, trio.ingrid, trio.alice, 500, 500)
    terms = instance(trio.alice, first).machine
    assert terms is not None
    machine = replace(terms, salt=trio.ingrid.random())
    message = Invite(machine, second, ETH, first)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, message)
    trio.world.settle()

    assert not [i for i in trio.alice.node.books.instances.values() if i.replaces == first]


def test_words_of_the_hub_do_not_undo_a_closing(trio: Trio) -> None:
    """Alice has waited long enough and closes; the refusal, and a grant, come after that."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.lose(RequestInstance)
    new = resize(trio, old, 400, 100)
    trio.world.network.lose(Over, Propose)
    trio.alice.do(CommandRemove(old))
    far = UnixTime(trio.world.ledger.time + 60)
    grant = GrantInstance(trio.left, new, Wei(0), far)
    for message in (grant, RefuseInstance(new, "no")):
        trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, message)
        trio.world.settle([trio.alice])

    view = trio.alice.node.books.channels[trio.left]
    assert (view.proposals, view.intents) == ((), ())
    assert instance(trio.alice, old).leave_sent
    trio.world.network.lose()
    trio.world.advance()
    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == []


def test_granted_replacement_that_waits_for_its_turn_is_resolved_by_a_state_only(
    trio: Trio,
) -> None:
    """Alice's channel is busy when the grant comes: neither words nor wishes change it."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = without_proposals(trio, trio.alice, trio.bob)
    trio.alice.do(CommandTransfer(trio.left, Wei(1)))
    new = resize(trio, old, 400, 100)
    view = trio.alice.node.books.channels[trio.left]
    assert [intent.adds for intent in view.intents] == [new]
    assert instance(trio.alice, old).legs[0].status is LegStatus.LISTED

    with pytest.raises(NotAllowedNow, match="about to take its place"):
        trio.alice.do(CommandRemove(old))
    asked = len(trio.world.network.said(RequestInstance))
    for successor in (None, new):
        _say(trio, trio.bob, trio.alice, Leave(old, Wei(0), Wei(0), successor=successor))
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, RefuseInstance(new, "no"))
    trio.world.settle()
    assert instance(trio.alice, old).leave_sent
    assert instance(trio.alice, old).successor == new
    assert not instance(trio.alice, new).refused
    assert len(trio.world.network.said(RequestInstance)) == asked
    assert [i.adds for i in trio.alice.node.books.channels[trio.left].intents] == [new]


def test_hub_may_not_propose_what_an_end_has_not_asked_for(trio: Trio) -> None:
    """The hub takes the old one away and puts the agreed one in, before the ends have left."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = lost(trio.bob, Leave)
    new = resize(trio, old, 400, 100)
    terms = instance(trio.alice, new).machine
    assert terms is not None
    nano = nano_of(DEPLOYMENT, InstanceId(new), terms, False)
    view = trio.alice.node.books.channels[trio.left]
    state = State(trio.left, Version(view.signed + 1 + view.signed % 2), Wei(0), (nano,))
    message = Propose(state, signature(trio.ingrid, state), 3, new, old)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, message)
    trio.world.settle([trio.alice])

    reasons = [m.reason for m in trio.world.network.said(Propose)]  # type: ignore[attr-defined]
    assert "a virtual instance is proposed by its end, not by the hub" in reasons
    assert instance(trio.alice, new).legs[0].status is LegStatus.NEW


def test_grant_after_a_refusal_locks_nothing_more(trio: Trio) -> None:
    """A hub that refuses and then grants would have both machines locked, if ends were careless."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = lost(trio.ingrid, GrantInstance)
    new = resize(trio, old, 400, 100)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, RefuseInstance(new, "no"))
    trio.world.settle([trio.alice])
    assert trio.alice.told(InstanceRefused)
    trio.alice.do(CommandPay(old, Wei(5)))
    far = UnixTime(trio.world.ledger.time + 60)
    grant = GrantInstance(trio.left, new, Wei(0), far)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, grant)
    trio.world.settle([trio.alice])

    view = trio.alice.node.books.channels[trio.left]
    assert (view.proposals, view.intents) == ((), ())
    trio.alice.do(CommandPay(old, Wei(5)))


def test_refusal_in_words_does_not_undo_what_is_proposed(trio: Trio) -> None:
    """[A7] Paying in the old machine again would pay twice: the proposal may be signed any time."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = lost(trio.alice, Propose)
    new = resize(trio, old, 400, 100)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, RefuseInstance(new, "no"))
    trio.world.settle([trio.alice])

    with pytest.raises(NotAllowedNow, match="removal is signed"):
        trio.alice.do(CommandPay(old, Wei(5)))
    assert instance(trio.alice, old).leave_sent
    assert not instance(trio.alice, new).refused


def test_a2_hub_that_signs_one_half_only_gets_no_payment_into_the_void(trio: Trio) -> None:
    """Bob's channel never lists the new machine, so he says no Ready and Alice pays nothing."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.alice.do(CommandPay(old, Wei(50)))
    trio.world.settle()
    trio.world.network.rule = without_proposals(trio, trio.alice, trio.bob)
    new = resize(trio, old, 400, 100)
    (proposal,) = trio.alice.node.books.channels[trio.left].proposals
    answer = signature(trio.ingrid, proposal.state)
    yes = AnswerState(trio.left, proposal.state.version, answer)
    trio.world.network.inject(trio.ingrid.peer, trio.alice.peer, yes)
    trio.world.settle([trio.alice, trio.bob])

    assert listed(trio.alice, trio.left) == [new]
    with pytest.raises(NotAllowedNow, match="ready"):
        trio.alice.do(CommandPay(new, Wei(5)))
    # And Bob, whose old machine is listed still, holds the statement that pays him.
    totals = trio.bob.node.books.totals[old]
    assert (totals.received, bool(totals.received_signature)) == (50, True)
    assert instance(trio.bob, old).legs[0].status is LegStatus.REMOVING


def test_end_that_pays_after_its_leave_gets_no_pair(trio: Trio) -> None:
    """Bob's node is made to pay on: the totals differ, and both machines stay as they were."""
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = without_proposals(trio, trio.alice)
    new = resize(trio, old, 400, 100)
    books = trio.bob.node.books
    known = instance(trio.bob, old)
    books.instances[old] = replace(
        known, leave_sent=False, legs=(replace(known.legs[0], status=LegStatus.LISTED),)
    )
    trio.bob.do(CommandPay(old, Wei(9)))
    trio.world.network.rule = None
    for _ in range(6):
        trio.world.advance(12)

    assert new not in listed(trio.ingrid, trio.left) + listed(trio.ingrid, trio.right)
    assert hub_gain(trio) == 0


def test_replacement_asked_for_while_it_is_being_closed_is_declined(trio: Trio) -> None:
    old = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = lost(trio.bob, Leave)
    trio.bob.do(CommandRemove(old))
    trio.world.settle()
    trio.alice.do(wish(trio, trio.alice, old, 5, 5))
    trio.world.settle()

    assert "being closed" in trio.alice.told(InstanceRefused)[0].reason  # type: ignore[attr-defined]
