"""`ChannelHash`, `ChannelTerms`, `MachineTerms` against EIP-712 and `abi.encode` told plainly."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from tests.support import plain
from tests.support.contracts import Deployed
from tests.support.reverts import reverts_without_data
from tests.support.stage import Stage

word = st.binary(min_size=32, max_size=32)
unsigned = st.integers(0, 2**256 - 1)
net = st.integers(-(2**111), 2**111 - 1)
address = st.binary(min_size=20, max_size=20)


@given(domain=word, channel=word, version=unsigned, net=net, nanos=word)
def test_state(
    probe: Deployed, domain: bytes, channel: bytes, version: int, net: int, nanos: bytes
) -> None:
    values = (channel, version, net, nanos)
    digest, state_hash = probe.ask("state", domain, *values)
    assert digest == plain.typed(domain, plain.STATE, *values)
    assert state_hash == keccak(plain.words(values))


@given(domain=word, channel=word, net=net, valid_until=unsigned, to_credit=unsigned)
def test_close(
    probe: Deployed, domain: bytes, channel: bytes, net: int, valid_until: int, to_credit: int
) -> None:
    values = (channel, net, valid_until, to_credit)
    assert probe.ask("closeDigest", domain, *values) == plain.typed(domain, plain.CLOSE, *values)


@given(domain=word, values=st.tuples(word, unsigned, unsigned, unsigned))
def test_open(probe: Deployed, domain: bytes, values: tuple[bytes, int, int, int]) -> None:
    assert probe.ask("openDigest", domain, *values) == plain.typed(domain, plain.OPEN, *values)


@given(domain=word, values=st.tuples(word, unsigned, unsigned, unsigned, unsigned))
def test_withdraw(probe: Deployed, domain: bytes, values: tuple[bytes, int, int, int, int]) -> None:
    expected = plain.typed(domain, plain.WITHDRAW, *values)
    assert probe.ask("withdrawDigest", domain, *values) == expected


@given(domain=word, machine=word, paid=unsigned)
def test_statement(probe: Deployed, domain: bytes, machine: bytes, paid: int) -> None:
    expected = plain.typed(domain, plain.STATEMENT, machine, paid)
    assert probe.ask("statementDigest", domain, machine, paid) == expected


@given(channel=word, version=unsigned, net=net, nanos=word)
def test_state_hash(probe: Deployed, channel: bytes, version: int, net: int, nanos: bytes) -> None:
    values = (channel, version, net, nanos)
    assert probe.ask("stateHash", *values) == keccak(plain.words(values))


@given(domain=word, terms=st.tuples(*[address] * 5, st.integers(0, 2**32 - 1), st.integers(0, 9)))
def test_channel_terms(probe: Deployed, domain: bytes, terms: tuple[bytes | int, ...]) -> None:
    identity, read = probe.ask("channelTerms", domain, terms)
    assert identity == plain.record_id(domain, terms)
    assert read == plain.words(terms[:6])


@given(
    domain=word,
    terms=st.tuples(
        address, address, st.integers(0, 2**112 - 1), st.integers(0, 2**112 - 1),
        st.integers(0, 2**40 - 1), st.integers(0, 2**32 - 1), word,
    ),
)  # fmt: skip
def test_machine_terms(probe: Deployed, domain: bytes, terms: tuple[bytes | int, ...]) -> None:
    identity, read = probe.ask("machineTerms", domain, terms)
    assert identity == plain.record_id(domain, terms)
    assert read == plain.words(terms[:6])


@given(field=st.integers(0, 6), dirt=st.integers(1, 2**64))
def test_dirty_channel_terms(probe: Deployed, field: int, dirt: int) -> None:
    data = bytearray(probe.call_data("channelTerms", bytes(32), (bytes(20),) * 5 + (0, 0)))
    width = (160, 160, 160, 160, 160, 32, 64)[field]
    start = 4 + 32 * (1 + field)
    data[start : start + 32] = (dirt << width).to_bytes(32, "big")
    with reverts_without_data():
        probe.ask_raw(bytes(data))


@given(field=st.integers(0, 5), dirt=st.integers(1, 2**64))
def test_dirty_machine_terms(probe: Deployed, field: int, dirt: int) -> None:
    empty = (bytes(20), bytes(20), 0, 0, 0, 0, bytes(32))
    data = bytearray(probe.call_data("machineTerms", bytes(32), empty))
    width = (160, 160, 112, 112, 40, 32)[field]
    start = 4 + 32 * (1 + field)
    data[start : start + 32] = (dirt << width).to_bytes(32, "big")
    with reverts_without_data():
        probe.ask_raw(bytes(data))


TYPED = {
    plain.STATE: (b"\x11" * 32, 2**48 - 1, -(2**111), b"\x22" * 32),
    plain.CLOSE: (b"\x11" * 32, -1, 2**40 - 1, 255),
    plain.WITHDRAW: (b"\x11" * 32, 2**32 - 1, 2**112 - 1, 0, 2**40 - 1),
    plain.OPEN: (b"\x11" * 32, 2**112 - 1, 1, 2**40 - 1),
    plain.STATEMENT: (b"\x11" * 32, 2**111 - 1),
}


@pytest.mark.parametrize("type_string", TYPED, ids=lambda text: text.split("(")[0])
def test_plain_form_is_what_wallets_sign(stage: Stage, type_string: str) -> None:
    """So that the plain form does not only agree with itself."""
    name, fields = type_string.removesuffix(")").split("(")
    types = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(",")]
    domain = {
        "name": "Perun MSContract",
        "version": "1",
        "chainId": stage.chain_id,
        "verifyingContract": "0x" + stage.ms.address.hex(),
    }
    names = [item["name"] for item in types]
    message = dict(zip(names, TYPED[type_string], strict=True))
    signable = encode_typed_data(domain, {name: types}, message)
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    assert digest == plain.typed(stage.ms_separator, type_string, *TYPED[type_string])
