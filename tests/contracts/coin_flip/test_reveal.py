"""`CoinFlip`: two secrets decide; who stays silent pays its whole lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import eth_abi
import pytest
from eth_hash.auto import keccak

from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

FLIP_TYPE = "(uint112,uint112,bytes32,bytes32,uint16,uint40,uint32,bytes32)"


def secret(share: int) -> bytes:
    """A secret whose last 16 bits are `share`."""
    return keccak(share.to_bytes(2, "big"))[:30] + share.to_bytes(2, "big")


def commitment(bob: bool, value: bytes) -> bytes:
    return keccak(plain.words((bob, value)))


class Flip(NamedTuple):
    """`ICoinFlip.Flip`, field by field."""

    alice_lock: int
    bob_lock: int
    alice_commit: bytes
    bob_commit: bytes
    odds: int
    validity: int
    window: int
    salt: bytes


def new_flip(stage: Stage, alice: int = 40_000, bob: int = 1_000, **fields: Any) -> Flip:
    """Locks 10 and 20, an even coin; the two shares given."""
    flip = Flip(
        10, 20, commitment(False, secret(alice)), commitment(True, secret(bob)), 2**15,
        stage.now + 24 * HOUR, HOUR, new_salt(),
    )  # fmt: skip
    return flip._replace(**fields)


@pytest.fixture
def coin(stage: Stage) -> Deployed:
    return stage.deploy("CoinFlip")


Reveal = Callable[[Flip, bool, bytes], Receipt]


@pytest.fixture(params=["reveal", "submit"])
def reveal(request: pytest.FixtureRequest, stage: Stage, coin: Deployed) -> Reveal:
    """Both ways in, by anybody."""

    def by_reveal(flip: Flip, bob: bool, value: bytes) -> Receipt:
        return coin.send(stage.carol, "reveal", flip, bob, value)

    def by_submit(flip: Flip, bob: bool, value: bytes) -> Receipt:
        evidence = eth_abi.encode([FLIP_TYPE, "bool", "bytes32"], [tuple(flip), bob, value])
        return coin.send(stage.carol, "submit", evidence)

    return by_reveal if request.param == "reveal" else by_submit


def identity(stage: Stage, coin: Deployed, flip: Flip) -> bytes:
    separator = plain.domain_separator("Perun CoinFlip", stage.chain_id, coin.address)
    return plain.record_id(separator, flip)


@pytest.mark.parametrize("bob_first", [False, True])
@pytest.mark.parametrize(
    ("alice", "bob", "odds", "shift"),
    [
        (40_000, 1_000, 2**15, -20),
        (0, 0, 1, 10),
        (0, 0, 0, -20),
        (1, 0, 1, -20),
        (65_535, 1, 1, 10),  # the sum wraps to 0
        (65_535, 65_535, 65_535, 10),  # to 65,534
        (65_535, 0, 65_535, -20),
    ],
)
def test_sum_of_both_shares_decides_at_once(
    stage: Stage, coin: Deployed, reveal: Reveal,
    bob_first: bool, alice: int, bob: int, odds: int, shift: int,
) -> None:  # fmt: skip
    flip = new_flip(stage, alice, bob, odds=odds)
    id = identity(stage, coin, flip)
    shares = {False: secret(alice), True: secret(bob)}
    first = reveal(flip, bob_first, shares[bob_first])
    deadline = first.timestamp + HOUR
    assert first.events == (
        ("Revealed", {
            "id": id, "bob": bob_first, "secret": shares[bob_first], "deadline": deadline,
        }),
    )  # fmt: skip
    assert coin.ask("outcome", id) == (False, 0)
    stage.at(deadline)
    second = reveal(flip, not bob_first, shares[not bob_first])
    assert second.only("Revealed")["deadline"] == deadline
    assert coin.ask("outcome", id) == (True, shift)
    assert coin.ask("record", id) == 1 << 255 | shift % 2**112


@pytest.mark.parametrize(("bob_first", "shift"), [(False, -20), (True, 10)])
def test_silent_side_pays_its_whole_lock(
    stage: Stage, coin: Deployed, reveal: Reveal, bob_first: bool, shift: int
) -> None:
    flip = new_flip(stage)
    shares = {False: secret(40_000), True: secret(1_000)}
    deadline = reveal(flip, bob_first, shares[bob_first]).timestamp + HOUR
    id = identity(stage, coin, flip)
    stage.wait_until(deadline)
    assert coin.ask("outcome", id) == (False, 0)
    stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        reveal(flip, not bob_first, shares[not bob_first])
    assert coin.ask("outcome", id) == (True, shift)


def test_nobody_reveals_nothing_moves(stage: Stage, coin: Deployed, reveal: Reveal) -> None:
    flip = new_flip(stage)
    stage.at(flip.validity + 1)
    with reverts("TooLate", flip.validity, flip.validity + 1):
        reveal(flip, False, secret(40_000))
    assert coin.ask("outcome", identity(stage, coin, flip)) == (False, 0)


def test_first_secret_comes_until_validity(stage: Stage, coin: Deployed, reveal: Reveal) -> None:
    flip = new_flip(stage)
    stage.at(flip.validity)
    reveal(flip, False, secret(40_000))
    assert coin.ask("record", identity(stage, coin, flip)) != 0


@pytest.mark.parametrize("both", [False, True])
def test_revealing_again_changes_nothing_however_late(
    stage: Stage, coin: Deployed, reveal: Reveal, both: bool
) -> None:
    flip = new_flip(stage)
    reveal(flip, False, secret(40_000))
    if both:
        reveal(flip, True, secret(1_000))
    before = coin.ask("record", identity(stage, coin, flip))
    stage.at(flip.validity + 10 * HOUR)
    assert reveal(flip, False, bytes(32)).events == ()
    assert coin.ask("record", identity(stage, coin, flip)) == before


def test_wrong_secret_is_refused(stage: Stage, reveal: Reveal) -> None:
    flip = new_flip(stage)
    with reverts("WrongSecret", flip.alice_commit, commitment(False, bytes(32))):
        reveal(flip, False, bytes(32))


def test_copied_commitment_cannot_be_opened(stage: Stage, reveal: Reveal) -> None:
    """Bob commits to what Alice did, hoping to reveal her secret as his: the sum would be even."""
    alices = commitment(False, secret(7))
    flip = new_flip(stage, alice_commit=alices, bob_commit=alices)
    reveal(flip, False, secret(7))
    with reverts("WrongSecret", alices, commitment(True, secret(7))):
        reveal(flip, True, secret(7))


@pytest.mark.parametrize(
    ("fields", "error", "values"),
    [
        ({"alice_lock": 2**111}, "AmountTooLarge", (2**111,)),
        ({"bob_lock": 2**112 - 1}, "AmountTooLarge", (2**112 - 1,)),
        ({"validity": 2**34 - HOUR}, "FinalTimeTooFar", (2**34,)),
    ],
)
def test_terms_that_the_word_cannot_hold_are_refused(
    stage: Stage, reveal: Reveal, fields: dict[str, Any], error: str, values: tuple[int, ...]
) -> None:
    with reverts(error, *values):
        reveal(new_flip(stage, **fields), False, secret(40_000))


@pytest.mark.parametrize("bob_loses", [False, True])
def test_greatest_locks_fit(stage: Stage, coin: Deployed, bob_loses: bool) -> None:
    flip = new_flip(stage, 0, 0, odds=0 if bob_loses else 1, alice_lock=MOST, bob_lock=MOST)
    for bob in (False, True):
        coin.send(stage.carol, "reveal", flip, bob, secret(0))
    shift = -MOST if bob_loses else MOST
    assert coin.ask("outcome", identity(stage, coin, flip)) == (True, shift)


def test_outcome_answers_within_a_tenth_of_its_allowance(stage: Stage, coin: Deployed) -> None:
    flip = new_flip(stage)
    deadline = coin.send(stage.carol, "reveal", flip, False, secret(40_000)).timestamp + HOUR
    stage.wait_until(deadline + 1)
    gas = 21_000 + 36 * 16 + 12_000
    assert coin.ask("outcome", identity(stage, coin, flip), gas=gas) == (True, -20)


@pytest.mark.parametrize("length", [0, 31, 288, 319])
def test_evidence_that_is_too_short_is_refused(stage: Stage, coin: Deployed, length: int) -> None:
    flip = tuple(new_flip(stage))
    evidence = eth_abi.encode([FLIP_TYPE, "bool", "bytes32"], [flip, False, secret(40_000)])
    with reverts_without_data():
        coin.send(stage.carol, "submit", evidence[:length])


def test_domain_and_id_are_plain_hashes(stage: Stage, coin: Deployed) -> None:
    expected = plain.domain_separator("Perun CoinFlip", stage.chain_id, coin.address)
    flip = new_flip(stage)
    assert coin.ask("DOMAIN_SEPARATOR") == expected
    assert coin.ask("flipId", flip) == identity(stage, coin, flip)
