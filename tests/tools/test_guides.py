"""Python in the guides runs, and does what the text around it says; files stand where they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from perun.chain import costs, rpc
from perun.core.config import Policy
from perun.core.limits import Limits
from perun.core.rules.worth import dust_of, worth_of
from perun.testing.bent import logs
from perun.testing.chain import ScriptedChain
from perun.testing.endpoint import ScriptedEndpoint
from perun.types import ETH, Address, Asset

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs" / "guides"
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


# ---------------------------------------------------------------- for whoever adds something


def _read(guide: str) -> str:
    return (GUIDES / f"add-a-{guide}.md").read_text(encoding="utf-8")


def _table(guide: str, heading: str) -> str:
    """What stands under a heading, to the end of its table."""
    return _read(guide).split(f"## {heading}\n\n")[1].split("\n\n")[0]


@pytest.mark.parametrize("guide", ["message", "limit", "quirk"])
def test_every_file_that_a_guide_names_is_there(guide: str) -> None:
    named = re.findall(r"`((?:perun|tests|proofs|docs)/[\w/.-]+)`", _read(guide))
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    ("guide", "example"), [("message", "AnswerWithdraw"), ("limit", "unresolved_per_channel")]
)
def test_guide_names_every_place_where_its_example_stands(guide: str, example: str) -> None:
    """No file of the package names it that the table does not."""
    named = set(re.findall(r"^\| `(perun/[\w/]+\.py)`", _table(guide, "Where it stands"), re.M))
    word = re.compile(rf"\b{example}\b")
    stands = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "perun").rglob("*.py")
        if word.search(file.read_text(encoding="utf-8"))
    }
    assert stands == named


def test_guide_of_quirks_names_the_files_of_its_catalogue_and_a_quirk() -> None:
    folder = ROOT / "perun" / "testing" / "bent"
    bending = {file.name for file in folder.glob("*.py") if "KINDS" in file.read_text("utf-8")}
    named = set(re.findall(r"`(\w+\.py)`", _table("quirk", "First make it happen") + _bent()))
    assert bending - {"catalogue.py"} == named - {"words.py"}
    assert "no logs by hash" in {kind.name for kind in logs.KINDS}


def _bent() -> str:
    return _read("quirk").split("| what is bent |")[1].split("\n\n")[0]


def test_guide_of_quirks_names_files_of_the_chain_port() -> None:
    table = _read("quirk").split("| question |")[1].split("\n\n")[0]
    named = re.findall(r"`(\w+\.py)`", table)
    assert len(named) > 12
    assert [name for name in named if not (ROOT / "perun" / "chain" / name).exists()] == []
