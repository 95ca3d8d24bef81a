"""Python in the guides runs, and does what the text around it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perun.chain import costs, rpc
from perun.core.config import Policy
from perun.core.limits import Limits
from perun.core.rules.worth import dust_of, worth_of
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH, Address, Asset

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
TOKEN = Asset(Address(b"\x09" * 20))


def test_choose_your_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = ScriptedChain()
    chain.mine()
    monkeypatch.setattr(rpc, "connect", lambda _url: ScriptedEndpoint(chain))
    text = (GUIDES / "choose-your-channels.md").read_text(encoding="utf-8")
    names: dict[str, object] = {"ETH": ETH, "dollar": TOKEN}
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S):
        exec(block, names)

    limits, policy = names["limits"], names["policy"]
    assert isinstance(limits, Limits)
    assert isinstance(policy, Policy)
    price = costs.gas_price(ScriptedEndpoint(chain), chain.head.base_fee)
    assert limits.least_channel == costs.leaving_gas(1, 1) * price
    # 3,000 dollars with 6 decimals for 10**18 wei, rounded up.
    assert worth_of(policy, TOKEN, limits.least_channel) == -(-limits.least_channel * 3 // 10**9)
    assert 0 < dust_of(policy, TOKEN, limits.dust) < limits.dust
