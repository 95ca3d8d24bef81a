"""`HashChain`: a stream of payments, one hash each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from unittest.mock import ANY

import eth_abi
import pytest
from eth_hash.auto import keccak

from perun.testing.owners import Owner
from populus.exceptions import ContractReverted
from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

CHAIN = "Chain(bytes32 stream,uint112 base,bytes32 root)"
STREAM = "(address,uint112,uint112,bool,uint40,uint32,bytes32)"
WORDS = ["uint112", "bytes32", "uint256", "bytes32", "bytes"]
MOST_TICKS = 1_024
SEED = b"\x5e" * 32


class Stream(NamedTuple):
    """`IHashChain.Stream`, field by field."""

    payer: bytes
    lock: int
    tick: int
    bob_pays: bool
    validity: int
    challenge: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Tap:
    """One stream, paid by Alice, and the way its evidence is brought."""

    stage: Stage
    contract: Deployed
    terms: Stream
    direct: bool
    length: int = 50
    """Of its chains of hashes."""

    @property
    def separator(self) -> bytes:
        return plain.domain_separator("Perun HashChain", self.stage.chain_id, self.contract.address)

    @property
    def id(self) -> bytes:
        return plain.record_id(self.separator, self.terms)

    def value(self, ticks: int) -> bytes:
        """The value that hashed so often gives the root."""
        value = SEED
        for _ in range(self.length - ticks):
            value = keccak(plain.words((self.id, value)))
        return value

    def sign(self, base: int, root: bytes, by: Owner | None = None) -> bytes:
        digest = plain.typed(self.separator, CHAIN, self.id, base, root)
        return (by or self.stage.alice).sign(digest)

    def show(self, ticks: int, base: int = 0, by: Owner | None = None) -> Receipt:
        root = self.value(0)
        return self.bring(base, root, ticks, self.value(ticks), self.sign(base, root, by))

    def bring(self, *arguments: Any) -> Receipt:
        if self.direct:
            return self.contract.send(self.stage.carol, "submitTicks", self.terms, *arguments)
        body = eth_abi.encode([STREAM, *WORDS], [tuple(self.terms), *arguments])
        return self.contract.send(self.stage.carol, "submit", body)

    def outcome(self) -> Any:
        return self.contract.ask("outcome", self.id)

    def word(self) -> int:
        return int(self.contract.ask("record", self.id))

    def changed(self, **fields: Any) -> Tap:
        return replace(self, terms=self.terms._replace(**fields))


@pytest.fixture(params=["direct", "submit"])
def tap(request: pytest.FixtureRequest, stage: Stage) -> Tap:
    """Locks 100, a tick of 3, valid for a day, an hour's challenge."""
    terms = Stream(
        stage.alice.key.address, 100, 3, False, stage.now + 24 * HOUR, HOUR, new_salt()
    )  # fmt: skip
    return Tap(stage, stage.deploy("HashChain"), terms, request.param == "direct")


def word_of(total: int, deadline: int, bob_pays: bool = False) -> int:
    return bob_pays << 145 | deadline << 111 | total


@pytest.mark.parametrize("bob_pays", [False, True])
@pytest.mark.parametrize(("ticks", "total"), [(1, 3), (7, 21), (33, 99), (34, 100), (50, 100)])
def test_so_many_ticks_move_and_never_more_than_the_lock(
    tap: Tap, bob_pays: bool, ticks: int, total: int
) -> None:
    tap = tap.changed(bob_pays=bob_pays)
    receipt = tap.show(ticks)
    deadline = receipt.timestamp + HOUR
    assert receipt.events == (
        ("TicksSubmitted", {"id": tap.id, "total": total, "deadline": deadline}),
    )
    assert tap.word() == word_of(total, deadline, bob_pays)
    tap.stage.wait_until(deadline)
    assert tap.outcome() == (False, 0)
    tap.stage.wait_until(deadline + 1)
    assert tap.outcome() == (True, -total if bob_pays else total)


def test_low_total_by_the_payer_is_answered_by_the_newest(tap: Tap) -> None:
    """Else the payer would freeze the stream at its first tick."""
    deadline = tap.show(1).timestamp + HOUR
    tap.stage.at(deadline)
    assert tap.show(20).only("TicksSubmitted")["total"] == 60
    assert tap.word() == word_of(60, deadline)
    tap.stage.wait_until(deadline + 1)
    assert tap.outcome() == (True, 60)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("ticks", [5, 4, 0])
def test_no_more_changes_nothing_and_never_extends(tap: Tap, ticks: int, late: bool) -> None:
    deadline = tap.show(5).timestamp + HOUR
    if late:
        tap.stage.at(deadline + 1)
    assert tap.show(ticks).events == ()
    assert tap.word() == word_of(15, deadline)


def test_nothing_paid_begins_nothing(tap: Tap) -> None:
    assert tap.show(0).events == ()
    assert tap.word() == 0


def test_higher_base_counts_and_totals_are_never_added(tap: Tap) -> None:
    """The next chain's base is the total so far; a lower one pays nothing again."""
    deadline = tap.show(10).timestamp + HOUR
    assert tap.show(9, base=2).events == ()
    tap.show(0, base=31)
    assert tap.word() == word_of(31, deadline)
    tap.show(2, base=90)
    assert tap.word() == word_of(96, deadline)
    tap.show(0, base=MOST)
    assert tap.word() == word_of(100, deadline)


def test_longest_chain_counts_whole(tap: Tap) -> None:
    long = replace(tap.changed(lock=5_000), length=MOST_TICKS)
    assert long.show(MOST_TICKS).only("TicksSubmitted")["total"] == 3 * MOST_TICKS


@pytest.mark.parametrize("ticks", [MOST_TICKS + 1, 2**255, 2**256 - 1])
def test_longer_chains_are_refused_unhashed(tap: Tap, ticks: int) -> None:
    root = tap.value(0)
    with reverts("TooManyTicks", ticks):
        tap.bring(0, root, ticks, SEED, tap.sign(0, root))


def test_greatest_amounts_do_not_overflow(tap: Tap) -> None:
    great = replace(tap.changed(lock=MOST, tick=2**112 - 1), length=MOST_TICKS)
    great.show(MOST_TICKS, base=2**112 - 1)
    assert great.word() & MOST == MOST


@pytest.mark.parametrize("claimed", [4, 6, 0])
def test_value_pays_for_no_other_number_of_ticks(tap: Tap, claimed: int) -> None:
    root, value = tap.value(0), tap.value(5)
    hashed = value
    for _ in range(claimed):
        hashed = keccak(plain.words((tap.id, hashed)))
    with reverts("WrongRoot", root, hashed):
        tap.bring(1, root, claimed, value, tap.sign(1, root))


def test_ticks_of_one_stream_pay_in_no_other(tap: Tap) -> None:
    other = tap.changed(salt=new_salt())
    root = tap.value(0)
    with reverts("WrongSigner", tap.terms.payer, ANY):  # signed for the other one
        tap.bring(1, root, 0, root, other.sign(1, root))
    with reverts("WrongRoot", root, ANY):  # one hash of the other's chain
        tap.bring(0, root, 1, other.value(1), tap.sign(0, root))


def test_nobody_but_the_payer_signs(tap: Tap) -> None:
    for wrong in (tap.stage.bob, tap.stage.carol):
        with reverts("WrongSigner", tap.terms.payer, wrong.key.address):
            tap.show(1, by=wrong)


def test_stream_of_nobody_pays_nothing(tap: Tap) -> None:
    nobody, root = tap.changed(payer=bytes(20)), tap.value(0)
    with reverts("WrongSigner", bytes(20), bytes(20)):
        nobody.bring(1, root, 0, root, b"")


def test_signed_root_counts_with_its_own_base_only(tap: Tap) -> None:
    root = tap.value(0)
    signature = tap.sign(1, root)
    with reverts("WrongSigner", tap.terms.payer, ANY):
        tap.bring(2, root, 0, root, signature)


def test_first_evidence_counts_until_validity(tap: Tap) -> None:
    validity = tap.terms.validity
    tap.stage.at(validity + 1)
    with reverts("TooLate", validity, validity + 1):
        tap.show(1)
    assert tap.outcome() == (False, 0)


def test_evidence_in_the_last_second_is_done_one_after_the_final_time(tap: Tap) -> None:
    tap.stage.at(tap.terms.validity)
    tap.show(2)
    final = tap.terms.validity + HOUR
    tap.stage.wait_until(final)
    assert tap.outcome() == (False, 0)
    tap.stage.wait_until(final + 1)
    assert tap.outcome() == (True, 6)


def test_outcome_never_changes_after_done(tap: Tap) -> None:
    deadline = tap.show(3).timestamp + HOUR
    for wait, ticks in enumerate((50, 4, 3, 0), start=1):
        tap.stage.at(deadline + wait)
        try:
            assert tap.show(ticks).events == ()  # old news is silent
        except ContractReverted as refused:
            assert refused.name == "TooLate"  # noqa: PT017
        assert tap.outcome() == (True, 9)


def test_terms_that_do_not_fit_are_never_done(tap: Tap) -> None:
    for fields, error in (
        ({"lock": MOST + 1}, "AmountTooLarge"),
        ({"validity": 2**34 - HOUR}, "FinalTimeTooFar"),
    ):
        broken = tap.changed(**fields)
        with reverts(error, ANY):
            broken.show(1)
        assert broken.word() == 0
    latest = tap.changed(validity=2**34 - 1 - HOUR)
    latest.show(1)
    assert latest.word() != 0


def test_stream_of_free_ticks_moves_only_what_is_signed(tap: Tap) -> None:
    free = tap.changed(tick=0)
    assert free.show(50).events == ()
    free.show(50, base=4)
    assert free.word() & MOST == 4


def test_gas_does_not_differ_by_caller(tap: Tap) -> None:
    stage, root = tap.stage, tap.value(0)
    shown = (0, root, 9, tap.value(9), tap.sign(0, root))
    senders = (stage.alice, stage.bob, stage.carol)
    assert len(tap.contract.estimates(senders, "submitTicks", tap.terms, *shown)) == 1


def test_longest_evidence_rides_on_a_register(tap: Tap) -> None:
    """A register gives each piece of evidence 300,000 gas at least (section 3)."""
    long = replace(tap.changed(lock=5_000), length=MOST_TICKS)
    receipt = long.show(MOST_TICKS)
    assert receipt.gas_used < 300_000


def test_id_is_the_hash_of_domain_and_terms(tap: Tap) -> None:
    assert tap.contract.ask("streamId", tap.terms) == tap.id
    assert tap.contract.ask("DOMAIN_SEPARATOR") == tap.separator
    assert tap.contract.ask("MOST_TICKS") == MOST_TICKS


@pytest.mark.parametrize("evidence", [b"", plain.word(0), plain.word(1) + bytes(9), bytes(32 * 11)])
def test_garbage_is_refused(tap: Tap, evidence: bytes) -> None:
    with reverts_without_data():
        tap.contract.send(tap.stage.carol, "submit", evidence)
