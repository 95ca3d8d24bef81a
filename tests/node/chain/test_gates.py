"""Paths on the bytecode: opened and fixed by what nodes submit, followed, and told by storage."""

from __future__ import annotations

import pytest

from perun.bindings import gate as binding
from perun.core.effects import Submit, SubmitEvidence, Watch
from perun.core.nanocontracts.gate import GATE, path_of
from perun.core.signing import digest
from perun.crypto import SecretKey, keccak
from perun.crypto.signatures import sign
from perun.encoding import fix_evidence, open_evidence
from perun.types import (
    Address,
    Final,
    Game,
    Gated,
    Opening,
    PathId,
    PathRecord,
    Salt,
    Seconds,
    Wei,
)
from tests.node.chain.conftest import ALICE, BOB, INGRID, Site, Watcher
from tests.node.chain.test_danger_first import found_at_last, hides, watching

IDA = SecretKey(keccak(b"ida"))
KEYS = (ALICE, INGRID, IDA, BOB)


@pytest.fixture
def app(site: Site) -> Address:
    return GATE.app(site.deployment)


def new_path(site: Site) -> tuple[Gated, PathId]:
    game = Game(
        *(ALICE.address, BOB.address, Wei(50), Wei(40), Address(b"\x09" * 20), bytes(32)),
        *(bytes(32), site.later(7_200), Seconds(600), Seconds(900), Seconds(900), Salt(bytes(32))),
    )
    terms = Gated(game, tuple(key.address for key in KEYS))
    return terms, PathId(GATE.id(site.deployment, terms))


def evidence(site: Site, terms: Gated, id: PathId, shift: Wei | None) -> bytes:
    message = Opening(id) if shift is None else Final(id, shift)
    signed = [sign(digest(site.deployment, message), key) for key in KEYS]
    path = path_of(site.deployment, terms)
    return open_evidence(path, signed) if shift is None else fix_evidence(path, shift, signed)


def head(watcher: Watcher, id: PathId) -> object:
    """What the newest round brought of it."""
    seen = watcher.seen_instance(id)
    assert seen is not None
    return seen.head


def submit(site: Site, watcher: Watcher, terms: Gated, id: PathId, shift: Wei | None) -> None:
    """As a node does it, until it is mined and seen."""
    app, tag = GATE.app(site.deployment), b"opened" if shift is None else b"fixed"
    sent = SubmitEvidence(app, id, evidence(site, terms, id, shift))
    watcher.port.submit(Submit(b"e" + id + tag, sent, GATE.end_time(terms)))
    watcher.poll()
    site.chain.mine()
    watcher.poll()


def test_opening_and_final_of_ours_are_brought_to_the_chain(site: Site, app: Address) -> None:
    terms, id = new_path(site)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    assert head(watcher, id) is None
    for shift, on in ((None, PathRecord(False, Wei(0))), (Wei(-40), PathRecord(True, Wei(-40)))):
        submit(site, watcher, terms, id, shift)
        assert head(watcher, id) == on
        stored = watcher.endpoint.ask(binding.record(app, id), site.chain.head.number)
        assert binding.PathReader().differs(on, stored) == ""
    assert GATE.outcome(terms, PathRecord(True, Wei(-40)), site.chain.now) == -40


def test_a_final_whose_log_is_kept_back_is_told_by_storage(site: Site, app: Address) -> None:
    """Who holds another opinion of what moves must hear of it in time."""
    terms, id = new_path(site)
    watcher = watching(site)
    watcher.port.watch(Watch(app=app, instance=id))
    watcher.poll()
    hides(watcher, lambda log: log.address == app)
    path = path_of(site.deployment, terms)
    signed = [sign(digest(site.deployment, Final(id, Wei(7))), key) for key in KEYS]
    site.act(INGRID, binding.fix_path(app, path, Wei(7), signed))
    found_at_last(site, watcher, id)
    assert head(watcher, id) == PathRecord(True, Wei(7))


def test_storage_that_contradicts_is_named() -> None:
    reader, opened = binding.PathReader(), PathRecord(False, Wei(0))
    nothing = binding._unpacked(0, bytes(32))
    fixed = binding._unpacked(1 << 254 | 7, bytes(32))
    assert reader.differs(None, nothing) == ""
    assert reader.differs(opened, nothing) == "whether anything was shown"
    assert reader.differs(opened, fixed) == "what was fixed"
    assert reader.worse(opened, fixed) == PathRecord(True, Wei(7))
    assert reader.worse(PathRecord(True, Wei(1)), fixed) == PathRecord(True, Wei(1))
    assert (reader.dangerous(nothing), reader.dangerous(fixed)) == (False, True)
