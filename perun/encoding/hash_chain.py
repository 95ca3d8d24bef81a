"""Streams in bytes: ids, ticks, what is signed, and evidence for `HashChain.submit`."""

from __future__ import annotations

from typing import ClassVar, Final

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.encoding.domains import Domain, domain_of
from perun.encoding.typed_data import InDomain, TypedData
from perun.types import (
    Address,
    Chain,
    ChainId,
    Digest,
    InstanceId,
    Signature,
    Stream,
    StreamId,
    Wei,
)


class HashChainDomain(Domain, frozen=True, gc=False):
    """Domain of streams: Chain (EIP-712)."""

    contract_name: ClassVar[str] = "HashChain"


def hash_chain_domain(chain_id: ChainId, contract: Address) -> HashChainDomain:
    """Domain `{"Perun HashChain", "1"}` of the HashChain at `contract`."""
    return domain_of(HashChainDomain, chain_id, contract)


CHAIN_TYPE = "Chain(bytes32 stream,uint112 base,bytes32 root)"
_CHAIN = keccak(CHAIN_TYPE.encode())


def stream_id(domain: HashChainDomain, stream: Stream) -> StreamId:
    """`keccak256(abi.encode(DOMAIN_SEPARATOR, stream))`."""
    return StreamId(InstanceId(keccak(domain.separator + stream_words(stream))))


def stream_words(stream: Stream) -> bytes:
    """`abi.encode(stream)`, 7 words."""
    return (
        words.address(stream.payer)
        + words.unsigned(stream.lock)
        + words.unsigned(stream.tick)
        + words.unsigned(stream.bob_pays)
        + words.unsigned(stream.validity)
        + words.unsigned(stream.challenge)
        + stream.salt
    )


def tick_hash(stream: StreamId, value: bytes) -> bytes:
    """`keccak256(abi.encode(id, value))`: the step from one tick of a stream to the one before."""
    return keccak(stream + value)


def chain_digest(domain: HashChainDomain, chain: Chain) -> Digest:
    """What a stream's payer signs for a chain of hashes (protocol, section 4)."""
    fields = _CHAIN + chain.stream + words.unsigned(chain.base) + chain.root
    return Digest(keccak(domain.prefix + keccak(fields)))


def ticks_evidence(
    stream: Stream, base: Wei, root: bytes, ticks: int, value: bytes, signature: Signature
) -> bytes:
    """`abi.encode(stream, base, root, ticks, value, signature)` for `HashChain.submit`.

    Raises:
        NotAnAmount, AmountOutOfRange, WrongLength, OutOfRange: no chain of a stream.
    """
    checks.amount("base", base)
    checks.length("root", root, 32)
    checks.unsigned("ticks", ticks, 256)
    checks.length("value", value, 32)
    head = words.unsigned(base) + root + words.unsigned(ticks) + value
    return stream_words(stream) + head + words.unsigned(32 * (7 + 5)) + words.tail(signature)


HASH_CHAIN: Final = InDomain(HashChainDomain, (TypedData(Chain, CHAIN_TYPE, chain_digest),))
