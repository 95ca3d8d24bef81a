"""A deal in escrow."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from perun import encoding
from perun.crypto.signatures import sign
from perun.types import Award, Deal, Salt, Seconds, Signature, UnixTime, Wei

ESCROW = "Escrow"
DAY, HOUR = 86_400, 3_600


@row("deal", ESCROW, "award", "One signature; an agreement has two, the late rule none.")
def deal(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy(ESCROW)
    domain = encoding.escrow_domain(bench.chain_id, bench.addresses[ESCROW])
    half = Wei(ETHER // 2)

    def new() -> Deal:
        keys = (bench.alice.key.address, bench.bob.key.address, bench.ingrid.key.address)
        until = UnixTime(bench.now + DAY)
        late, due = Wei(ETHER // 4), UnixTime(bench.now + HOUR)
        return Deal(*keys, half, half, late, due, until, Seconds(HOUR), Salt(scene.draw()))

    def signed(terms: Deal, shift: Wei) -> tuple[Signature, Signature, Signature]:
        digest = encoding.award_digest(domain, Award(encoding.deal_id(domain, terms), shift))
        alice, bob, arbiter = (bench.alice, bench.bob, bench.ingrid)
        return sign(digest, alice.key), sign(digest, bob.key), sign(digest, arbiter.key)

    terms, part, other = new(), Wei(ETHER // 8), Wei(-ETHER // 8)
    award = bench.call(ESCROW, "award", terms, part, signed(terms, part)[2])
    scene.measure("first", award, bench.bob)
    scene.measure("the same again, changes nothing", award, bench.bob)
    another = bench.call(ESCROW, "award", terms, other, signed(terms, other)[2])
    scene.measure("another, both are void", another, bench.alice)
    agree = bench.call(ESCROW, "agree", terms, part, *signed(terms, part)[:2])
    scene.measure("agree, after an award", agree, bench.bob)
    terms = new()
    agree = bench.call(ESCROW, "agree", terms, part, *signed(terms, part)[:2])
    scene.measure("agree, first", agree, bench.bob)
    terms = new()
    evidence = encoding.award_evidence(terms, part, signed(terms, part)[2])
    scene.measure("submit, first", bench.call(ESCROW, "submit", evidence), bench.bob)
    terms = new()
    bench.later(2 * HOUR)
    scene.measure("late, first", bench.call(ESCROW, "late", terms), bench.bob)
    asked = bench.call(ESCROW, "outcome", encoding.deal_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, bench.bob)
