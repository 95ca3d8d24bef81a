"""A bet on a price."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from perun import encoding
from perun.crypto.signatures import sign
from perun.types import Bet, Price, Salt, Seconds, Signature, UnixTime, Wei

BET = "PriceBet"
DAY, HOUR = 86_400, 3_600
FEED = b"ETH in USD".ljust(32, b"\0")


@row("bet", BET, "submitPrice", "One signature, by the reporter.")
def bet(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy(BET)
    domain = encoding.price_bet_domain(bench.chain_id, bench.addresses[BET])
    at = bench.now

    def new() -> Bet:
        half, until = Wei(ETHER // 2), UnixTime(bench.now + DAY)
        line = (Wei(2_000), Wei(ETHER // 1_000), Wei(1))
        terms = (*line, half, half, until, Seconds(HOUR), Salt(scene.draw()))
        return Bet(bench.ingrid.key.address, FEED, UnixTime(at), *terms)

    def signed(price: int) -> tuple[Wei, Signature]:
        digest = encoding.price_digest(encoding.PRICE_DOMAIN, Price(FEED, UnixTime(at), Wei(price)))
        return Wei(price), sign(digest, bench.ingrid.key)

    bench.later(1)
    terms = new()
    scene.measure("first", bench.call(BET, "submitPrice", terms, *signed(2_100)), bench.bob)
    again = bench.call(BET, "submitPrice", terms, *signed(2_100))
    scene.measure("the same again, changes nothing", again, bench.bob)
    other = bench.call(BET, "submitPrice", terms, *signed(1_900))
    scene.measure("another, the bet is void", other, bench.alice)
    evidence = encoding.price_evidence(new(), *signed(2_100))
    scene.measure("submit, first", bench.call(BET, "submit", evidence), bench.bob)
    bench.later(2 * HOUR)
    asked = bench.call(BET, "outcome", encoding.bet_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, bench.bob)
