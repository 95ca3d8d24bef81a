"""The same scenes on anvil and on eth-tester: same events, same money, same gas."""

from __future__ import annotations

import itertools
from unittest.mock import ANY

import pytest
from web3 import Web3

from perun.types import ETH
from tests.contracts.anvil.scenes import SCENES, Scene
from tests.support import channels, instances, plain
from tests.support.channels import new_channel
from tests.support.contracts import Receipt
from tests.support.reverts import reverts
from tests.support.stage import Stage

pytestmark = pytest.mark.chain

_numbers = itertools.count(1)


def play(stage: Stage, scene: Scene, number: int) -> tuple[list[Receipt], list[int]]:
    """Receipts, and what the contracts and parties have at the end, fees apart.

    Both plays start at the same second and count ids from the same number.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channels, "_nonces", itertools.count(number * 1000))
        patch.setattr(instances, "_salts", itertools.count(number * 1000))
        stage.at(1_900_000_000 + number * 1_000_000)
        stage.ms.send(stage.treasury, "fund", ETH, stage.treasury.account, 1, value=1)
        before = wealth(stage)
        receipts = scene(stage)
    return receipts, [now - then for now, then in zip(wealth(stage), before, strict=True)]


def wealth(stage: Stage) -> list[int]:
    owners = (stage.alice, stage.bob, stage.ingrid, stage.carol, stage.ms)
    return [
        count(asset, who)
        for asset in (ETH, stage.token.address)
        for who in owners
        for count in (stage.balance, stage.credit)
    ]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_scene_is_the_same_on_both_chains(on_anvil: Stage, in_memory: Stage, scene: Scene) -> None:
    assert on_anvil.ms.address == in_memory.ms.address
    number = next(_numbers)
    expected = play(in_memory, scene, number)
    found = play(on_anvil, scene, number)
    assert [receipt.gas_used for receipt in found[0]] == [
        receipt.gas_used for receipt in expected[0]
    ]
    assert found == expected


def test_refusals_are_the_same(on_anvil: Stage) -> None:
    """With name and values, from a transaction that was mined."""
    channel = new_channel(on_anvil).fund(10, 10)
    with reverts("Insolvent", channel.id, -1, 21):
        channel.close(on_anvil.carol, 11)
    with reverts("WrongSigner", channel.alice.key.address, bytes(20)):
        channel.close(on_anvil.carol, signatures=(b"", b""))
    with reverts("NotEnoughGas", ANY, 100_000):
        payee = on_anvil.party_at(on_anvil.deploy("RefusingPayee").address, on_anvil.bob)
        new_channel(on_anvil, bob=payee).fund(10, 10).close(on_anvil.carol, gas=120_000)


def test_count_of_withdrawals_ends_before_it_runs_over(on_anvil: Stage) -> None:
    """A count of 2**30 − 1 would carry into the mark beside it; a node can put it there."""
    channel = new_channel(on_anvil).fund(10, 10)
    most = 2**30 - 1
    place = Web3.to_checksum_address(on_anvil.ms.address)
    question = on_anvil.ms.call_data("holdings", channel.asset, channel.id)
    read = on_anvil.web3.eth.create_access_list({"to": place, "data": question})["accessList"]
    (slot,) = read[0]["storageKeys"]  # wherever the contract keeps them
    for count, refused in ((most - 1, False), (most, True)):
        word = count << 224 | 10 << 112 | 10
        request = [place, slot, "0x" + plain.word(word).hex()]
        on_anvil.web3.provider.make_request("anvil_setStorageAt", request)
        assert channel.holdings() == (10, 10, count, False, False)
        if refused:
            with reverts("WrongIndex", most, most):
                channel.withdraw(on_anvil.carol, most, 1, 1)
        else:
            channel.withdraw(on_anvil.carol, count, 1, 1)
            assert channel.holdings() == (9, 9, most, False, False)
