"""Deals in escrow on the bytecode: each form of evidence arrives, and what a log hides storage
tells."""

from __future__ import annotations

import pytest

from perun.bindings import escrow
from perun.core.effects import Submit, SubmitEvidence, Watch
from perun.core.nanocontracts.escrow import AGREED, AWARDED, ESCROW, LATE
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding import (
    agreement_evidence,
    award_digest,
    award_evidence,
    escrow_domain,
    late_evidence,
)
from perun.types import (
    Address,
    Award,
    Deal,
    DealId,
    DealRecord,
    Salt,
    Seconds,
    Signature,
    UnixTime,
    Wei,
)
from tests.node.chain.conftest import INGRID, Site, Watcher
from tests.node.chain.test_danger_first import found_at_last, hides, watching

KEYS = [SecretKey(bytes((n,)) * 32) for n in (0x5A, 0x5B, 0x5C)]
ALICE, BOB, ARBITER = range(3)
HOUR = Seconds(3_600)


@pytest.fixture
def app(site: Site) -> Address:
    return ESCROW.app(site.deployment)


def new_deal(site: Site) -> tuple[Deal, DealId]:
    """Late from the first second on."""
    alice, bob, arbiter = (key.address for key in KEYS)
    due = UnixTime(site.chain.now - 1)
    deal = Deal(
        *(alice, bob, arbiter, Wei(50), Wei(40), Wei(7), due),
        *(site.later(7_200), HOUR, Salt(bytes(32))),
    )
    return deal, DealId(ESCROW.id(site.deployment, deal))


def word(site: Site, app: Address, id: DealId, shift: int, who: int = ARBITER) -> Signature:
    domain = escrow_domain(site.deployment.contract.chain_id, app)
    return sign(award_digest(domain, Award(id, Wei(shift))), KEYS[who])


def head(watcher: Watcher, id: DealId) -> DealRecord | None:
    """What the newest round brought of it."""
    seen = watcher.seen_instance(id)
    assert seen is not None
    assert seen.head is None or isinstance(seen.head, DealRecord)
    return seen.head


@pytest.mark.parametrize(("form", "shift"), [(LATE, 7), (AWARDED, -9), (AGREED, 11)])
def test_our_evidence_is_brought_to_the_chain(
    site: Site, app: Address, form: int, shift: int
) -> None:
    deal, id = new_deal(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    assert head(watcher, id) is None
    evidence = late_evidence(deal)
    if form == AWARDED:
        evidence = award_evidence(deal, Wei(shift), word(site, app, id, shift))
    elif form == AGREED:
        both = (word(site, app, id, shift, who) for who in (ALICE, BOB))
        evidence = agreement_evidence(deal, Wei(shift), *both)
    watcher.port.submit(Submit(b"e" + id, SubmitEvidence(app, id, evidence), deal.validity))
    watcher.poll()
    site.chain.mine()
    until = UnixTime(site.chain.now + HOUR)
    watcher.poll()
    assert head(watcher, id) == DealRecord(form, Wei(shift), until)


def test_award_whose_log_is_kept_back_is_told_by_storage(site: Site, app: Address) -> None:
    """By it we may pay: it must be answered in time, though nobody shows the log."""
    deal, id = new_deal(site)
    watcher = watching(site)
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    hides(watcher, lambda log: log.address == app)
    site.act(INGRID, escrow.award(app, deal, Wei(50), word(site, app, id, 50)))
    until = UnixTime(site.chain.now + HOUR)
    found_at_last(site, watcher, id)
    assert head(watcher, id) == DealRecord(AWARDED, Wei(50), until)
