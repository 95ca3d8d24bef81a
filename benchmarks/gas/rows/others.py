"""The hash time lock, and signatures checked by the deployed library."""

from __future__ import annotations

from benchmarks.gas.rows.registry import row
from benchmarks.gas.scene import Scene, shortened
from benchmarks.gas.world import ETHER
from perun import encoding
from perun.crypto import keccak
from perun.crypto.signatures import sign
from perun.types import Digest, Lock, Preimage, Salt, UnixTime, Wei

LOCKS = "HashTimeLock"
SIGNATURES = "LibSignatures"


@row("reveal", LOCKS, "reveal", "A lock of 0.5.")
def reveal(scene: Scene) -> None:
    world = scene.world

    def lock() -> tuple[Lock, Preimage]:
        preimage = Preimage(scene.draw())
        until = UnixTime(world.now + 50_000)
        return Lock(Wei(ETHER // 2), False, keccak(preimage), until, Salt(scene.draw())), preimage

    call = world.call("HashTimeLock", "reveal", *lock())
    scene.measure("first", call, world.bob)
    scene.measure("again, changes nothing", call, world.alice)
    evidence = encoding.reveal_evidence(*lock())
    scene.measure("submit", world.call("HashTimeLock", "submit", evidence), world.bob)


@row(
    "signatures", SIGNATURES, "verify, recover", "Sent as transactions: 21,000 and calldata in it."
)
def signatures(scene: Scene) -> None:
    world, key = scene.world, scene.world.alice.key
    digest = Digest(scene.draw())
    signature = sign(digest, key)
    for label, signed in (("65 bytes", signature), ("64 bytes", shortened(signature))):
        call = world.call("LibSignatures", "verify", key.address, digest, signed)
        scene.measure(f"verify, {label}", call, world.bob)
    call = world.call("LibSignatures", "recover", digest, signature)
    scene.measure("recover, 65 bytes", call, world.bob)
