"""An opening at once: halves that travel with the invitation and the request (section 6 [A12])."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from msgspec.structs import replace

from perun.core.config import Policy
from perun.core.faults import UnexpectedMessage
from perun.core.inputs import (
    CommandAddMachine,
    CommandDispute,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    Received,
)
from perun.core.nanocontracts.hash_lock import (
    CommandLock,
)
from perun.core.notices import InstanceAdded, InstanceRefused, VirtualReady
from perun.core.preverify import expected_of
from perun.core.rules.phases import Phase, phase
from perun.core.state import ChannelView, HubStage, LegStatus
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    AnswerState,
    GrantInstance,
    Invited,
    Message,
    Over,
    Propose,
    RequestInstance,
    SignedHalf,
    decode,
    encode,
)
from perun.errors import BadSignature
from perun.store import MemoryStore, WriteFailed
from perun.testing.network import Letter
from perun.testing.parties import Party, World
from perun.testing.stories import (
    OPEN_HANDED,
    SECRET,
    add_machine,
    hub_policy,
    instance,
    leave_invitation_open,
    open_channel,
)
from perun.types import (
    ChannelId,
    InstanceId,
    Seconds,
    Signature,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Trio

FRUGAL = Policy(greatest_deposit=Wei(10**30))
"""Pays no hub a fee."""


def trio_of(policy: Policy = FRUGAL, **hub: object) -> Trio:
    world = World()
    alice, bob = world.party("alice", policy), world.party("bob", policy)
    ingrid = world.party("ingrid", hub_policy(**hub))
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    return Trio(world, alice, ingrid, bob, left, right)


@pytest.fixture
def frugal() -> Trio:
    return trio_of()


def command(party: Party, channel: ChannelId, end: Party, lock: int = 300) -> CommandAddMachine:
    life = UnixTime(party.ledger.time + 10_000)
    return CommandAddMachine(
        channel, Wei(lock), Wei(0), life, Seconds(600), party.random(), end.peer
    )


def listed(party: Party, id: ChannelId) -> int:
    full = party.node.books.channels[id].agreed
    return len(full.state.nanos) if full else 0


def at_rest(party: Party) -> bool:
    """Nothing unresolved in any channel."""
    books = party.node.books
    return all(phase(view, books.chain) is Phase.IDLE for view in books.channels.values())


def between(sender: Party, receiver: Party, message: Message) -> Callable[[Letter], bool]:
    def said(letter: Letter) -> bool:
        return letter == (sender.peer, receiver.peer, encode(message))

    return said


def rewrite(sender: Party, change: Callable[[RequestInstance], Iterable[RequestInstance]]):  # type: ignore[no-untyped-def]
    """A rule by which a crook says something else, or nothing, for its requests."""

    def rule(letter: Letter) -> Iterable[Letter]:
        message = decode(letter[2])
        if letter[0] != sender.peer or not isinstance(message, RequestInstance):
            return (letter,)
        return tuple((letter[0], letter[1], encode(other)) for other in change(message))

    return rule


def kinds(trio: Trio, since: int) -> list[str]:
    frames = trio.world.network.seen[since:]
    return [type(decode(frame)).__name__ for _, _, frame in frames]


# ------------------------------------------------------------------------------ what it is good for


def test_both_halves_go_to_the_hub_in_one_message_and_come_back_signed(frugal: Trio) -> None:
    since, asked = len(frugal.world.network.seen), frugal.ingrid.signer.asked
    machine = add_machine(frugal.world, frugal.alice, frugal.left, 300, 200, frugal.bob)

    assert frugal.alice.told(VirtualReady) == frugal.bob.told(VirtualReady)
    assert frugal.bob.told(VirtualReady) == [VirtualReady(machine)]
    assert frugal.ingrid.signer.asked == asked + 2
    said = kinds(frugal, since)
    assert sorted(said) == ["AnswerState"] * 2 + ["Over"] * 4 + ["RequestInstance"]


def test_inviter_that_may_pay_a_fee_asks_for_a_quote_with_the_other_half(trio: Trio) -> None:
    since = len(trio.world.network.seen)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)

    assert trio.bob.told(VirtualReady) == [VirtualReady(machine)]
    said = [kind for kind in kinds(trio, since) if kind != "Over"]
    assert said == ["RequestInstance", "GrantInstance", "Propose", "AnswerState", "AnswerState"]


def test_hash_lock_opens_at_once_and_pays() -> None:
    trio = trio_of()
    life = UnixTime(trio.world.ledger.time + 5_000)
    lock = CommandLock(trio.left, Wei(70), keccak(SECRET), life, trio.alice.random(), trio.bob.peer)
    trio.alice.do(lock)
    trio.world.settle()
    assert not trio.world.network.said(GrantInstance)
    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == 1


def test_fee_that_nobody_allowed_is_named_to_both_ends_at_once() -> None:
    trio = trio_of(base_fee=Wei(5))
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)

    assert [n.reason for n in trio.alice.told(InstanceRefused)] == ["the fee is 5"]  # type: ignore[attr-defined]
    assert [n.instance for n in trio.bob.told(InstanceRefused)] == [machine]  # type: ignore[attr-defined]
    assert at_rest(trio.alice)
    assert at_rest(trio.bob)
    assert at_rest(trio.ingrid)
    assert trio.ingrid.node.books.hub_instances == {}
    # And the next one, which the hub would take, opens.
    trio.ingrid.node.books.config = replace(trio.ingrid.node.books.config, policy=hub_policy())
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    assert listed(trio.bob, trio.right) == 1


def test_end_without_the_money_keeps_nobody_waiting(frugal: Trio) -> None:
    frugal.alice.do(CommandTransfer(frugal.left, Wei(100)))
    frugal.world.settle()
    # Alice's half cannot be made, though Bob's is here: the hub resolves it, told of her request.
    add_machine(frugal.world, frugal.alice, frugal.left, 990, 0, frugal.bob)
    assert frugal.alice.told(InstanceRefused)
    assert frugal.bob.told(InstanceRefused)
    assert at_rest(frugal.bob)

    # Bob's cannot: he declines.
    frugal.alice.do(replace(command(frugal.alice, frugal.left, frugal.bob), peer_lock=Wei(1_001)))
    frugal.world.settle()
    assert len(frugal.alice.told(InstanceRefused)) == 3
    assert frugal.alice.node.books.invitations == {}
    assert all(at_rest(party) for party in frugal.world.parties)


# ------------------------------------------------------------------------ halves that are no halves


def _bad_signature(trio: Trio, half: SignedHalf) -> SignedHalf:
    return replace(half, signature=Signature(bytes(65)))


def _by_somebody_else(trio: Trio, half: SignedHalf) -> SignedHalf:
    return replace(half, signature=_sign(trio.alice, half))


def _in_alices_channel(trio: Trio, half: SignedHalf) -> SignedHalf:
    half = replace(half, state=replace(half.state, channel=trio.left))
    return replace(half, signature=_sign(trio.alice, half))


def _of_nobody(trio: Trio, half: SignedHalf) -> SignedHalf:
    return replace(half, state=replace(half.state, channel=ChannelId(b"\x01" * 32)))


def _changed(**fields: object) -> Callable[[Trio, SignedHalf], SignedHalf]:
    """Bob conspires: he signs it."""

    def change(trio: Trio, half: SignedHalf) -> SignedHalf:
        half = replace(half, state=replace(half.state, **fields))
        return replace(half, signature=_sign(trio.bob, half))

    return change


def _other_locks(trio: Trio, half: SignedHalf) -> SignedHalf:
    nanos = tuple(replace(nano, alice_lock=Wei(1)) for nano in half.state.nanos)
    return _changed(nanos=nanos)(trio, half)


def _swapped(trio: Trio, half: SignedHalf) -> SignedHalf:
    nanos = tuple(replace(nano, swapped=not nano.swapped) for nano in half.state.nanos)
    return _changed(nanos=nanos)(trio, half)


def _sign(party: Party, half: SignedHalf) -> Signature:
    from perun.core.signing import digest
    from perun.crypto.signatures import sign
    from perun.testing.parties import DEPLOYMENT

    return sign(digest(DEPLOYMENT, half.state), party.key)


@pytest.mark.parametrize(
    "damage",
    [
        _bad_signature,
        _by_somebody_else,
        _in_alices_channel,
        _of_nobody,
        _changed(version=Version(4)),
        _changed(version=Version(1)),
        _changed(version=Version(0)),
        _changed(version=Version(2**48 - 2)),
        _changed(nanos=()),
        _other_locks,
        _swapped,
    ],
)
@pytest.mark.parametrize("policy", [FRUGAL, OPEN_HANDED], ids=["both halves", "one half"])
def test_half_that_is_not_good_changes_nothing_in_its_channel(
    policy: Policy, damage: Callable[[Trio, SignedHalf], SignedHalf]
) -> None:
    trio = trio_of(policy)
    before = trio.ingrid.node.books.channels[trio.right]
    since = len(trio.world.network.seen)

    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        assert message.other_half is not None
        return (replace(message, other_half=damage(trio, message.other_half)),)

    trio.world.network.rule = rewrite(trio.alice, change)
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)

    assert trio.ingrid.node.books.channels[trio.right] == before
    to_bob = [
        decode(frame)
        for sender, to, frame in trio.world.network.seen[since:]
        if to == trio.bob.peer
    ]
    assert [type(message) for message in to_bob] == [Over]  # the invitation
    assert trio.ingrid.node.books.hub_instances == {}
    # The inviter is answered, by a state where it has signed one.
    assert trio.alice.told(InstanceRefused)
    assert at_rest(trio.alice)


def test_half_in_another_channel_than_its_end_has_asked_in_is_none() -> None:
    """Bob has two channels with the hub; he asks in the one, and his half is for the other."""
    trio, kept = trio_of(OPEN_HANDED), []
    second = open_channel(trio.world, trio.bob, trio.ingrid, 1_000, 1_000)

    def keep(message: RequestInstance) -> Iterable[RequestInstance]:
        kept.append(message)
        return ()

    trio.world.network.rule = rewrite(trio.alice, keep)
    add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    (request,) = kept
    signed = request.other_half.state.channel
    asked = second if signed == trio.right else trio.right
    before = trio.ingrid.node.books.channels[signed]
    of_bob = RequestInstance(asked, request.terms, False)
    trio.ingrid.do(Received(trio.bob.peer, of_bob))
    trio.ingrid.do(Received(trio.alice.peer, request))
    assert trio.ingrid.node.books.channels[signed] == before


def test_half_of_another_instance_is_not_a_request_for_this_one() -> None:
    """Alice keeps what Bob signed for one machine, and presents it for another of theirs."""
    trio, kept = trio_of(OPEN_HANDED), []

    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        if message.other_half is not None:
            kept.append(message.other_half)
            return ()
        return (replace(message, other_half=kept[0]),)

    before = trio.ingrid.node.books.channels[trio.right]
    trio.world.network.rule = rewrite(trio.alice, change)
    trio.alice.node.post([command(trio.alice, trio.left, trio.bob) for _ in range(2)])
    trio.world.settle()
    assert len(kept) == 1
    assert trio.ingrid.node.books.channels[trio.right] == before
    assert len(trio.alice.told(InstanceRefused)) == 1
    for _ in range(3):
        trio.world.advance(11)

    assert listed(trio.bob, trio.right) == listed(trio.alice, trio.left) == 0
    assert trio.ingrid.node.books.hub_instances == {}
    assert at_rest(trio.bob)


def test_end_that_let_a_half_lapse_is_given_no_other(frugal: Trio) -> None:
    """So a stranger holds a channel for patience once, not again and again."""
    frugal.world.network.rule = rewrite(frugal.alice, lambda _message: ())
    for _ in range(3):
        frugal.alice.node.post([command(frugal.alice, frugal.left, frugal.bob)])
        frugal.world.settle()
    assert [len(frugal.bob.node.books.channels[frugal.right].proposals)] == [1]
    frugal.world.advance(11)
    frugal.alice.node.post([command(frugal.alice, frugal.left, frugal.bob)])
    frugal.world.settle()
    assert at_rest(frugal.bob)


@pytest.mark.parametrize(
    "change",
    [
        lambda message: replace(message, other_half=None),
        lambda message: replace(message, from_alice=False),
        lambda message: replace(message, own_half=message.other_half),
    ],
)
def test_request_that_no_inviter_makes_is_ignored(
    frugal: Trio, change: Callable[[RequestInstance], RequestInstance]
) -> None:
    frugal.world.network.rule = rewrite(frugal.alice, lambda message: (change(message),))
    before = dict(frugal.ingrid.node.books.channels)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)

    assert frugal.ingrid.node.books.channels == before
    assert frugal.ingrid.node.books.hub_instances == {}
    assert [type(error) for _, error in frugal.ingrid.faults] == [UnexpectedMessage]


def test_own_half_with_a_bad_signature_changes_nothing_at_all(frugal: Trio) -> None:
    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        assert message.own_half is not None
        return (replace(message, own_half=_bad_signature(frugal, message.own_half)),)

    frugal.world.network.rule = rewrite(frugal.alice, change)
    before = dict(frugal.ingrid.node.books.channels)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)

    assert frugal.ingrid.node.books.channels == before
    assert frugal.ingrid.node.books.hub_instances == {}
    assert [type(error) for _, error in frugal.ingrid.faults] == [BadSignature]


def test_bad_own_half_is_refused_and_takes_the_other_along(frugal: Trio) -> None:
    """Alice signs something else than the instance; Bob hears at once, and loses nothing."""

    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        assert message.own_half is not None
        state = replace(message.own_half.state, net=Wei(-50))
        half = replace(message.own_half, state=state)
        return (replace(message, own_half=replace(half, signature=_sign(frugal.alice, half))),)

    frugal.world.network.rule = rewrite(frugal.alice, change)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)

    assert listed(frugal.bob, frugal.right) == 0
    assert frugal.bob.told(InstanceRefused)
    assert at_rest(frugal.bob)
    assert frugal.ingrid.node.books.hub_instances == {}


def test_half_with_more_instances_than_any_state_has_is_not_carried(frugal: Trio) -> None:
    """With it Alice's own half would not fit into a message, and never be resolved."""

    def rule(letter: Letter) -> Iterable[Letter]:
        message = decode(letter[2])
        if letter[0] != frugal.bob.peer or not isinstance(message, Over):
            return (letter,)
        inner = decode(message.message)
        if not isinstance(inner, Invited) or inner.half is None:
            return (letter,)
        nano = inner.half.state.nanos[0]
        many = tuple(
            replace(nano, id=InstanceId(number.to_bytes(32, "big"))) for number in range(500)
        )
        half = replace(inner.half, state=replace(inner.half.state, nanos=many))
        said = encode(replace(inner, half=half))
        return ((letter[0], letter[1], encode(replace(message, message=said))),)

    frugal.world.network.rule = rule
    frugal.alice.do(command(frugal.alice, frugal.left, frugal.bob))
    frugal.world.settle()

    assert at_rest(frugal.alice)
    assert any(isinstance(error, UnexpectedMessage) for _, error in frugal.alice.faults)
    assert not frugal.world.network.said(RequestInstance)


# --------------------------------------------------------------------------------- who keeps silent


def test_inviter_that_never_forwards_holds_a_channel_for_patience_only(frugal: Trio) -> None:
    frugal.world.network.rule = rewrite(frugal.alice, lambda _message: ())
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert not at_rest(frugal.bob)
    frugal.world.advance(11)

    # The hub knows of nothing, and refuses: Bob is free, and hears why.
    assert at_rest(frugal.bob)
    assert frugal.bob.told(InstanceRefused)
    frugal.bob.do(CommandTransfer(frugal.right, Wei(7)))
    frugal.world.settle()
    assert at_rest(frugal.bob)


def test_half_that_is_forwarded_late_is_stale(frugal: Trio) -> None:
    frugal.world.network.rule = rewrite(frugal.alice, lambda _message: ())
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    frugal.world.advance(11)
    frugal.world.network.rule = None
    before = frugal.ingrid.node.books.channels[frugal.right]
    frugal.world.advance(11)
    frugal.world.advance(11)

    assert frugal.ingrid.node.books.channels[frugal.right].agreed == before.agreed
    assert frugal.ingrid.node.books.hub_instances == {}
    assert frugal.alice.told(InstanceRefused)
    assert at_rest(frugal.alice)
    # What was refused can be tried anew; but Bob signs nothing unasked for her any more.
    since = len(frugal.world.network.seen)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert listed(frugal.bob, frugal.right) == 1
    assert kinds(frugal, since).count("GrantInstance") == 2


def test_half_whose_refusal_is_not_answered_yet_is_stale_already(frugal: Trio) -> None:
    held: list[RequestInstance] = []

    def keep(message: RequestInstance) -> Iterable[RequestInstance]:
        held.append(message)
        return ()

    frugal.world.network.rule = rewrite(frugal.alice, keep)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    frugal.world.ledger.advance(11)
    frugal.world.settle([frugal.bob])
    frugal.ingrid.node.turn()
    before = frugal.ingrid.node.books.channels[frugal.right]
    assert phase(before, frugal.ingrid.node.books.chain) is Phase.PROPOSED
    frugal.world.network.inject(frugal.alice.peer, frugal.ingrid.peer, held[0])
    frugal.ingrid.node.turn()

    assert frugal.ingrid.node.books.channels[frugal.right] == before
    assert frugal.ingrid.node.books.hub_instances == {}


@pytest.mark.parametrize("policy", [FRUGAL, OPEN_HANDED], ids=["both halves", "one half"])
def test_everything_said_twice_opens_once(policy: Policy) -> None:
    trio = trio_of(policy)
    trio.world.network.rule = lambda letter: (letter, letter)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    trio.world.advance(11)

    assert {leg.status for leg in instance(trio.ingrid, machine).legs} == {LegStatus.LISTED}
    assert trio.bob.told(VirtualReady)
    assert all(at_rest(party) for party in trio.world.parties)


@pytest.mark.parametrize("first", ["direct", "forwarded"])
def test_half_that_comes_both_ways_is_one_half(frugal: Trio, first: str) -> None:
    trio, sent = frugal, []

    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        half = message.other_half
        assert half is not None
        direct = Propose(half.state, half.signature, 1, adds=half.state.nanos[0].id)
        if not sent:
            sent.append(direct)
            if first == "direct":
                trio.world.network.inject(trio.bob.peer, trio.ingrid.peer, direct)
        return (message,)

    trio.world.network.rule = rewrite(trio.alice, change)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    if first == "forwarded":
        trio.world.network.inject(trio.bob.peer, trio.ingrid.peer, sent[0])
        trio.world.settle()
        assert listed(trio.bob, trio.right) == 1
        assert trio.bob.told(VirtualReady) == [VirtualReady(machine)]
    else:
        # Unknown when it came: refused. What came with the request was stale then.
        assert listed(trio.bob, trio.right) == 0
        assert trio.alice.told(InstanceRefused)
        assert trio.bob.told(InstanceRefused)
    assert all(at_rest(party) for party in trio.world.parties)


def test_end_that_is_killed_before_its_invitation_leaves_is_free_after_patience(
    frugal: Trio,
) -> None:
    frugal.world.network.lose(Over)
    frugal.alice.do(command(frugal.alice, frugal.left, frugal.bob))
    frugal.world.network.lose()
    (invite,) = [letter for letter in frugal.world.network.seen if letter[0] == frugal.alice.peer][
        -1:
    ]
    frugal.bob.node.receive(frugal.alice.peer, (invite[2],))
    frugal.world.network.lose(Over)
    frugal.bob.node.turn()
    assert not at_rest(frugal.bob)
    frugal.bob.restart()
    frugal.world.network.lose()
    frugal.world.settle()
    frugal.world.advance(11)

    assert at_rest(frugal.bob)
    assert frugal.bob.told(InstanceRefused)


def test_slow_signer_sends_the_invitation_when_it_is_done(frugal: Trio) -> None:
    frugal.bob.signer.slow = []
    frugal.alice.do(command(frugal.alice, frugal.left, frugal.bob))
    frugal.world.settle()
    assert listed(frugal.bob, frugal.right) == 0
    frugal.bob.signer.slow = None
    frugal.bob.restart()  # asks again for what it asked
    frugal.world.settle()
    assert listed(frugal.bob, frugal.right) == listed(frugal.alice, frugal.left) == 1


@pytest.mark.parametrize("policy", [FRUGAL, OPEN_HANDED], ids=["both halves", "one half"])
@pytest.mark.parametrize("victim", ["alice", "ingrid", "bob"])
@pytest.mark.parametrize("write", range(8))
def test_power_cut_at_any_write_leaves_both_or_neither(
    policy: Policy, victim: str, write: int
) -> None:
    trio = trio_of(policy)
    party: Party = getattr(trio, victim)
    assert isinstance(party.store, MemoryStore)
    party.store.crash_before = write
    trio.alice.node.post([command(trio.alice, trio.left, trio.bob)])
    for _ in range(6):
        try:
            trio.world.settle()
        except WriteFailed:
            party.store.crash_before = None
            party.restart()
        trio.world.ledger.advance(11)
    party.store.crash_before = None
    trio.world.settle()

    legs = [leg.status for item in trio.ingrid.node.books.instances.values() for leg in item.legs]
    assert legs in ([], [LegStatus.LISTED] * 2)
    wanted = len(legs) // 2
    assert listed(trio.alice, trio.left) == listed(trio.bob, trio.right) == wanted
    assert all(at_rest(other) for other in trio.world.parties)
    assert all(view.inflight is None for view in trio.ingrid.node.books.channels.values())


# --------------------------------------------------------------------------------- what is not idle


def test_channel_that_is_busy_opens_in_its_turn(frugal: Trio) -> None:
    """Alice invites two at once: the second half is dropped, and sent again when it is granted."""
    world = frugal.world
    carol = world.party("carol", FRUGAL)
    world.advance()
    third = open_channel(world, carol, frugal.ingrid, 1_000, 1_000)
    frugal.alice.node.post(
        [
            command(frugal.alice, frugal.left, frugal.bob),
            command(frugal.alice, frugal.left, carol),
        ]
    )
    world.settle()

    assert listed(frugal.alice, frugal.left) == 2
    assert listed(frugal.bob, frugal.right) == listed(carol, third) == 1
    assert len(frugal.alice.told(VirtualReady)) == 2
    assert all(at_rest(party) for party in world.parties)


@pytest.mark.parametrize("policy", [FRUGAL, OPEN_HANDED], ids=["both halves", "one half"])
def test_c2_invitations_in_a_circle_all_open_without_waiting(policy: Policy) -> None:
    world = World()
    ends = [world.party(name, policy) for name in ("alice", "bob", "carol")]
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    ids = [open_channel(world, end, ingrid, 1_000, 1_000) for end in ends]
    for index, end in enumerate(ends):
        end.node.post([command(end, ids[index], ends[(index + 1) % 3], 10)])
        end.node.post([command(end, ids[index], ends[(index + 2) % 3], 10)])
    world.settle()

    # Nobody had to wait for time to pass.
    assert [listed(end, id) for end, id in zip(ends, ids, strict=True)] == [4, 4, 4]
    assert all(at_rest(party) for party in world.parties)


@pytest.mark.parametrize("policy", [FRUGAL, OPEN_HANDED], ids=["both halves", "one half"])
def test_c2_end_whose_half_is_out_asks_for_nothing_else_until_it_is_resolved(
    policy: Policy,
) -> None:
    """Bob's half waits for Alice; what he invites to, and is invited to, meanwhile comes after."""
    trio = trio_of(policy)
    world = trio.world
    carol = world.party("carol", policy)
    world.advance()
    third = open_channel(world, carol, trio.ingrid, 1_000, 1_000)
    kept: list[Letter] = []

    def rule(letter: Letter) -> Iterable[Letter]:
        slow = letter[0] == trio.alice.peer and isinstance(decode(letter[2]), RequestInstance)
        if slow and not kept:
            kept.append(letter)
            return ()
        return (letter,)

    world.network.rule = rule
    trio.alice.do(command(trio.alice, trio.left, trio.bob, 10))
    world.settle()
    trio.bob.do(command(trio.bob, trio.right, carol, 10))
    carol.do(command(carol, third, trio.bob, 10))
    world.settle()
    assert listed(trio.bob, trio.right) == 0
    ((sender, _, frame),) = kept
    trio.ingrid.node.receive(sender, (frame,))
    world.settle()

    assert (listed(trio.alice, trio.left), listed(trio.bob, trio.right)) == (1, 3)
    assert listed(carol, third) == 2
    assert all(at_rest(party) for party in world.parties)


def test_ends_that_invite_each_other_at_once_get_both(frugal: Trio) -> None:
    frugal.alice.node.post([command(frugal.alice, frugal.left, frugal.bob, 10)])
    frugal.bob.node.post([command(frugal.bob, frugal.right, frugal.alice, 10)])
    frugal.world.settle()

    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right) == 2


def test_half_that_waits_for_its_turn_is_refused_after_patience(frugal: Trio) -> None:
    """Bob's channel is busy at the hub for a reason of his own: Alice's is free after patience."""
    busy = frugal.ingrid.node.books.channels[frugal.right]
    frugal.ingrid.node.books.load(replace(busy, inflight=InstanceId(b"\x09" * 32)))
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    (crossing,) = frugal.ingrid.node.books.hub_instances.values()
    assert crossing.stage is HubStage.REQUESTED
    assert listed(frugal.alice, frugal.left) == 0
    for _ in range(3):
        frugal.world.advance(11)

    assert at_rest(frugal.alice)
    assert at_rest(frugal.bob)
    assert frugal.alice.told(InstanceRefused)
    assert frugal.bob.told(InstanceRefused)
    assert frugal.ingrid.node.books.hub_instances == {}


def test_half_that_waits_for_its_turn_is_sent_again_when_it_comes(frugal: Trio) -> None:
    busy = frugal.ingrid.node.books.channels[frugal.right]
    frugal.ingrid.node.books.load(replace(busy, inflight=InstanceId(b"\x09" * 32)))
    since = len(frugal.world.network.seen)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    freed = frugal.ingrid.node.books.channels[frugal.right]
    frugal.ingrid.node.books.load(replace(freed, inflight=None))
    frugal.world.advance(1)

    assert kinds(frugal, since).count("GrantInstance") == 2
    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right) == 1
    # The very states that were signed at first.
    versions = [frugal.alice.node.books.channels[frugal.left].agreed]
    assert [full.state.version for full in versions if full] == [2]


def test_end_in_dispute_has_no_half(frugal: Trio) -> None:
    frugal.world.network.rule = rewrite(frugal.alice, lambda _message: ())
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    frugal.bob.do(CommandDispute(frugal.right))
    frugal.world.network.rule = None
    frugal.world.advance(5)
    frugal.world.advance(11)

    assert listed(frugal.ingrid, frugal.left) == 0
    assert frugal.ingrid.node.books.hub_instances == {}
    assert at_rest(frugal.alice)


# ---------------------------------------------------------------------------- the hub's own view


def _blind(party: Party) -> list[object]:
    """From now on the party's chain edge answers no wish to watch."""
    asked: list[object] = []
    party.chain.watch = asked.append  # type: ignore[method-assign]
    return asked


def test_hub_signs_only_when_the_chain_has_told_that_nobody_submitted(frugal: Trio) -> None:
    asked = _blind(frugal.ingrid)
    signed = frugal.ingrid.signer.asked
    machine = add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert len(asked) == 1
    for _ in range(3):
        frugal.world.advance(11)  # its own view keeps it waiting, and nobody is refused for that
    assert frugal.ingrid.signer.asked == signed
    assert listed(frugal.alice, frugal.left) == 0

    frugal.ingrid.node.post([frugal.ingrid.chain._instance(InstanceId(machine))])
    frugal.world.settle()
    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right) == 1


def test_hub_that_restarts_with_both_halves_signs_when_it_sees(frugal: Trio) -> None:
    _blind(frugal.ingrid)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    del frugal.ingrid.chain.watch
    frugal.ingrid.restart()
    frugal.world.settle()
    frugal.world.advance()

    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right) == 1


def test_instance_that_was_submitted_before_is_refused_to_both(frugal: Trio) -> None:
    _blind(frugal.ingrid)
    machine = add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    terms = instance(frugal.alice, machine).machine
    assert terms is not None
    frugal.world.submit_totals(terms, 60, 0)
    frugal.ingrid.node.post([frugal.ingrid.chain._instance(InstanceId(machine))])
    frugal.world.settle()

    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right) == 0
    assert frugal.ingrid.node.books.hub_instances == {}
    assert at_rest(frugal.alice)
    assert at_rest(frugal.bob)


def test_hub_with_a_stale_view_signs_and_refuses_nothing(frugal: Trio) -> None:
    frugal.ingrid.clock.ahead = 100
    frugal.ingrid.node.turn()
    before = frugal.ingrid.node.books.channels[frugal.right]
    signed = frugal.ingrid.signer.asked
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert frugal.ingrid.signer.asked == signed
    after = frugal.ingrid.node.books.channels[frugal.right]
    assert (after.signed, after.held) == (before.signed, before.held)

    frugal.ingrid.clock.ahead = 0
    frugal.world.advance(101)
    for _ in range(3):
        frugal.world.advance(11)
    assert all(at_rest(party) for party in frugal.world.parties)
    assert listed(frugal.alice, frugal.left) == listed(frugal.bob, frugal.right)


# ------------------------------------------------------------------------------------ a12 and speed


def test_a12_nothing_of_a_later_step_is_signed_before_the_earlier_is_complete(
    frugal: Trio,
) -> None:
    """The hub answers Alice only: she is not paid for, Bob signs no removal, and neither loses."""

    def rule(letter: Letter) -> Iterable[Letter]:
        kept = letter[1] == frugal.bob.peer and isinstance(decode(letter[2]), AnswerState)
        return () if kept else (letter,)

    frugal.world.network.rule = rule
    machine = add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert frugal.alice.told(InstanceAdded)
    frugal.alice.node.post([CommandPay(machine, Wei(9))])
    frugal.world.settle()
    assert frugal.alice.node.books.totals == {}
    frugal.bob.node.post([CommandRemove(InstanceId(machine))])
    frugal.world.settle()

    view: ChannelView = frugal.bob.node.books.channels[frugal.right]
    assert [len(proposal.state.nanos) for proposal in view.proposals] == [1]
    assert frugal.bob.node.books.instances[machine].legs[0].status is LegStatus.ADDING


def test_signatures_of_both_halves_are_foreseen(frugal: Trio) -> None:
    found: list[int] = []

    def change(message: RequestInstance) -> Iterable[RequestInstance]:
        received = Received(frugal.alice.peer, message)
        claims = expected_of(frugal.ingrid.node.books, received)
        keys = [claim.key for claim in claims]
        assert keys == [frugal.alice.key.address, frugal.bob.key.address]
        found.append(len(claims))
        return (message,)

    frugal.world.network.rule = rewrite(frugal.alice, change)
    add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)
    assert found == [2]


def test_end_with_an_invitation_of_its_own_waits_for_the_grant(frugal: Trio) -> None:
    since = len(frugal.world.network.seen)
    leave_invitation_open(frugal.bob.node.books, frugal.right)
    machine = add_machine(frugal.world, frugal.alice, frugal.left, 300, 0, frugal.bob)

    assert frugal.bob.told(VirtualReady) == [VirtualReady(machine)]
    assert kinds(frugal, since).count("GrantInstance") == 2


def test_what_is_over_before_its_turn_comes_is_forgotten(frugal: Trio) -> None:
    """Bob's half waits for so long that all he was invited to meanwhile has ended."""
    frugal.ingrid.node.books.exit_only = True  # she answers nobody
    frugal.world.network.rule = rewrite(frugal.alice, lambda _message: ())
    short = replace(
        command(frugal.alice, frugal.left, frugal.bob),
        validity=UnixTime(frugal.world.ledger.time + 200),
    )
    frugal.alice.do(command(frugal.alice, frugal.left, frugal.bob))
    frugal.world.settle()
    frugal.alice.do(replace(short, random=frugal.alice.random()))
    frugal.bob.do(CommandTransfer(frugal.right, Wei(3)))
    frugal.world.settle()
    view = frugal.bob.node.books.channels[frugal.right]
    assert [intent.asks for intent in view.intents] == [True, False]
    frugal.world.advance(1_000, 3)
    assert len(frugal.bob.node.books.instances) == 1
    frugal.ingrid.node.books.exit_only = False
    for _ in range(4):
        frugal.world.advance(11)

    assert at_rest(frugal.bob)
    full = frugal.bob.node.books.channels[frugal.right].agreed
    assert full is not None
    assert (full.state.net, full.state.nanos) == (3, ())
