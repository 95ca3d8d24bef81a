"""A stream of payments of one hash each."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from perun import encoding
from perun.bindings.calls import Call
from perun.crypto.signatures import sign
from perun.types import Chain, Salt, Seconds, Stream, UnixTime, Wei

CHAIN = "HashChain"
DAY, HOUR = 86_400, 3_600
MOST_TICKS = 1_024


@row("stream", CHAIN, "submitTicks", "One signature and a hash a tick, at most 1,024 of them.")
def stream(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy(CHAIN)
    domain = encoding.hash_chain_domain(bench.chain_id, bench.addresses[CHAIN])

    def new() -> Stream:
        until = UnixTime(bench.now + DAY)
        tick = Wei(ETHER // MOST_TICKS)
        payer = bench.alice.key.address
        return Stream(payer, Wei(ETHER), tick, False, until, Seconds(HOUR), Salt(scene.draw()))

    def show(terms: Stream, ticks: int, entry: str = "submitTicks") -> Call:
        id = encoding.stream_id(domain, terms)
        values = [bytes(terms.salt)]
        for _ in range(MOST_TICKS):
            values.append(encoding.tick_hash(id, values[-1]))
        root, value = values[-1], values[-1 - ticks]
        digest = encoding.chain_digest(domain, Chain(id, Wei(0), root))
        shown = (terms, Wei(0), root, ticks, value, sign(digest, bench.alice.key))
        if entry == "submit":
            return bench.call(CHAIN, entry, encoding.ticks_evidence(*shown))
        return bench.call(CHAIN, entry, *shown)

    terms = new()
    scene.measure("first, of 1 tick", show(terms, 1), bench.bob)
    scene.measure("the same again, changes nothing", show(terms, 1), bench.bob)
    scene.measure("more, of 100 ticks", show(terms, 100), bench.bob)
    scene.measure("first, of 1,024 ticks", show(new(), MOST_TICKS), bench.bob)
    scene.measure("submit, first, of 1,024 ticks", show(new(), MOST_TICKS, "submit"), bench.bob)
    bench.later(2 * HOUR)
    asked = bench.call(CHAIN, "outcome", encoding.stream_id(domain, terms))
    scene.measure("outcome, as a transaction", asked, bench.bob)
