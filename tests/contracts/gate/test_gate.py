"""`Gate`: an instance counts once every party of a path has signed; attacks by whoever may try."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from unittest.mock import ANY

import eth_abi
import pytest
from eth_hash.auto import keccak

from perun.testing.owners import Owner
from populus.exceptions import ContractReverted
from tests.contracts.coin_flip.test_reveal import new_flip, secret
from tests.contracts.turn_game.table import ALICE, EMPTY, WHOLE, new_table
from tests.support import plain
from tests.support.contracts import Deployed, Receipt
from tests.support.instances import new_salt
from tests.support.reverts import reverts, reverts_without_data
from tests.support.stage import HOUR, MOST, Stage

PATH = "(address,bytes32,address[],uint40,bytes32)"
OPENING = "Opening(bytes32 path)"
FINAL = "Final(bytes32 path,int112 shift)"
OPENED, FIXED = 1 << 255, 1 << 254


class Path(NamedTuple):
    """`IGate.Path`, field by field."""

    app: bytes
    instance: bytes
    parties: tuple[bytes, ...]
    end: int
    salt: bytes


@dataclass(frozen=True, slots=True)
class Way:
    """One path over the hubs Ingrid and Carol, and the way evidence is brought, by Mallory."""

    stage: Stage
    contract: Deployed
    inner: Deployed
    terms: Path
    direct: bool

    @property
    def parties(self) -> tuple[Owner, ...]:
        """Who signs, in order: those of the cast whose keys stand in the terms."""
        known = {owner.key.address: owner for owner in self.stage.cast}
        return tuple(known[key] for key in self.terms.parties)

    @property
    def separator(self) -> bytes:
        return plain.domain_separator("Perun Gate", self.stage.chain_id, self.contract.address)

    @property
    def id(self) -> bytes:
        return keccak(eth_abi.encode(["bytes32", PATH], [self.separator, tuple(self.terms)]))

    def opening(self, *by: Owner) -> list[bytes]:
        digest = plain.typed(self.separator, OPENING, self.id)
        return [party.sign(digest) for party in by or self.parties]

    def final(self, shift: int, *by: Owner) -> list[bytes]:
        digest = plain.typed(self.separator, FINAL, self.id, shift)
        return [party.sign(digest) for party in by or self.parties]

    def open(self, signatures: Sequence[bytes] | None = None) -> Receipt:
        signed = self.opening() if signatures is None else list(signatures)
        if self.direct:
            return self.contract.send(self.stage.mallory, "open", self.terms, signed)
        return self._submit(0, [PATH, "bytes[]"], [tuple(self.terms), signed])

    def fix(self, shift: int, signatures: Sequence[bytes] | None = None) -> Receipt:
        signed = self.final(shift) if signatures is None else list(signatures)
        if self.direct:
            return self.contract.send(self.stage.mallory, "fix", self.terms, shift, signed)
        return self._submit(1, [PATH, "int112", "bytes[]"], [tuple(self.terms), shift, signed])

    def _submit(self, form: int, types: list[str], values: list[Any]) -> Receipt:
        body = plain.word(form) + eth_abi.encode(types, values)
        return self.contract.send(self.stage.mallory, "submit", body)

    def says(self, done: bool, shift: int) -> None:
        """Makes the inner instance answer so."""
        self.inner.send(self.stage.carol, "set", self.terms.instance, done, shift)

    def outcome(self, gas: int | None = None) -> Any:
        return self.contract.ask("outcome", self.id, gas=gas)

    def record(self) -> Any:
        return self.contract.ask("record", self.id)

    def pass_end(self) -> None:
        self.stage.wait_until(self.terms.end + 1)

    def changed(self, **fields: Any) -> Way:
        return replace(self, terms=self.terms._replace(**fields))


def new_way(stage: Stage, inner: Deployed, instance: bytes, end: int, direct: bool = True) -> Way:
    keys = tuple(it.key.address for it in (stage.alice, stage.ingrid, stage.carol, stage.bob))
    terms = Path(inner.address, instance, keys, end, new_salt())
    return Way(stage, stage.deploy("Gate"), inner, terms, direct)


@pytest.fixture(params=["direct", "submit"])
def way(request: pytest.FixtureRequest, stage: Stage) -> Way:
    """Over an inner instance that answers as told; open for a day."""
    inner = stage.deploy("LiarNanocontract")
    end = stage.now + 24 * HOUR
    return new_way(stage, inner, keccak(b"inner"), end, request.param == "direct")


def test_open_path_answers_what_the_inner_instance_does(way: Way) -> None:
    receipt = way.open()
    app, instance, _, end, _ = way.terms
    told = {"id": way.id, "app": app, "instance": instance, "end": end}
    assert receipt.events == (("PathOpened", told),)
    assert way.record() == (OPENED | end << 220 | int.from_bytes(app, "big"), instance)
    way.says(True, -7)
    way.pass_end()
    assert way.outcome() == (True, -7)


@pytest.mark.parametrize("shift", [0, 1, -1, MOST, -MOST, -(2**111)])
def test_fixed_path_is_done_at_once_and_asks_nobody(way: Way, shift: int) -> None:
    receipt = way.fix(shift)
    assert receipt.events == (("PathFixed", {"id": way.id, "shift": shift}),)
    assert way.record() == (FIXED | way.terms.end << 220 | shift % 2**112, bytes(32))
    assert way.outcome() == (True, shift)
    way.says(True, 3)
    way.pass_end()
    assert way.outcome() == (True, shift)


def test_inner_answer_counts_from_the_second_after_the_end(way: Way) -> None:
    """Attack 17: an inner instance that is done early must not race with a Final."""
    way.says(True, 5)
    way.open()
    assert way.outcome() == (False, 0)
    way.stage.wait_until(way.terms.end)
    assert way.outcome() == (False, 0)
    way.stage.wait_until(way.terms.end + 1)
    assert way.outcome() == (True, 5)


def test_final_replaces_an_opening_until_the_end(way: Way) -> None:
    way.says(True, 5)
    way.open()
    way.stage.at(way.terms.end)
    way.fix(2)
    assert way.outcome() == (True, 2)
    way.pass_end()
    assert way.outcome() == (True, 2)


def test_opening_after_a_final_changes_nothing(way: Way) -> None:
    way.fix(2)
    before = way.record()
    assert way.open().events == ()
    assert way.record() == before
    way.pass_end()
    assert way.open().events == ()


def test_final_after_the_end_is_refused(way: Way) -> None:
    """Attack 17 again: legs settled by the inner answer, then by a Final."""
    way.says(True, 5)
    way.open()
    way.stage.at(way.terms.end + 1)
    with reverts("TooLate", way.terms.end, way.terms.end + 1):
        way.fix(2)
    assert way.outcome() == (True, 5)


def test_opening_after_the_end_is_refused(way: Way) -> None:
    """Attack 16: legs that were settled at their expiry have heard nothing."""
    way.says(True, 5)
    way.stage.at(way.terms.end + 1)
    with reverts("TooLate", way.terms.end, way.terms.end + 1):
        way.open()
    assert way.outcome() == (False, 0)


def test_both_count_in_the_last_second(way: Way) -> None:
    way.stage.at(way.terms.end)
    way.open()
    other = way.changed(salt=new_salt(), end=way.terms.end + 5)
    way.stage.at(other.terms.end)
    other.fix(1)
    assert other.outcome() == (True, 1)


def test_second_final_changes_nothing(way: Way) -> None:
    """Only if every party signs twice are there two; the first taken stays."""
    way.fix(2)
    assert way.fix(3).events == ()
    assert way.fix(2, []).events == ()
    assert way.outcome() == (True, 2)
    way.pass_end()
    assert way.fix(3).events == ()
    assert way.outcome() == (True, 2)


def test_second_opening_changes_nothing(way: Way) -> None:
    way.open()
    assert way.open([]).events == ()
    way.pass_end()
    assert way.open().events == ()


@pytest.mark.parametrize("missing", range(4))
def test_final_without_one_party_is_refused(way: Way, missing: int) -> None:
    """Attack 18: two ends alone would sign one Final for each hub."""
    for act, signed in ((way.open, way.opening()), (lambda s: way.fix(1, s), way.final(1))):
        few = signed[:missing] + signed[missing + 1 :]
        with reverts("WrongPartyCount", 4, 3):
            act(few)
        forged = [*signed]
        forged[missing] = signed[missing - 1]
        with reverts("WrongSigner", way.terms.parties[missing], ANY):
            act(forged)
        forged[missing] = b""
        with reverts("WrongSigner", way.terms.parties[missing], bytes(20)):
            act(forged)
        with reverts("WrongPartyCount", 4, 5):
            act([*signed, signed[0]])
    assert way.record() == (0, bytes(32))


def test_signatures_stand_in_the_order_of_the_parties(way: Way) -> None:
    with reverts("WrongSigner", way.terms.parties[0], way.terms.parties[3]):
        way.open(way.opening()[::-1])


def test_certificate_of_fewer_parties_opens_another_path(way: Way) -> None:
    """Attack 20: without a hub, or with a false key for it, the id is not the one it has locked."""
    keys = way.terms.parties
    mallory = way.stage.mallory.key.address
    for parties in ((*keys[:1], *keys[2:]), (keys[0], mallory, *keys[2:]), keys[::-1]):
        other = way.changed(parties=parties)
        assert other.id != way.id
        with reverts("WrongSigner", ANY, ANY):
            way.open((other.opening() * 2)[:4])
        other.open()
        assert way.record() == (0, bytes(32))


@pytest.mark.parametrize("count", [0, 1, 2, 9])
def test_path_has_three_to_eight_parties(way: Way, count: int) -> None:
    cast = way.stage.cast
    keys = tuple(cast[i % len(cast)].key.address for i in range(count))
    other = way.changed(parties=keys)
    with reverts("WrongPartyCount", count, count):
        other.open()
    with reverts("WrongPartyCount", count, count):
        other.fix(1)
    assert other.outcome() == (False, 0)


@pytest.mark.parametrize("count", [3, 8])
def test_shortest_and_longest_paths(way: Way, count: int) -> None:
    cast = way.stage.cast
    other = way.changed(parties=tuple(cast[i % len(cast)].key.address for i in range(count)))
    other.open()
    other.fix(4)
    assert other.outcome() == (True, 4)


def test_zero_address_signs_nothing(way: Way) -> None:
    keys = (*way.terms.parties[:3], bytes(20))
    other = way.changed(parties=keys)
    with reverts("WrongSigner", bytes(20), bytes(20)):
        other.open([*other.opening(*way.parties[:3]), b""])


@pytest.mark.parametrize("field", ["app", "instance", "end", "salt"])
def test_signatures_of_another_path_count_for_nothing(way: Way, field: str) -> None:
    terms = way.terms
    changed = {
        "app": way.stage.vpm.address,
        "instance": keccak(b"other"),
        "end": terms.end + 1,
        "salt": new_salt(),
    }
    other = way.changed(**{field: changed[field]})
    with reverts("WrongSigner", terms.parties[0], ANY):
        way.open(other.opening())
    with reverts("WrongSigner", terms.parties[0], ANY):
        way.fix(1, other.final(1))


def test_opening_is_no_final_and_one_shift_no_other(way: Way) -> None:
    for signed in (way.opening(), way.final(0)):
        with reverts("WrongSigner", way.terms.parties[0], ANY):
            way.fix(1, signed)
    with reverts("WrongSigner", way.terms.parties[0], ANY):
        way.open(way.final(0))


def test_signatures_for_another_deployment_count_for_nothing(way: Way) -> None:
    elsewhere = replace(way, contract=way.stage.deploy("Gate"))
    with reverts("WrongSigner", way.terms.parties[0], ANY):
        way.open(elsewhere.opening())


def test_path_nobody_opened_is_never_done(way: Way) -> None:
    way.says(True, 5)
    assert way.outcome() == (False, 0)
    way.pass_end()
    assert way.outcome() == (False, 0)


def test_inner_instance_that_is_not_done_is_not_done(way: Way) -> None:
    way.open()
    way.says(False, 5)
    way.pass_end()
    assert way.outcome()[0] is False


def test_path_waits_for_its_inner_instance_for_years(way: Way) -> None:
    way.open()
    way.says(False, 5)
    way.stage.wait_until(way.terms.end + 10 * 365 * 86_400)
    assert way.outcome()[0] is False
    way.says(True, 5)
    assert way.outcome() == (True, 5)


@pytest.mark.parametrize(
    "answer",
    [b"", b"\1", plain.word(1), plain.word(2) + plain.word(7), plain.word(1) + plain.word(2**111)],
)
@pytest.mark.parametrize("failing", [False, True])
def test_inner_failure_is_a_failure(
    stage: Stage, liar: Deployed, answer: bytes, failing: bool
) -> None:
    """What MSContract takes for "not done": a revert, too few bytes, words that do not fit."""
    raw = stage.deploy("RawNanocontract")
    raw.send(stage.carol, "set", answer, failing)
    way = new_way(stage, liar, keccak(b"raw"), stage.now + HOUR).changed(app=raw.address)
    way.open()
    way.pass_end()
    with pytest.raises(ContractReverted):
        way.outcome()


def test_inner_without_code_is_a_failure(way: Way) -> None:
    nobody = way.changed(app=way.stage.mallory.account)
    nobody.open()
    nobody.pass_end()
    with pytest.raises(ContractReverted):
        nobody.outcome()


def test_long_inner_answers_are_not_copied(stage: Stage, liar: Deployed) -> None:
    huge = stage.deploy("HugeNanocontract")
    way = new_way(stage, liar, keccak(b"huge"), stage.now + HOUR).changed(app=huge.address)
    way.open()
    way.pass_end()
    assert way.outcome(gas=21_000 + 36 * 16 + 15_000) == (True, 7)


def test_inner_that_burns_all_gas_fails_within_the_allowance(stage: Stage, liar: Deployed) -> None:
    burning = stage.deploy("GasBurningNanocontract")
    way = new_way(stage, liar, keccak(b"gas"), stage.now + HOUR).changed(app=burning.address)
    way.open()
    way.pass_end()
    with pytest.raises(ContractReverted):
        way.outcome(gas=21_000 + 36 * 16 + 120_000)


COLD = 21_000 + 36 * 16 + 12_000
"""A transaction that asks for an outcome and may use a tenth of its allowance."""


def test_cold_outcome_through_a_flip_keeps_a_tenth_of_the_allowance(stage: Stage) -> None:
    coin = stage.deploy("CoinFlip")
    flip = new_flip(stage)
    end = flip.validity + flip.window
    way = new_way(stage, coin, bytes(coin.ask("flipId", flip)), end)
    coin.send(stage.carol, "reveal", flip, False, secret(40_000))
    way.open()
    way.pass_end()
    assert way.outcome(gas=COLD) == (True, -20)


def test_cold_outcome_through_a_game_keeps_a_tenth_of_the_allowance(stage: Stage) -> None:
    table = new_table(stage)
    way = new_way(stage, table.contract, table.id, table.final_time)
    table.submit(table.signed(1, ALICE, EMPTY))
    way.open()
    way.pass_end()
    assert way.outcome(gas=COLD) == (True, WHOLE)


def test_cold_fixed_outcome_keeps_a_tenth_of_the_allowance(way: Way) -> None:
    way.fix(9)
    assert way.outcome(gas=COLD) == (True, 9)


def test_end_that_does_not_fit_is_never_done(way: Way) -> None:
    far = way.changed(end=2**34)
    with reverts("FinalTimeTooFar", 2**34):
        far.open()
    with reverts("FinalTimeTooFar", 2**34):
        far.fix(1)
    way.changed(end=2**34 - 1).open()


def test_gas_does_not_differ_by_caller(way: Way) -> None:
    stage = way.stage
    senders = (stage.alice, stage.ingrid, stage.mallory)
    assert len(way.contract.estimates(senders, "open", way.terms, way.opening())) == 1


def test_id_is_the_hash_of_domain_and_terms(way: Way) -> None:
    assert way.contract.ask("pathId", way.terms) == way.id
    assert way.contract.ask("DOMAIN_SEPARATOR") == way.separator


def test_unknown_form_is_refused(way: Way) -> None:
    with reverts("UnknownForm", 2):
        way.contract.send(way.stage.carol, "submit", plain.word(2))


@pytest.mark.parametrize("evidence", [b"", plain.word(0), plain.word(1) + bytes(32 * 2)])
def test_garbage_is_refused(way: Way, evidence: bytes) -> None:
    with reverts_without_data():
        way.contract.send(way.stage.carol, "submit", evidence)
