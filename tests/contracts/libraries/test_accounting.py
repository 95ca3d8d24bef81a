"""`Accounting` and `GasAllowance`: packed words and limits against integers without bounds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from populus.exceptions import ContractReverted
from tests.support.contracts import Deployed
from tests.support.reverts import reverts
from tests.support.stage import MOST

side = st.integers(-MOST, MOST) | st.sampled_from([-MOST, -1, 0, 1, MOST])
flags = st.integers(0, 2**32 - 1)  # disputed, drawn, count
amount = st.integers(0, 2**256 - 1) | st.integers(0, 2 * MOST) | st.sampled_from([0, 1, MOST])


def funds(marks: int, alice: int, bob: int) -> int:
    return marks << 224 | bob % 2**112 << 112 | alice % 2**112


@given(marks=flags, alice=side, bob=side)
def test_sides(probe: Deployed, marks: int, alice: int, bob: int) -> None:
    assert probe.ask("sides", funds(marks, alice, bob)) == (alice, bob)


@given(marks=flags, alice=side, bob=side, to_bob=st.booleans(), amount=amount)
def test_raise_touches_one_side(
    probe: Deployed, marks: int, alice: int, bob: int, to_bob: bool, amount: int
) -> None:
    raised = (bob if to_bob else alice) + amount
    arguments = (funds(marks, alice, bob), 112 if to_bob else 0, amount)
    if amount > MOST or raised > MOST:
        with reverts("AmountTooLarge", bob if to_bob else alice, amount):
            probe.ask("raise", *arguments)
    else:
        expected = (alice, raised) if to_bob else (raised, bob)
        assert probe.ask("raise", *arguments) == funds(marks, *expected)


@given(marks=flags, old=st.tuples(side, side), alice=side, bob=side)
def test_with_sides_keeps_the_marks(
    probe: Deployed, marks: int, old: tuple[int, int], alice: int, bob: int
) -> None:
    word = probe.ask("withSides", funds(marks, *old), alice % 2**256, bob % 2**256)
    assert word == funds(marks, alice, bob)


@given(
    deadline=st.integers(0, 2**34 - 1),
    version=st.integers(0, 2**48 - 1),
    state=st.integers(0, 2**173 - 1),
)
def test_dispute_word(probe: Deployed, deadline: int, version: int, state: int) -> None:
    expected = deadline << 221 | version << 173 | state
    assert probe.ask("disputeWord", deadline, version, state) == (expected, deadline, version)
    assert expected < 2**255  # the mark above stays free


@given(
    shift=st.integers(-(2**111), 2**111),
    alice_lock=st.integers(0, 2**112 - 1),
    bob_lock=st.integers(0, 2**112 - 1),
)
def test_clamp(probe: Deployed, shift: int, alice_lock: int, bob_lock: int) -> None:
    expected = max(-bob_lock, min(alice_lock, shift))
    assert probe.ask("clampToLocks", shift, alice_lock, bob_lock) == expected


@pytest.mark.parametrize("allowance", [100_000, 120_000, 300_000])
def test_allowance_is_full_from_the_stated_gas_on(probe: Deployed, allowance: int) -> None:
    """`(gas before − 40,000) · 63/64 ≥ allowance` (protocol, section 3)."""
    least = 40_000 + -(-allowance * 64 // 63)
    probe.ask("requireFull", least, allowance)
    for gas in (0, 39_999, 40_000, least - 1):
        with reverts("NotEnoughGas", gas, allowance):
            probe.ask("requireFull", gas, allowance)


@given(gas=st.integers(0, 2**64), allowance=st.integers(0, 2**40))
def test_allowance_by_the_formula(probe: Deployed, gas: int, allowance: int) -> None:
    full = gas >= 40_000 and (gas - 40_000) * 63 // 64 >= allowance
    try:
        probe.ask("requireFull", gas, allowance)
    except ContractReverted:
        assert not full
    else:
        assert full
