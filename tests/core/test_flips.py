"""Coin flips between two and over a hub: whoever stops at whatever message, nobody loses more."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.effects import SubmitEvidence
from perun.core.faults import BadProposal, InstanceRejected, UnexpectedMessage
from perun.core.inputs import (
    CommandDispute,
    Received,
)
from perun.core.nanocontracts.coin_flip import (
    COIN_FLIP,
    CommandFlip,
    flip_shift,
)
from perun.core.notices import InstanceRefused, InstanceRemoved
from perun.core.state import LegStatus, Role
from perun.core.states.valuation import balance
from perun.encoding.coin_flip import (
    flip_commit,
)
from perun.encoding.messages import Invite, Propose, ReadySigned, RevealSecret
from perun.testing.ledger import DEPLOYMENT
from perun.testing.parties import Party, World
from perun.testing.stories import GAMBLER, OPEN_HANDED, flip_coin, open_channel
from perun.types import (
    Flip,
    FlipRecord,
    Preimage,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair, Trio, new_pair, new_trio
from .crafted import at
from .ends import net, only, seen, shares, status, wait


@pytest.fixture
def pair() -> Pair:
    return new_pair(GAMBLER)


@pytest.fixture
def trio() -> Trio:
    return new_trio(GAMBLER)


def result(*parties: Party) -> int:
    """What the secrets decide, as far as these parties hold their own."""
    flips = [seen(party) for party in parties]
    (terms,) = {flip.terms for flip in flips}
    assert isinstance(terms, Flip)
    secrets = [
        next(flip.secrets[role] for flip in flips if flip.role is role and flip.secrets[role])
        for role in Role
    ]
    return flip_shift(terms, *secrets)


def terms_of(party: Party) -> Flip:
    terms = seen(party).terms
    assert isinstance(terms, Flip)
    return terms


def refusal(party: Party) -> str:
    """Why its one invitation was declined."""
    (refused,) = party.told(InstanceRefused)
    assert isinstance(refused, InstanceRefused)
    return refused.reason


def shown(party: Party) -> tuple[bool, bool]:
    """Whose secrets a party knows."""
    alice, bob = seen(party).secrets
    return bool(alice), bool(bob)


def submitted(world: World) -> int:
    return sum(isinstance(done, SubmitEvidence) for done in world.ledger.log)


# -------------------------------------------------------------------------------- when all is well


@pytest.mark.parametrize("swapped", [False, True])
def test_flip_is_played_and_paid_at_once(pair: Pair, swapped: bool) -> None:
    inviter = pair.bob if swapped else pair.alice
    flip_coin(pair.world, inviter, pair.channel, 70, 60)
    pair.world.settle()

    shift = result(pair.alice, pair.bob)
    assert shift in (70, -60)
    moved = -shift if swapped else shift
    assert (net(pair.alice, pair.channel), net(pair.bob, pair.channel)) == (moved, moved)
    assert status(pair.alice) is LegStatus.REMOVED
    (removed,) = pair.bob.told(InstanceRemoved)
    assert isinstance(removed, InstanceRemoved)
    assert removed.shift == shift
    assert submitted(pair.world) == 0


def test_secret_that_a_removal_shows_is_kept_if_it_is_the_others(pair: Pair) -> None:
    """The message that reveals it may be lost; the proposal that needs it brings it too."""
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    flip, secret = seen(pair.alice), Preimage(seen(pair.bob).secrets[Role.BOB])
    assert shown(pair.alice) == (True, False)
    state = State(pair.channel, Version(9), Wei(0))
    for told, known in ((Preimage(bytes(32)), b""), (secret, secret)):
        draft = at(pair.alice)
        COIN_FLIP.believe(draft, flip, Propose(state, Signature(b""), 3, preimage=told))
        assert draft.instance(flip.id).secrets == (flip.secrets[Role.ALICE], known)


def test_both_results_happen(pair: Pair) -> None:
    seen = set()
    for _ in range(12):
        before = net(pair.alice, pair.channel)
        flip_coin(pair.world, pair.alice, pair.channel, 7, 7)
        pair.world.settle()
        seen.add(net(pair.alice, pair.channel) - before)
    assert seen == {7, -7}


def test_flip_over_a_hub_costs_the_hub_nothing(trio: Trio) -> None:
    flip_coin(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()

    shift = result(trio.alice, trio.bob)
    assert shift in (70, -60)
    # The hub is Bob of both channels, the instance's Bob is Alice of the other.
    assert (net(trio.ingrid, trio.left), net(trio.ingrid, trio.right)) == (shift, -shift)
    assert shown(trio.ingrid) == (False, False)


def test_secrets_are_not_said_before_the_flip_is_locked(pair: Pair) -> None:
    pair.world.network.lose(Propose)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    pair.world.advance(12, 3)

    assert shown(pair.alice) == (True, False)
    assert shown(pair.bob) == (False, True)


def test_secrets_are_not_said_over_a_hub_before_the_other_is_ready(trio: Trio) -> None:
    trio.world.network.lose(ReadySigned)
    flip_coin(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()
    trio.world.advance(12, 3)

    assert status(trio.alice) is LegStatus.LISTED
    assert shown(trio.alice) == (True, False)
    assert shown(trio.bob) == (False, True)


def test_secret_that_was_lost_is_said_again(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    assert shown(pair.bob) == (False, True)
    pair.world.network.rule = None
    pair.world.advance()
    pair.world.settle()

    assert net(pair.bob, pair.channel) == result(pair.alice, pair.bob)


def test_node_that_starts_again_plays_on(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    pair.world.network.rule = None
    pair.alice.restart()
    pair.bob.restart()
    pair.world.settle()
    pair.world.advance()
    pair.world.settle()

    assert net(pair.bob, pair.channel) == result(pair.alice, pair.bob) != 0


# ------------------------------------------------------------------------------ when somebody stops


def test_who_gets_no_answer_says_its_secret_on_chain_and_wins_by_silence(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    id, flip, ledger = only(pair.alice), terms_of(pair.alice), pair.world.ledger
    pair.world.network.leave(pair.bob.peer)
    pair.bob.node = None  # type: ignore[assignment]  # gone, with his tower
    margin = pair.alice.limits.margin
    while ledger.time <= flip.validity + flip.window:
        assert id not in ledger.instances or ledger.time > flip.validity - margin
        ledger.advance(24)
        pair.alice.node.turn()
    record = ledger.instances[id]
    assert isinstance(record, FlipRecord)
    assert (bool(record.alice), record.bob) == (True, b"")
    assert submitted(pair.world) == 1
    assert COIN_FLIP.outcome(flip, record, ledger.time) in (None, -60)
    assert COIN_FLIP.outcome(flip, record, UnixTime(record.deadline + 1)) == -60


def test_who_sees_a_secret_on_chain_answers_it(pair: Pair) -> None:
    """Bob hears nothing more off chain, but he follows the chain."""
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    id, flip, shift = only(pair.alice), terms_of(pair.alice), result(pair.alice, pair.bob)
    pair.world.network.rule = lambda _letter: ()
    wait(pair.world)

    record = pair.world.ledger.instances[id]
    # Who would only pay need not answer: silence costs it the same.
    assert isinstance(record, FlipRecord)
    assert COIN_FLIP.outcome(flip, record, pair.world.ledger.time) == shift


def test_dispute_in_the_middle_makes_both_speak_on_chain(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    shift = result(pair.alice, pair.bob)
    pair.world.network.rule = lambda _letter: ()
    pair.bob.do(CommandDispute(pair.channel))
    wait(pair.world)

    assert shares(pair.world, pair.alice, pair.bob) == [1_000 - shift, 1_000 + shift]


def test_flip_over_a_hub_that_falls_silent_is_paid_by_the_chain(trio: Trio) -> None:
    trio.world.network.lose(RevealSecret)
    flip_coin(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()
    shift = result(trio.alice, trio.bob)
    trio.world.network.rule = lambda _letter: ()
    trio.alice.do(CommandDispute(trio.left))
    trio.bob.do(CommandDispute(trio.right))
    wait(trio.world)

    paid = shares(trio.world, trio.alice, trio.bob, trio.ingrid)
    assert paid == [1_000 - shift, 1_000 + shift, 2_000]


# ---------------------------------------------------------------------------------- what is refused


def test_nobody_who_allows_no_loss_is_made_to_gamble(pair: Pair) -> None:
    frugal = pair.world.party("frugal", OPEN_HANDED)
    pair.world.advance()
    channel = open_channel(pair.world, pair.alice, frugal, 1_000, 1_000)
    flip_coin(pair.world, pair.alice, channel, 70, 60)
    pair.world.settle()

    assert "I allow 0" in refusal(pair.alice)
    assert frugal.node.books.instances == {}


def test_odds_against_who_is_invited_are_declined(pair: Pair) -> None:
    flip_coin(pair.world, pair.alice, pair.channel, 60, 70)
    pair.world.settle()
    assert "odds" in refusal(pair.alice)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"own_lock": Wei(0)}, "nothing to lose"),
        ({"peer_lock": Wei(0)}, "nothing to lose"),
        ({"window": Seconds(1)}, "outside our limits"),
        ({"validity": UnixTime(2**34 - 5)}, "does not fit"),
    ],
)
def test_terms_outside_the_limits_are_not_offered(
    pair: Pair, changes: dict[str, object], reason: str
) -> None:
    until = UnixTime(pair.world.ledger.time + 10_000)
    salt, secret = pair.alice.random(), Preimage(pair.alice.random())
    command = CommandFlip(pair.channel, Wei(5), Wei(5), 2**15, until, Seconds(600), salt, secret)
    with pytest.raises(InstanceRejected, match=reason):
        pair.alice.do(replace(command, **changes))


def test_chain_without_the_contract_has_no_flips() -> None:
    world = World()
    old = replace(DEPLOYMENT, others=DEPLOYMENT.others[:1])
    alice, bob = world.party("alice", GAMBLER), world.party("bob", GAMBLER, deployment=old)
    world.advance()
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    with pytest.raises(InstanceRejected, match="no such contract"):
        flip_coin(world, bob, channel, 5, 5)
    flip_coin(world, alice, channel, 5, 5)
    world.settle()
    assert "no such contract" in refusal(alice)


def test_secret_of_one_invitation_tells_nothing_of_another(pair: Pair) -> None:
    """Alice invites twice under one salt, with other commitments: Bob's secrets must differ, or
    she would choose the second commitment by the secret that the first flip has shown her."""
    salt, bob = pair.alice.random(), pair.bob
    until = UnixTime(pair.world.ledger.time + 10_000)
    secrets = []
    for seed in (b"\x01" * 32, b"\x02" * 32):
        mine = flip_commit(False, seed)
        terms = Flip(Wei(5), Wei(5), mine, bytes(32), 2**15, until, Seconds(600), salt)
        invite = Invite(terms, pair.channel, bob.channel(pair.alice).channel.asset)
        bob.node.post([Received(pair.alice.peer, invite)])
        bob.node.turn()
    for instance in bob.node.books.instances.values():
        secrets.append(instance.secrets[Role.BOB])
    assert len(set(secrets)) == 2


def test_secret_that_opens_no_commitment_is_not_believed(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    id, bob = only(pair.bob), pair.bob
    for wrong in (bytes(32), bob.node.books.instances[id].secrets[Role.BOB]):
        bob.node.post([Received(pair.alice.peer, RevealSecret(id, wrong))])
        bob.node.turn()
        assert shown(bob) == (False, True)


def test_secret_from_a_stranger_is_a_fault(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    mallory = pair.world.party("mallory")
    said = RevealSecret(only(pair.alice), seen(pair.alice).secrets[0])
    pair.bob.node.post([Received(mallory.peer, said)])
    pair.bob.node.turn()
    assert shown(pair.bob) == (False, True)
    assert any(isinstance(error, UnexpectedMessage) for _, error in pair.bob.faults)


# --------------------------------------------------------------------------------- what it is worth


def test_flip_counts_as_lost_until_it_is_known(pair: Pair) -> None:
    pair.world.network.lose(RevealSecret)
    flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
    pair.world.settle()
    worst = [
        balance(party.node.books, party.channel(other)).guaranteed
        for party, other in ((pair.alice, pair.bob), (pair.bob, pair.alice))
    ]
    assert worst == [930, 940]


@pytest.mark.parametrize(
    ("paid", "received", "shift"), [(70, 0, 70), (0, 60, -60), (60, 0, 0), (70, 60, 0), (0, 0, 0)]
)
def test_hub_takes_only_what_a_flip_can_decide(
    trio: Trio, paid: int, received: int, shift: int
) -> None:
    trio.world.network.lose(RevealSecret)
    flip_coin(trio.world, trio.alice, trio.left, 70, 60, end=trio.bob)
    trio.world.settle()
    instance = seen(trio.ingrid)
    nothing = Signature(b"")
    state = State(trio.left, Version(8), Wei(0))
    removal = Propose(state, nothing, 2, None, instance.id, Wei(paid), nothing, Wei(received))
    if shift:
        named = COIN_FLIP.named(terms_of(trio.ingrid), instance, removal, Role.ALICE)
        assert named == (shift, (paid, received))
    else:
        with pytest.raises(BadProposal):
            COIN_FLIP.named(terms_of(trio.ingrid), instance, removal, Role.ALICE)
