"""A coin flip by the second and by the secret: who says what, when, and what silence costs."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.nanocontracts.coin_flip import CASES, COIN_FLIP, flip_shift
from perun.core.state import InstanceView, Role
from perun.encoding.messages import RevealSecret
from perun.testing.parties import Party, World
from perun.testing.stories import GAMBLER, flip_coin, open_channel
from perun.types import Flip, FlipRecord, UnixTime

from .conftest import Pair
from .crafted import at, said

END = UnixTime(2_000_000_000)


@pytest.fixture
def pair() -> Pair:
    world = World()
    alice, bob = world.party("alice", GAMBLER), world.party("bob", GAMBLER)
    world.advance()
    return Pair(world, alice, bob, open_channel(world, alice, bob, 1_000, 1_000))


def locked(pair: Pair, party: Party) -> tuple[InstanceView, Flip]:
    """A flip that both have locked, each knowing its own secret alone."""
    if not party.node.books.instances:
        pair.world.network.lose(RevealSecret)
        flip_coin(pair.world, pair.alice, pair.channel, 70, 60)
        pair.world.settle()
    (instance,) = party.node.books.instances.values()
    assert isinstance(instance.terms, Flip)
    return instance, instance.terms


def secrets(flip: Flip, wins: Role) -> tuple[bytes, bytes]:
    """Two secrets by which a side is paid."""
    total = flip.odds - 1 if wins is Role.BOB else flip.odds
    return total.to_bytes(32, "big"), bytes(32)


@pytest.mark.parametrize("odds", [1, 2**15, CASES - 1])
def test_alice_pays_below_the_odds_and_bob_at_them(pair: Pair, odds: int) -> None:
    _, flip = locked(pair, pair.alice)
    flip = replace(flip, odds=odds)
    assert flip_shift(flip, (odds - 1).to_bytes(32, "big"), bytes(32)) == 70
    assert flip_shift(flip, bytes(32), odds.to_bytes(32, "big")) == -60
    assert flip_shift(flip, (CASES - 1).to_bytes(32, "big"), (1).to_bytes(32, "big")) == 70


def test_silence_costs_its_side_the_lock_after_the_deadline(pair: Pair) -> None:
    _, flip = locked(pair, pair.alice)
    for record, loss in (
        (FlipRecord(b"a" * 32, b"", END), -60),
        (FlipRecord(b"", b"b" * 32, END), 70),
    ):
        assert COIN_FLIP.outcome(flip, record, END) is None
        assert COIN_FLIP.outcome(flip, record, UnixTime(END + 1)) == loss


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_secret_is_said_until_a_margin_before_the_end(pair: Pair, name: str) -> None:
    party: Party = getattr(pair, name)
    instance, flip = locked(pair, party)
    last = flip.validity - party.limits.margin
    for time, says in ((last, True), (last + 1, False)):
        draft = at(party, time)
        COIN_FLIP.acts(draft, instance)
        assert [type(message) for message in said(draft)] == ([RevealSecret] if says else [])


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_who_is_paid_proposes_the_removal(pair: Pair, name: str) -> None:
    party: Party = getattr(pair, name)
    instance, flip = locked(pair, party)
    assert instance.role is not None
    assert not COIN_FLIP.acts(at(party), instance)
    for wins in Role:
        known = replace(instance, secrets=secrets(flip, wins))
        assert COIN_FLIP.acts(at(party), known) is (wins is instance.role)


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_secret_goes_to_the_chain_unless_it_would_make_us_pay(pair: Pair, name: str) -> None:
    party: Party = getattr(pair, name)
    instance, flip = locked(pair, party)
    role = instance.role
    assert role is not None
    found = COIN_FLIP.due(at(party, flip.validity), instance)
    assert found is not None
    assert (found.before, found.answers) == (flip.validity, False)
    assert COIN_FLIP.due(at(party, flip.validity + 1), instance) is None
    for wins in Role:
        known = replace(instance, secrets=secrets(flip, wins))
        assert (COIN_FLIP.due(at(party, flip.validity), known) is not None) is (wins is role)


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_other_secret_on_chain_is_answered_until_its_deadline(pair: Pair, name: str) -> None:
    party: Party = getattr(pair, name)
    instance, _ = locked(pair, party)
    theirs = FlipRecord(b"", b"b" * 32, END)
    ours = FlipRecord(b"a" * 32, b"", END)
    if instance.role is Role.BOB:
        theirs, ours = ours, theirs
    begun = replace(instance, head=theirs)
    found = COIN_FLIP.due(at(party, END), begun)
    assert found is not None
    assert (found.before, found.answers) == (END, True)
    assert COIN_FLIP.due(at(party, END + 1), begun) is None
    assert COIN_FLIP.due(at(party, END), replace(instance, head=ours)) is None


def test_secret_that_the_chain_shows_is_learnt(pair: Pair) -> None:
    """Off chain goes on by it: the removal, at what the two decide."""
    instance, _ = locked(pair, pair.bob)
    (other,) = pair.alice.node.books.instances.values()
    secret = other.secrets[Role.ALICE]
    assert instance.secrets[Role.ALICE] == b""
    draft = at(pair.bob)
    seen = replace(instance, head=FlipRecord(secret, b"", END))
    COIN_FLIP.learn(draft, seen)
    assert draft.instance(instance.id).secrets == (secret, instance.secrets[Role.BOB])
