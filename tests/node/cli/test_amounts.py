"""Amounts as people type them, and as they are shown: ether, and tokens by the node's names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from perun.api.amounts import OtherAsset, UnknownUnit
from perun.api.client import Node
from perun.app.values import Network, Token
from perun.cli.asking import Amounts
from perun.errors import BadUnits

ETH = "0x" + 40 * "0"
USDC = "0x" + "aB" * 20
OTHER = "0x" + "cD" * 20


@dataclass
class Named:
    """Answers with the names of tokens, and counts how often."""

    asked: int = 0

    def networks(self) -> tuple[Network, ...]:
        self.asked += 1
        fields: dict[str, Any] = {"name": "", "genesis": "0x", "contract": OTHER, "test": True}
        tokens = (Token(asset=USDC, symbol="USDC", decimals=6),)
        return (
            Network(caip2="eip155:1", current=False, **fields),
            Network(caip2="eip155:31337", current=True, tokens=tokens, **fields),
        )


@pytest.fixture
def named() -> Named:
    return Named()


@pytest.fixture
def amounts(named: Named) -> Amounts:
    return Amounts(cast("Node", named))


@pytest.mark.parametrize(
    ("text", "asset", "read"),
    [
        ("0.1ether", None, ("1" + 17 * "0", ETH)),
        ("3 gwei", None, ("3000000000", ETH)),
        ("7", None, ("7", None)),
        ("7", USDC, ("7", USDC)),
        (None, None, (None, None)),
        ("5 USDC", None, ("5000000", USDC)),
        ("0.5usdc", "USDC", ("500000", USDC)),
        ("0.5usdc", USDC.lower(), ("500000", USDC.lower())),
        ("1 eth", "ETH", ("1" + 18 * "0", ETH)),
    ],
)
def test_read(
    amounts: Amounts, text: str | None, asset: str | None, read: tuple[str | None, str | None]
) -> None:
    assert amounts.read(text, asset) == read


def test_what_cannot_be_meant_is_refused(amounts: Amounts) -> None:
    with pytest.raises(UnknownUnit, match="ether, USDC"):
        amounts.read("5 DAI")
    with pytest.raises(OtherAsset, match=r"0\.1ether is not in USDC"):
        amounts.read("0.1ether", "USDC")
    with pytest.raises(OtherAsset, match=r"0\.1ether is not in USDC"):
        amounts.read("0.1ether", USDC.lower())
    with pytest.raises(OtherAsset, match="5 USDC is not in ETH"):
        amounts.read("5 USDC", ETH)
    with pytest.raises(BadUnits):
        amounts.read("0.0000001 USDC")
    with pytest.raises(BadUnits):
        amounts.read("five ether")


def test_shown(amounts: Amounts) -> None:
    assert amounts.show(ETH, "100000000000000000") == "0.100000 ETH"
    assert amounts.show(USDC.lower(), "5000000") == "5 USDC"
    assert amounts.show(OTHER, "5") == "5 of 0xcDcDcD…"
    assert [amounts.name(one) for one in (ETH, USDC, OTHER)] == ["ETH", "USDC", OTHER]


def test_ether_asks_nobody_and_tokens_once(amounts: Amounts, named: Named) -> None:
    amounts.read("1 ether")
    amounts.show(ETH, "1")
    assert named.asked == 0
    amounts.read("1 USDC")
    amounts.show(USDC, "1")
    assert named.asked == 1
