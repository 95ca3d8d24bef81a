"""A path over several hubs: an instance that counts once every party has signed."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene
from perun import encoding
from perun.crypto.signatures import sign
from perun.types import (
    Chain,
    Final,
    InstanceId,
    Opening,
    Path,
    Salt,
    Seconds,
    Signature,
    Stream,
    UnixTime,
    Wei,
)

GATE, CHAIN = "Gate", "HashChain"
DAY, HOUR = 86_400, 3_600


@row("path", GATE, "open", "A signature by each party: both ends and the hubs.")
def path(scene: Scene) -> None:
    bench = scene.bench
    bench.deploy(GATE)
    bench.deploy(CHAIN)
    domain = encoding.gate_domain(bench.chain_id, bench.addresses[GATE])
    streams = encoding.hash_chain_domain(bench.chain_id, bench.addresses[CHAIN])
    payer = bench.alice.key.address
    until = UnixTime(bench.now + DAY)
    lock = (Wei(ETHER), Wei(ETHER // 1_000))
    stream = Stream(payer, *lock, False, until, Seconds(HOUR), Salt(scene.draw()))
    instance = encoding.stream_id(streams, stream)
    keys = [bench.secret(f"party {number}") for number in range(8)]

    def new(parties: int) -> Path:
        end = UnixTime(until + HOUR)
        addresses = tuple(key.address for key in keys[:parties])
        app = bench.addresses[CHAIN]
        return Path(app, InstanceId(instance), addresses, end, Salt(scene.draw()))

    def opening(terms: Path) -> tuple[Path, list[Signature]]:
        digest = encoding.opening_digest(domain, Opening(encoding.path_id(domain, terms)))
        return terms, [sign(digest, key) for key in keys[: len(terms.parties)]]

    def final(terms: Path) -> tuple[Path, Wei, list[Signature]]:
        shift = Wei(ETHER // 2)
        digest = encoding.final_digest(domain, Final(encoding.path_id(domain, terms), shift))
        return terms, shift, [sign(digest, key) for key in keys[: len(terms.parties)]]

    short, long, fixed = new(4), new(8), new(4)
    scene.measure("4 parties", bench.call(GATE, "open", *opening(short)), bench.bob)
    scene.measure("8 parties", bench.call(GATE, "open", *opening(long)), bench.bob)
    again = bench.call(GATE, "open", *opening(short))
    scene.measure("the same again, changes nothing", again, bench.bob)
    evidence = encoding.open_evidence(*opening(new(8)))
    scene.measure("submit, 8 parties", bench.call(GATE, "submit", evidence), bench.bob)
    scene.measure("fix, 4 parties", bench.call(GATE, "fix", *final(fixed)), bench.bob)
    scene.measure("fix, 8 parties, once open", bench.call(GATE, "fix", *final(long)), bench.bob)
    value = encoding.tick_hash(instance, Salt(scene.draw()))
    root = encoding.tick_hash(instance, value)
    digest = encoding.chain_digest(streams, Chain(instance, Wei(0), root))
    shown = (stream, Wei(0), root, 1, value, sign(digest, bench.alice.key))
    bench.call(CHAIN, "submitTicks", *shown)(bench.bob)
    bench.later(DAY + 2 * HOUR)
    asked = bench.call(GATE, "outcome", encoding.path_id(domain, short))
    scene.measure("outcome through a stream, as a transaction", asked, bench.bob)
    asked = bench.call(GATE, "outcome", encoding.path_id(domain, fixed))
    scene.measure("outcome, fixed, as a transaction", asked, bench.bob)
