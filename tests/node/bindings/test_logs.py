"""Events are read from logs of the right contract, and from nobody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from eth_abi import encode
from web3 import Web3

import perun
from perun import Address, Wei, events
from perun.bindings import BadAnswer, Log, Unreadable, abi, logs
from perun.bindings.suite import SUITE
from perun.types import Channel, Nano, UnixTime, Version
from tests.node.bindings.conftest import GAS, Pair

HERE, ID = Address(b"\x01" * 20), perun.ChannelId(b"\x02" * 32)
NANO = (b"\x03" * 20, b"\x04" * 32, 5, 6, 7, True)


def log(signature: str, indexed: list[bytes], types: list[str], values: list[Any]) -> Log:
    """A log as a contract would write it; encoded by eth_abi."""
    topics = (abi.topic(signature), *(word.rjust(32, b"\0") for word in indexed))
    return Log(HERE, topics, encode(types, values), 9, b"\x0a" * 32, b"\x0b" * 32, 12)


REGISTERED = log(
    f"Registered(bytes32,uint48,int112,{abi.NANO}[],uint40)",
    [ID],
    ["uint48", "int112", f"{abi.NANO}[]", "uint40"],
    [2**48 - 1, -(2**111), [NANO, NANO], 2**34 - 1],
)
OPENED = log(
    f"Opened(bytes32,address,address,{abi.CHANNEL})",
    [ID, b"\x05" * 20, b"\x06" * 20],
    [abi.CHANNEL],
    [(b"\x05" * 20, b"\x06" * 20, b"\x07" * 20, b"\x08" * 20, bytes(20), 60, 2**64 - 1)],
)


def test_lists_of_nanos() -> None:
    nano = Nano(*NANO)
    assert events.MS_CONTRACT.read(REGISTERED) == events.Registered(
        ID, Version(2**48 - 1), Wei(-(2**111)), (nano, nano), UnixTime(2**34 - 1)
    )


def test_channels() -> None:
    assert events.MS_CONTRACT.read(OPENED) == events.Opened(
        ID,
        Address(b"\x05" * 20),
        Address(b"\x06" * 20),
        Channel(*[bytes((n,)) * 20 for n in (5, 6, 7, 8)], perun.ETH, 60, 2**64 - 1),
    )


def test_values_that_no_honest_party_signs_do_not_stop_a_reader() -> None:
    huge = (*NANO[:2], 2**111, *NANO[3:])
    strange = log(
        f"Settled(bytes32,uint256,uint256,{abi.NANO}[])",
        [ID],
        ["uint256", "uint256", f"{abi.NANO}[]"],
        [1, 2, [huge]],
    )
    read = events.MS_CONTRACT.read_from(HERE, [strange, OPENED])
    assert isinstance(read[0], Unreadable)
    assert read[0].log == strange
    assert "alice_lock" in read[0].reason
    assert isinstance(read[1], events.Opened)


@pytest.mark.parametrize("wrong", [REGISTERED.data[:-1], b"", REGISTERED.data[:31]])
def test_a_log_that_is_cut_off(wrong: bytes) -> None:
    with pytest.raises(BadAnswer):
        events.MS_CONTRACT.read(msgspec.structs.replace(REGISTERED, data=wrong))


def test_a_log_with_other_topics() -> None:
    with pytest.raises(BadAnswer):
        events.MS_CONTRACT.read(msgspec.structs.replace(OPENED, topics=OPENED.topics[:2]))


def test_what_is_no_event_of_ours() -> None:
    assert events.MS_CONTRACT.read(msgspec.structs.replace(OPENED, topics=())) is None
    assert SUITE["VPM"].table.read(OPENED) is None


def test_what_others_log_is_not_believed() -> None:
    """A token, a payee or a nanocontract can log our events in our transactions."""
    forged = msgspec.structs.replace(OPENED, address=Address(b"\xee" * 20))
    assert events.MS_CONTRACT.read(forged) is not None
    assert events.MS_CONTRACT.read_from(HERE, [forged]) == ()


def test_logs_come_as_web3_gives_them(pair: Pair, web3: Web3) -> None:
    ms = pair.suite.ms_contract
    receipt = ms.open(pair.channel, Wei(1), pair.now + 60, sender=pair.alice, gas=GAS)
    mined = web3.eth.get_transaction_receipt(receipt.transaction)
    first, second = (logs.from_web3(entry) for entry in mined["logs"])
    assert (first, second) == receipt.logs
    assert (first.address, first.block, first.index) == (ms.address, receipt.block, 0)
    assert (second.transaction, second.index) == (receipt.transaction, 1)
    assert first.block_hash == mined["blockHash"]


@dataclass(frozen=True)
class Plain:
    """A stranger's class, whatever it looks like."""

    value: int


def test_only_records_become_tuples() -> None:
    assert abi.plain([Nano(*NANO), 5, b"6"]) == [NANO, 5, b"6"]
    assert abi.plain(Plain(1)) == Plain(1)
