"""The hash time lock, and signatures checked by the deployed library."""

from __future__ import annotations

from benchmarks.gas.bench import ETHER
from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene, shortened
from perun import encoding
from perun.crypto import keccak
from perun.crypto.signatures import sign
from perun.types import Digest, Lock, Preimage, Salt, UnixTime, Wei

LOCKS = "HashTimeLock"
SIGNATURES = "LibSignatures"


@row("reveal", LOCKS, "reveal", "A lock of 0.5.")
def reveal(scene: Scene) -> None:
    bench = scene.bench

    def lock() -> tuple[Lock, Preimage]:
        preimage = Preimage(scene.draw())
        until = UnixTime(bench.now + 50_000)
        return Lock(Wei(ETHER // 2), False, keccak(preimage), until, Salt(scene.draw())), preimage

    call = bench.call("HashTimeLock", "reveal", *lock())
    scene.measure("first", call, bench.bob)
    scene.measure("again, changes nothing", call, bench.alice)
    evidence = encoding.reveal_evidence(*lock())
    scene.measure("submit", bench.call("HashTimeLock", "submit", evidence), bench.bob)


@row(
    "signatures", SIGNATURES, "verify, recover", "Sent as transactions: 21,000 and calldata in it."
)
def signatures(scene: Scene) -> None:
    bench, key = scene.bench, scene.bench.alice.key
    digest = Digest(scene.draw())
    signature = sign(digest, key)
    for label, signed in (("65 bytes", signature), ("64 bytes", shortened(signature))):
        call = bench.call("LibSignatures", "verify", key.address, digest, signed)
        scene.measure(f"verify, {label}", call, bench.bob)
    call = bench.call("LibSignatures", "recover", digest, signature)
    scene.measure("recover, 65 bytes", call, bench.bob)
