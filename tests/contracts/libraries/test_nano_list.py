"""`NanoList`: hashed, shortened and logged in place, against Solidity's and eth_abi's encoding."""

from __future__ import annotations

import eth_abi
from hypothesis import given
from hypothesis import strategies as st

from perun.types import Nano
from tests.support import plain
from tests.support.contracts import Deployed
from tests.support.reverts import reverts_without_data
from tests.support.stage import MOST

nano = st.builds(
    Nano,
    st.binary(min_size=20, max_size=20),
    st.binary(min_size=32, max_size=32),
    st.integers(0, MOST),
    st.integers(0, MOST),
    st.integers(0, 2**40 - 1),
    st.booleans(),
)
nanos = st.lists(nano, max_size=6)
NANOS = "(address,bytes32,uint112,uint112,uint40,bool)[]"


@given(listed=nanos, kept=st.integers(0, 63))
def test_hash_of_what_is_kept(probe: Deployed, listed: list[Nano], kept: int) -> None:
    remaining = [item for place, item in enumerate(listed) if kept >> place & 1]
    expected = plain.nanos_hash(remaining)
    assert probe.ask("nanosHash", listed, kept) == (expected, expected)


def test_hash_of_64(probe: Deployed) -> None:
    listed = [(bytes(20), bytes([number]) * 32, number, 0, 0, False) for number in range(64)]
    for kept in (2**64 - 1, 0, 2**63, 0xAAAA_AAAA_AAAA_AAAA):
        ours, solidity = probe.ask("nanosHash", listed, kept)
        assert ours == solidity
        assert ours == plain.nanos_hash([item for n, item in enumerate(listed) if kept >> n & 1])


@given(
    listed=nanos,
    identity=st.binary(min_size=32, max_size=32),
    version=st.integers(0, 2**48 - 1),
    net=st.integers(-MOST, MOST),
    deadline=st.integers(0, 2**40 - 1),
)
def test_logs_are_what_emit_writes(
    probe: Deployed,
    listed: list[Nano],
    identity: bytes,
    version: int,
    net: int,
    deadline: int,
) -> None:
    with probe.stage.chain.isolated():
        receipt = probe.send(probe.stage.carol, "logs", identity, version, net, listed, deadline)
    ours, solidity, ours_settled, solidity_settled = receipt.logs
    items = plain.to_abi(listed)
    types = ["uint48", "int112", NANOS, "uint40"]
    assert ours == solidity
    assert ours.data == eth_abi.encode(types, [version, net, items, deadline])
    assert ours.topics[1:] == (identity,)
    assert ours_settled == solidity_settled
    types = ["uint256", "uint256", NANOS]
    assert ours_settled.data == eth_abi.encode(types, [version, deadline, items])


@given(item=nano)
def test_fields_are_read(probe: Deployed, item: Nano) -> None:
    assert probe.ask("checkNano", [item]) == plain.words((item,))


@given(item=nano, field=st.sampled_from([0, 2, 3, 4, 5]), dirt=st.integers(1, 2**64))
def test_field_out_of_its_type_is_refused(
    probe: Deployed, item: Nano, field: int, dirt: int
) -> None:
    width = {0: 160, 2: 112, 3: 112, 4: 40, 5: 1}[field]
    data = bytearray(probe.call_data("checkNano", [item]))
    start = 4 + 64 + 32 * field
    value = int.from_bytes(data[start : start + 32], "big") | dirt << width
    data[start : start + 32] = value.to_bytes(32, "big")
    with reverts_without_data():
        probe.ask_raw(bytes(data))
