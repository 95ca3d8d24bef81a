"""What of a call's touched addresses and words is worth naming (EIP-2930)."""

from __future__ import annotations

import pytest

from perun.bindings import ms_contract_calls, vpm
from perun.bindings.access import ADDRESS_GAS, KEY_GAS, cost, worth_listing
from perun.bindings.calls import Access, Call, Fees, transaction
from perun.types import (
    ETH,
    Address,
    Asset,
    ChainId,
    Channel,
    ChannelId,
    Close,
    InstanceId,
    Machine,
    Nano,
    Nonce,
    Salt,
    Seconds,
    Settlement,
    Signature,
    UnixTime,
    Wei,
)


def address(number: int) -> Address:
    return Address(bytes([number]) * 20)


CONTRACT, VPM, TOKEN, ALICE, BOB, STRANGER = map(address, range(1, 7))
WORD = bytes(31) + b"\x01"
NOTHING = Signature(b"")
GAS = 60_000


def channel(asset: Asset = ETH) -> Channel:
    return Channel(ALICE, BOB, address(7), address(8), asset, Seconds(3600), Nonce(1))


def close(asset: Asset = ETH) -> Call:
    agreed = Close(ChannelId(bytes(32)), Wei(1), UnixTime(9), 0)
    return ms_contract_calls.close(CONTRACT, channel(asset), agreed, NOTHING, NOTHING)


def settle(nanos: int = 1) -> Call:
    listed = tuple(
        Nano(VPM, InstanceId(bytes([n]) * 32), Wei(1), Wei(1), UnixTime(9), False)
        for n in range(nanos)
    )
    return ms_contract_calls.settle(CONTRACT, Settlement(channel(), Wei(0), listed))


def words(count: int) -> tuple[bytes, ...]:
    return tuple(number.to_bytes(32, "big") for number in range(count))


def test_payee_that_is_called_is_named() -> None:
    assert worth_listing(close(), ALICE, [Access(BOB)], gas=GAS) == (Access(BOB),)


def test_sender_is_warm_in_any_case() -> None:
    assert worth_listing(close(), BOB, [Access(ALICE), Access(BOB)], gas=GAS) == (Access(ALICE),)


def test_token_is_named_with_its_words() -> None:
    token = Access(TOKEN, words(3))
    assert worth_listing(close(Asset(TOKEN)), ALICE, [token], gas=GAS) == (token,)


def test_nanocontracts_are_named_with_their_words() -> None:
    machines = Access(VPM, (WORD,))
    assert worth_listing(settle(), ALICE, [machines, Access(BOB)], gas=GAS) == (
        machines,
        Access(BOB),
    )


@pytest.mark.parametrize(("count", "worth"), [(0, False), (24, False), (25, True)])
def test_called_contract_is_named_only_for_many_words(count: int, worth: bool) -> None:
    """Naming it costs 2,400, and it would have been warm."""
    own = Access(CONTRACT, words(count))
    assert worth_listing(settle(64), ALICE, [own], gas=10**6) == ((own,) if worth else ())


def test_address_that_the_call_does_not_name_is_left_out() -> None:
    """A node that lies gains nothing by it."""
    assert worth_listing(close(), ALICE, [Access(STRANGER, words(9))], gas=GAS) == ()


def test_list_dearer_than_the_call_is_none() -> None:
    """A node that lies costs us no more than the call does."""
    most = (GAS - 21_000 - ADDRESS_GAS) // KEY_GAS
    for count, believed in ((most, True), (most + 1, False)):
        told = [Access(BOB, words(count))]
        assert worth_listing(close(), ALICE, told, gas=GAS) == (tuple(told) if believed else ())


def test_calls_that_stay_in_their_contract_name_nothing() -> None:
    machine = Machine(ALICE, BOB, Wei(1), Wei(1), UnixTime(9), Seconds(9), Salt(bytes(32)))
    call = vpm.submit_statements(VPM, machine, Wei(1), NOTHING, Wei(0), NOTHING)
    assert worth_listing(call, ALICE, [Access(VPM, (WORD,)), Access(BOB)], gas=GAS) == ()


def test_plain_transfer_and_creation_name_nothing() -> None:
    for call in (Call(BOB, b"", Wei(1)), Call(None, b"\x00" * 40)):
        assert worth_listing(call, ALICE, [Access(BOB), Access(STRANGER)], gas=GAS) == ()


def test_cost_is_what_the_list_takes_before_anything_happens() -> None:
    assert cost(()) == 0
    assert cost((Access(BOB), Access(TOKEN, words(3)))) == 2 * 2_400 + 3 * 1_900


def test_transaction_carries_its_list() -> None:
    params = transaction(
        close(),
        sender=ALICE,
        chain_id=ChainId(1),
        nonce=0,
        gas=GAS,
        fees=Fees(Wei(2), Wei(1)),
        access=(Access(BOB, (WORD,)),),
    )
    (entry,) = params["accessList"]
    assert bytes.fromhex(entry["address"][2:]) == BOB
    assert entry["storageKeys"] == ["0x" + WORD.hex()]


def test_no_list_no_field() -> None:
    params = transaction(
        close(), sender=ALICE, chain_id=ChainId(1), nonce=0, gas=GAS, fees=Fees(Wei(2), Wei(1))
    )
    assert "accessList" not in params
