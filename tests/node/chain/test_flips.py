"""Coin flips on the bytecode: what is revealed is followed, ours is submitted, lost logs are told
by storage."""

from __future__ import annotations

import pytest

from perun.bindings import coin_flip
from perun.core.effects import Submit, SubmitEvidence, Watch
from perun.core.nanocontracts.coin_flip import COIN_FLIP
from perun.encoding import flip_commit, flip_evidence
from perun.types import (
    Address,
    Flip,
    FlipId,
    FlipRecord,
    Preimage,
    Salt,
    Seconds,
    UnixTime,
    Wei,
)
from tests.node.chain.conftest import BOB, INGRID, Party, World
from tests.node.chain.test_danger_first import hides, round_of, watching

SECRETS = (Preimage(b"\x07" * 32), Preimage(b"\x08" * 32))
HOUR = Seconds(3_600)


@pytest.fixture
def app(world: World) -> Address:
    return COIN_FLIP.app(world.deployment)


def new_flip(world: World) -> tuple[Flip, FlipId]:
    commits = [flip_commit(bob, SECRETS[bob]) for bob in (False, True)]
    flip = Flip(Wei(50), Wei(40), *commits, 1, world.later(7_200), HOUR, Salt(bytes(32)))
    return flip, COIN_FLIP.id(world.deployment, flip)


def head(party: Party, id: FlipId) -> FlipRecord | None:
    """What the newest round brought of it."""
    seen = party.seen_instance(id)
    assert seen is not None
    assert seen.head is None or isinstance(seen.head, FlipRecord)
    return seen.head


def test_both_secrets_are_followed_one_by_one(world: World, app: Address) -> None:
    flip, id = new_flip(world)
    party = world.party()
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    assert head(party, id) is None

    world.act(BOB, coin_flip.reveal(app, flip, True, SECRETS[True]))
    until = UnixTime(world.chain.now + HOUR)
    party.poll()
    assert head(party, id) == FlipRecord(b"", SECRETS[True], until)

    world.act(INGRID, coin_flip.reveal(app, flip, False, SECRETS[False]))
    party.poll()
    assert head(party, id) == FlipRecord(*SECRETS, until)
    for _ in range(4):
        world.chain.mine()
    party.poll()
    seen = party.seen_instance(id)
    assert seen is not None
    assert seen.final == FlipRecord(*SECRETS, until)


def test_our_secret_is_brought_to_the_chain(world: World, app: Address) -> None:
    flip, id = new_flip(world)
    party = world.party()
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    evidence = flip_evidence(flip, False, SECRETS[False])
    party.port.submit(Submit(b"e" + id, SubmitEvidence(app, id, evidence), flip.validity))
    party.poll()
    world.chain.mine()
    until = UnixTime(world.chain.now + HOUR)
    party.poll()
    assert head(party, id) == FlipRecord(SECRETS[False], b"", until)


def test_secret_whose_log_is_kept_back_is_told_by_storage(world: World, app: Address) -> None:
    """The clock runs against Alice: she must hear of it, though nobody shows her the secret."""
    flip, id = new_flip(world)
    party = watching(world)
    party.port.watch(Watch(app=app, instance=id))
    party.poll()
    hides(party, lambda log: log.address == app)
    world.act(INGRID, coin_flip.reveal(app, flip, True, SECRETS[True]))
    until = UnixTime(world.chain.now + HOUR)
    for _ in range(5):
        round_of(party)
        if party.seen_instance(id) is not None:
            break
        world.chain.mine()
    found = head(party, id)
    assert found is not None
    assert (found.alice, found.bob[-2:], found.deadline) == (b"", SECRETS[True][-2:], until)
