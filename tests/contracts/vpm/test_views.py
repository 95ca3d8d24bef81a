"""Views of VPM."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perun.types import Machine
from tests.support import plain
from tests.support.instances import new_machine
from tests.support.reverts import reverts_without_data
from tests.support.stage import MOST, Stage

keys = st.binary(min_size=20, max_size=20)
machines = st.builds(
    Machine, keys, keys, st.integers(0, MOST), st.integers(0, MOST), st.integers(0, 2**40 - 1),
    st.integers(0, 2**32 - 1), st.binary(min_size=32, max_size=32),
)  # fmt: skip


def test_domain_is_that_of_this_chain_and_contract(stage: Stage) -> None:
    expected = plain.domain_separator("Perun VPM", stage.chain_id, stage.vpm.address)
    assert stage.vpm.ask("DOMAIN_SEPARATOR") == expected


@given(terms=machines)
def test_machine_id_is_the_hash_of_domain_and_terms(stage: Stage, terms: Machine) -> None:
    assert stage.vpm.ask("machineId", terms) == plain.record_id(stage.vpm_separator, terms)


@given(field=st.integers(0, 5), dirt=st.integers(1, 2**64))
def test_machine_id_refuses_terms_out_of_their_types(stage: Stage, field: int, dirt: int) -> None:
    width = (160, 160, 112, 112, 40, 32)[field]
    data = bytearray(stage.vpm.call_data("machineId", new_machine(stage).terms))
    start = 4 + 32 * field
    data[start : start + 32] = (dirt << width).to_bytes(32, "big")
    with reverts_without_data():
        stage.vpm.ask_raw(bytes(data))


def test_totals_of_an_unknown_id_are_zero(stage: Stage) -> None:
    assert stage.vpm.ask("totals", b"\xff" * 32) == (0, 0, 0)
