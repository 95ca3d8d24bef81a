"""What both parties have agreed to: whose word counts, and which states can be agreed to at all."""

from __future__ import annotations

from collections.abc import Sequence

from perun.crypto import recover
from perun.encoding import MSContractDomain, state_digest
from perun.spec.custody import Funds, Key
from perun.spec.nanos import check_order
from perun.spec.reverts import AmountTooLarge, Insolvent, VersionZeroNotEmpty, WrongSigner
from perun.types import (
    MAX_AMOUNT,
    ZERO_ADDRESS,
    Address,
    Channel,
    Digest,
    Nano,
    Signature,
    State,
    Version,
    Wei,
)

__all__ = ["both_agree", "check_state", "free_money", "signed"]


def signed(signer: Address, digest: Digest, signature: Signature) -> None:
    """`signer` must be a plain key: what a contract says of a signature (ERC-1271) never counts."""
    recovered = recover(digest, signature) or ZERO_ADDRESS
    if recovered != signer or recovered == ZERO_ADDRESS:
        raise WrongSigner(signer, recovered)


def both_agree(
    channel: Channel,
    caller: Address,
    digest: Digest,
    by_alice: Signature,
    by_bob: Signature,
) -> None:
    """Each party signed with its key, or sends the transaction from its account or key."""
    if by_alice or caller not in (channel.alice, channel.alice_key):
        signed(channel.alice_key, digest, by_alice)
    if by_bob or caller not in (channel.bob, channel.bob_key):
        signed(channel.bob_key, digest, by_bob)


def check_state(
    domain: MSContractDomain,
    key: Key,
    funds: Funds,
    channel: Channel,
    caller: Address,
    version: Version,
    net: Wei,
    nanos: tuple[Nano, ...],
    signature_alice: Signature,
    signature_bob: Signature,
) -> None:
    """Both agreed to it, or it is the start; its list is in order; it can be paid."""
    if version == 0:
        if net != 0 or nanos:
            raise VersionZeroNotEmpty(net, len(nanos))
    else:
        digest = state_digest(domain, State(key[1], version, net, nanos))
        both_agree(channel, caller, digest, signature_alice, signature_bob)
    check_order(nanos)
    for locks in ([n.alice_lock for n in nanos], [n.bob_lock for n in nanos]):
        if sum(locks) > MAX_AMOUNT:  # what stays locked becomes the holdings
            raise AmountTooLarge(0, sum(locks))
    free_money(key, funds, net, nanos)


def free_money(key: Key, funds: Funds, net: Wei, nanos: Sequence[Nano]) -> tuple[int, int]:
    """What no nano locks: Alice's and Bob's. A state is solvent when neither is negative."""
    alice = funds.alice - net - sum(nano.alice_lock for nano in nanos)
    bob = funds.bob + net - sum(nano.bob_lock for nano in nanos)
    if alice < 0 or bob < 0:
        raise Insolvent(key[1], alice, bob)
    return alice, bob
