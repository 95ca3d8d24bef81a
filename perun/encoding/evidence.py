"""What `register` passes on to nanocontracts, in each one's own encoding (protocol, section 4)."""

from __future__ import annotations

from perun import checks
from perun.encoding import words
from perun.encoding.ids import lock_words, machine_words
from perun.types import Lock, Machine, Preimage, Signature, Wei


def statements_evidence(
    machine: Machine,
    paid_by_alice: Wei,
    signature_alice: Signature,
    paid_by_bob: Wei,
    signature_bob: Signature,
) -> bytes:
    """`abi.encode(machine, paidByAlice, signatureAlice, paidByBob, signatureBob)` for `VPM.submit`.

    A side that has nothing to show has total 0 and an empty signature.

    Raises:
        NotAnAmount, AmountOutOfRange: a total is no amount.
    """
    checks.amount("paid_by_alice", paid_by_alice)
    checks.amount("paid_by_bob", paid_by_bob)
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (7 + 4)
    return (
        machine_words(machine)
        + words.unsigned(paid_by_alice)
        + words.unsigned(head_length)
        + words.unsigned(paid_by_bob)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


def reveal_evidence(lock: Lock, preimage: Preimage) -> bytes:
    """`abi.encode(lock, preimage)` for `HashTimeLock.submit`.

    Raises:
        WrongType, WrongLength: the preimage is not 32 bytes.
    """
    checks.length("preimage", preimage, 32)
    return lock_words(lock) + preimage
