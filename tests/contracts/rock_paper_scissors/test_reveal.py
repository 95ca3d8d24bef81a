"""`RockPaperScissors`: two hands decide; who stays silent pays its whole lock."""

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

HANDS_TYPE = "(uint112,uint112,bytes32,bytes32,uint40,uint32,bytes32)"


ROCK, PAPER, SCISSORS = 0, 1, 2


def secret(last: int) -> bytes:
    """A secret with this last byte: modulo 3 it is the hand."""
    return keccak(bytes([last]))[:31] + bytes([last])


def commitment(bob: bool, value: bytes) -> bytes:
    return keccak(plain.words((bob, value)))


class Hands(NamedTuple):
    """`IRockPaperScissors.Hands`, field by field."""

    alice_lock: int
    bob_lock: int
    alice_commit: bytes
    bob_commit: bytes
    validity: int
    window: int
    salt: bytes


def new_hands(stage: Stage, alice: int = SCISSORS, bob: int = PAPER, **fields: Any) -> Hands:
    """Locks 10 and 20; Alice wins, or the hands given."""
    hands = Hands(
        10, 20, commitment(False, secret(alice)), commitment(True, secret(bob)),
        stage.now + 24 * HOUR, HOUR, new_salt(),
    )  # fmt: skip
    return hands._replace(**fields)


@pytest.fixture
def contract(stage: Stage) -> Deployed:
    return stage.deploy("RockPaperScissors")


Reveal = Callable[[Hands, bool, bytes], Receipt]


@pytest.fixture(params=["reveal", "submit"])
def reveal(request: pytest.FixtureRequest, stage: Stage, contract: Deployed) -> Reveal:
    """Both ways in, by anybody."""

    def by_reveal(hands: Hands, bob: bool, value: bytes) -> Receipt:
        return contract.send(stage.carol, "reveal", hands, bob, value)

    def by_submit(hands: Hands, bob: bool, value: bytes) -> Receipt:
        evidence = eth_abi.encode([HANDS_TYPE, "bool", "bytes32"], [tuple(hands), bob, value])
        return contract.send(stage.carol, "submit", evidence)

    return by_reveal if request.param == "reveal" else by_submit


def identity(stage: Stage, contract: Deployed, hands: Hands) -> bytes:
    separator = plain.domain_separator("Perun RockPaperScissors", stage.chain_id, contract.address)
    return plain.record_id(separator, hands)


@pytest.mark.parametrize("bob_first", [False, True])
@pytest.mark.parametrize(
    ("alice", "bob", "shift"),
    [
        *((hand, hand, 0) for hand in (ROCK, PAPER, SCISSORS)),
        *((ROCK, SCISSORS, -20), (SCISSORS, PAPER, -20), (PAPER, ROCK, -20)),
        *((SCISSORS, ROCK, 10), (PAPER, SCISSORS, 10), (ROCK, PAPER, 10)),
        (255, 254, -20),  # every byte is a hand: these are rock and scissors
        (254, 255, 10),
        (3, 252, 0),
    ],
)
def test_hands_decide_at_once(
    stage: Stage, contract: Deployed, reveal: Reveal,
    bob_first: bool, alice: int, bob: int, shift: int,
) -> None:  # fmt: skip
    hands = new_hands(stage, alice, bob)
    id = identity(stage, contract, hands)
    shares = {False: secret(alice), True: secret(bob)}
    first = reveal(hands, bob_first, shares[bob_first])
    deadline = first.timestamp + HOUR
    assert first.events == (
        ("Revealed", {
            "id": id, "bob": bob_first, "secret": shares[bob_first], "deadline": deadline,
        }),
    )  # fmt: skip
    assert contract.ask("outcome", id) == (False, 0)
    stage.at(deadline)
    second = reveal(hands, not bob_first, shares[not bob_first])
    assert second.only("Revealed")["deadline"] == deadline
    assert contract.ask("outcome", id) == (True, shift)
    assert contract.ask("record", id) == 1 << 255 | shift % 2**112


@pytest.mark.parametrize(("bob_first", "shift"), [(False, -20), (True, 10)])
def test_silent_side_pays_its_whole_lock(
    stage: Stage, contract: Deployed, reveal: Reveal, bob_first: bool, shift: int
) -> None:
    hands = new_hands(stage)
    shares = {False: secret(SCISSORS), True: secret(PAPER)}
    deadline = reveal(hands, bob_first, shares[bob_first]).timestamp + HOUR
    id = identity(stage, contract, hands)
    stage.wait_until(deadline)
    assert contract.ask("outcome", id) == (False, 0)
    stage.at(deadline + 1)
    with reverts("TooLate", deadline, deadline + 1):
        reveal(hands, not bob_first, shares[not bob_first])
    assert contract.ask("outcome", id) == (True, shift)


def test_nobody_reveals_nothing_moves(stage: Stage, contract: Deployed, reveal: Reveal) -> None:
    hands = new_hands(stage)
    stage.at(hands.validity + 1)
    with reverts("TooLate", hands.validity, hands.validity + 1):
        reveal(hands, False, secret(SCISSORS))
    assert contract.ask("outcome", identity(stage, contract, hands)) == (False, 0)


def test_first_secret_comes_until_validity(
    stage: Stage, contract: Deployed, reveal: Reveal
) -> None:
    hands = new_hands(stage)
    stage.at(hands.validity)
    reveal(hands, False, secret(SCISSORS))
    assert contract.ask("record", identity(stage, contract, hands)) != 0


@pytest.mark.parametrize("both", [False, True])
def test_revealing_again_changes_nothing_however_late(
    stage: Stage, contract: Deployed, reveal: Reveal, both: bool
) -> None:
    hands = new_hands(stage)
    reveal(hands, False, secret(SCISSORS))
    if both:
        reveal(hands, True, secret(PAPER))
    before = contract.ask("record", identity(stage, contract, hands))
    stage.at(hands.validity + 10 * HOUR)
    assert reveal(hands, False, bytes(32)).events == ()
    assert contract.ask("record", identity(stage, contract, hands)) == before


def test_wrong_secret_is_refused(stage: Stage, reveal: Reveal) -> None:
    hands = new_hands(stage)
    with reverts("WrongSecret", hands.alice_commit, commitment(False, bytes(32))):
        reveal(hands, False, bytes(32))


def test_copied_commitment_cannot_be_opened(stage: Stage, reveal: Reveal) -> None:
    """Bob commits to what Alice did, hoping to reveal her secret as his: a draw for certain."""
    alices = commitment(False, secret(7))
    hands = new_hands(stage, alice_commit=alices, bob_commit=alices)
    reveal(hands, False, secret(7))
    with reverts("WrongSecret", alices, commitment(True, secret(7))):
        reveal(hands, True, secret(7))


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
        reveal(new_hands(stage, **fields), False, secret(SCISSORS))


@pytest.mark.parametrize("bob_loses", [False, True])
def test_greatest_locks_fit(stage: Stage, contract: Deployed, bob_loses: bool) -> None:
    alice, bobs = (ROCK, SCISSORS) if bob_loses else (ROCK, PAPER)
    hands = new_hands(stage, alice, bobs, alice_lock=MOST, bob_lock=MOST)
    for bob in (False, True):
        contract.send(stage.carol, "reveal", hands, bob, secret(bobs if bob else alice))
    shift = -MOST if bob_loses else MOST
    assert contract.ask("outcome", identity(stage, contract, hands)) == (True, shift)


def test_outcome_answers_within_a_tenth_of_its_allowance(stage: Stage, contract: Deployed) -> None:
    hands = new_hands(stage)
    deadline = contract.send(stage.carol, "reveal", hands, False, secret(SCISSORS)).timestamp + HOUR
    stage.wait_until(deadline + 1)
    gas = 21_000 + 36 * 16 + 12_000
    assert contract.ask("outcome", identity(stage, contract, hands), gas=gas) == (True, -20)


@pytest.mark.parametrize("length", [0, 31, 256, 287])
def test_evidence_that_is_too_short_is_refused(
    stage: Stage, contract: Deployed, length: int
) -> None:
    hands = tuple(new_hands(stage))
    evidence = eth_abi.encode([HANDS_TYPE, "bool", "bytes32"], [hands, False, secret(SCISSORS)])
    with reverts_without_data():
        contract.send(stage.carol, "submit", evidence[:length])


def test_domain_and_id_are_plain_hashes(stage: Stage, contract: Deployed) -> None:
    expected = plain.domain_separator("Perun RockPaperScissors", stage.chain_id, contract.address)
    hands = new_hands(stage)
    assert contract.ask("DOMAIN_SEPARATOR") == expected
    assert contract.ask("handsId", hands) == identity(stage, contract, hands)
