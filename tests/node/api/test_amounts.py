"""Amounts in programs: with units, of ether and of tokens by the node's names, in both clients."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from perun.api.amounts import NoUnit, OtherAsset, UnknownUnit, in_digits, read_amount
from perun.api.client import CallRefused, question_about
from perun.api.side_by_side import AsyncNode
from perun.app.methods import Scope
from perun.app.values import Token
from perun.errors import BadUnits
from tests.node.api.conftest import Desk

ETH = "0x" + 40 * "0"
USDC = Token(asset="0x" + "aB" * 20, symbol="USDC", decimals=6)
INCH = Token(asset="0x" + "cd" * 20, symbol="1INCH", decimals=18)
TOKENS = (USDC, INCH)


@pytest.mark.parametrize(
    ("given", "digits", "asset"),
    [
        (5, "5", None),
        ("5", "5", None),
        ("0.1 ether", str(10**17), ETH),
        ("0.1ether", str(10**17), ETH),
        ("1 ETH", str(10**18), ETH),
        ("2 gwei", str(2 * 10**9), ETH),
        (" 3  wei", "3", ETH),
        ("5 USDC", "5000000", USDC.asset),
        ("0.5usdc", "500000", USDC.asset),
        ("2 1INCH", str(2 * 10**18), INCH.asset),
    ],
)
def test_units(given: str | int, digits: str, asset: str | None) -> None:
    assert read_amount(given, TOKENS) == (digits, asset)


@pytest.mark.parametrize(
    "given", [0.1, True, None, -1, "", "x", "-1", "1,0 ether", "0.0000001 USDC"]
)
def test_units_that_are_none(given: Any) -> None:
    with pytest.raises(BadUnits):
        read_amount(given, TOKENS)


def test_a_part_of_nothing_named_is_asked_about() -> None:
    with pytest.raises(NoUnit, match=r"1\.5 has no unit; write 0\.1ether"):
        read_amount("1.5", TOKENS)


def test_what_a_unit_says_is_part_of_the_call() -> None:
    call = {"to": "bob", "amount": "5 USDC", "asset": None}
    assert in_digits(call, TOKENS) == {"to": "bob", "amount": "5000000", "asset": USDC.asset}
    assert in_digits({**call, "asset": "usdc"}, TOKENS)["asset"] == USDC.asset
    with pytest.raises(OtherAsset, match="5 USDC is not in ETH"):
        in_digits({**call, "asset": ETH}, TOKENS)
    with pytest.raises(OtherAsset, match=r"0\.1 ether is not in USDC"):
        in_digits({"amount": "5 USDC", "fee": "0.1 ether", "asset": None}, TOKENS)
    with pytest.raises(OtherAsset, match=r"0\.1 ether is not in USDC"):
        in_digits({"channel": "0x1", "amount": "0.1 ether"}, TOKENS, USDC.asset)


def test_nothing_is_asked_where_the_call_says_all() -> None:
    assert question_about("pay", {"amount": "5 USDC", "asset": None}) is None
    assert question_about("topUp", {"channel": "0x1", "amount": "5"}) is None
    asked = question_about("topUp", {"channel": "0x1", "amount": "5 gwei"})
    assert asked is not None
    assert asked.method == "channels"


def test_a_token_by_its_name(desk: Desk) -> None:
    with pytest.raises(CallRefused) as refused:
        desk.node.pay(desk.bob.id, "5 USDC")
    assert "no channel" in str(refused.value)
    with pytest.raises(UnknownUnit, match="5 DAI is in no unit that is known here: ether, USDC"):
        desk.node.pay(desk.bob.id, "5 DAI")
    channel = desk.node.channels()[0].id
    with pytest.raises(OtherAsset, match="5 USDC is not in ETH"):
        desk.node.top_up(channel, "5 USDC")
    paid = desk.node.pay(desk.bob.id, "3 gwei")
    with pytest.raises(OtherAsset, match="5 USDC is not in ETH"):
        desk.node.refund(paid.id, "5 USDC")
    assert [one.id for one in desk.node.payments()] == [paid.id]


def test_side_by_side_it_is_the_same(desk: Desk) -> None:
    async def story() -> None:
        token = desk.token("side", Scope.ALL)
        async with AsyncNode(desk.server.url, token) as node:
            paid, refused = await asyncio.gather(
                node.pay(desk.bob.id, "0.1 ether"),
                node.pay(desk.bob.id, "5 USDC"),
                return_exceptions=True,
            )
            assert not isinstance(paid, BaseException)
            assert (paid.step, paid.amount) == ("done", str(10**17))
            assert isinstance(refused, CallRefused)
            assert "no channel" in str(refused)
            with pytest.raises(OtherAsset, match="5 USDC is not in ETH"):
                await node.withdraw((await node.channels())[0].id, "5 USDC")
            with pytest.raises(UnknownUnit):
                await node.request("5 DAI")

    asyncio.run(story())
