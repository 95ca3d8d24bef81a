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
from tests.node.chain.conftest import BOB, INGRID, Site, Watcher
from tests.node.chain.test_danger_first import found_at_last, hides, watching

SECRETS = (Preimage(b"\x07" * 32), Preimage(b"\x08" * 32))
HOUR = Seconds(3_600)


@pytest.fixture
def app(site: Site) -> Address:
    return COIN_FLIP.app(site.deployment)


def new_flip(site: Site) -> tuple[Flip, FlipId]:
    commits = [flip_commit(bob, SECRETS[bob]) for bob in (False, True)]
    flip = Flip(Wei(50), Wei(40), *commits, 1, site.later(7_200), HOUR, Salt(bytes(32)))
    return flip, COIN_FLIP.id(site.deployment, flip)


def head(watcher: Watcher, id: FlipId) -> FlipRecord | None:
    """What the newest round brought of it."""
    seen = watcher.seen_instance(id)
    assert seen is not None
    assert seen.head is None or isinstance(seen.head, FlipRecord)
    return seen.head


def test_both_secrets_are_followed_one_by_one(site: Site, app: Address) -> None:
    flip, id = new_flip(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    assert head(watcher, id) is None

    site.act(BOB, coin_flip.reveal(app, flip, True, SECRETS[True]))
    until = UnixTime(site.chain.now + HOUR)
    watcher.poll()
    assert head(watcher, id) == FlipRecord(b"", SECRETS[True], until)

    site.act(INGRID, coin_flip.reveal(app, flip, False, SECRETS[False]))
    watcher.poll()
    assert head(watcher, id) == FlipRecord(*SECRETS, until)
    for _ in range(4):
        site.chain.mine()
    watcher.poll()
    seen = watcher.seen_instance(id)
    assert seen is not None
    assert seen.final == FlipRecord(*SECRETS, until)


def test_our_secret_is_brought_to_the_chain(site: Site, app: Address) -> None:
    flip, id = new_flip(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    evidence = flip_evidence(flip, False, SECRETS[False])
    watcher.port.submit(Submit(b"e" + id, SubmitEvidence(app, id, evidence), flip.validity))
    watcher.poll()
    site.chain.mine()
    until = UnixTime(site.chain.now + HOUR)
    watcher.poll()
    assert head(watcher, id) == FlipRecord(SECRETS[False], b"", until)


def test_secret_whose_log_is_kept_back_is_told_by_storage(site: Site, app: Address) -> None:
    """The clock runs against Alice: she must hear of it, though nobody shows her the secret."""
    flip, id = new_flip(site)
    watcher = watching(site)
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    hides(watcher, lambda log: log.address == app)
    site.act(INGRID, coin_flip.reveal(app, flip, True, SECRETS[True]))
    until = UnixTime(site.chain.now + HOUR)
    found_at_last(site, watcher, id)
    found = head(watcher, id)
    assert found is not None
    assert (found.alice, found.bob[-2:], found.deadline) == (b"", SECRETS[True][-2:], until)
