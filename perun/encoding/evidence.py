"""What `register` passes on to nanocontracts, in each one's own encoding (protocol, section 4)."""

from __future__ import annotations

from perun import checks
from perun.encoding import words
from perun.encoding.ids import deal_words, flip_words, game_words, lock_words, machine_words
from perun.types import Deal, Flip, Game, Lock, Machine, Position, Preimage, Signature, Wei


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


def flip_evidence(flip: Flip, bob: bool, secret: bytes) -> bytes:
    """`abi.encode(flip, bob, secret)` for `CoinFlip.submit`.

    Raises:
        WrongType, WrongLength: the secret is not 32 bytes.
    """
    checks.length("secret", secret, 32)
    return flip_words(flip) + words.unsigned(bob) + secret


def position_evidence(
    game: Game, position: Position, signature_alice: Signature, signature_bob: Signature
) -> bytes:
    """Form 0 for `TurnGame.submit`: a word 0, then the arguments of `submitPosition`."""
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (12 + 4 + 2)
    return (
        words.unsigned(0)
        + game_words(game)
        + words.unsigned(position.version)
        + words.unsigned(position.turn)
        + words.signed(position.shift)
        + position.position
        + words.unsigned(head_length)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


def move_evidence(game: Game, position: bytes, move: bytes, signature: Signature) -> bytes:
    """Form 1 for `TurnGame.submit`: a word 1, then the arguments of `submitMove`.

    Meant for a transaction of its own: `register` gives evidence less gas than a move may need.
    """
    tails = [words.tail(value) for value in (position, move, signature)]
    head_length = 32 * (12 + 3)
    places = [head_length + sum(map(len, tails[:count])) for count in range(3)]
    return (
        words.unsigned(1)
        + game_words(game)
        + b"".join(map(words.unsigned, places))
        + b"".join(tails)
    )


def award_evidence(deal: Deal, shift: Wei, signature: Signature) -> bytes:
    """Form 0 for `Escrow.submit`: a word 0, then the arguments of `award`.

    Raises:
        NotAnAmount, AmountOutOfRange: the shift is no difference of amounts.
    """
    checks.signed_amount("shift", shift)
    head = words.signed(shift) + words.unsigned(32 * (10 + 2))
    return words.unsigned(0) + deal_words(deal) + head + words.tail(signature)


def agreement_evidence(
    deal: Deal, shift: Wei, signature_alice: Signature, signature_bob: Signature
) -> bytes:
    """Form 1 for `Escrow.submit`: a word 1, then the arguments of `agree`.

    Raises:
        NotAnAmount, AmountOutOfRange: the shift is no difference of amounts.
    """
    checks.signed_amount("shift", shift)
    tail_alice, tail_bob = words.tail(signature_alice), words.tail(signature_bob)
    head_length = 32 * (10 + 3)
    return (
        words.unsigned(1)
        + deal_words(deal)
        + words.signed(shift)
        + words.unsigned(head_length)
        + words.unsigned(head_length + len(tail_alice))
        + tail_alice
        + tail_bob
    )


def late_evidence(deal: Deal) -> bytes:
    """Form 2 for `Escrow.submit`: a word 2, then the deal: nobody has signed anything."""
    return words.unsigned(2) + deal_words(deal)
