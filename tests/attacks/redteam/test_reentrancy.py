"""The split guard: whoever is called by MSContract gets back in nowhere, and later everywhere.

A hook that fails for another reason would prove nothing, so each is made from outside as well,
where it must succeed.
"""

from __future__ import annotations

from typing import Any

import pytest
from eth_hash.auto import keccak
from web3 import Web3

from perun.types import ETH
from tests.support.channels import Holdings, new_channel
from tests.support.contracts import Deployed
from tests.support.instances import new_nano
from tests.support.stage import FOREVER, Stage


def ways_in(stage: Stage, caller: Deployed) -> dict[str, bytes]:
    """Calldata of every entry point, each good for `caller` now."""
    who = stage.party_at(caller.address, stage.alice)
    offer = (0, 0, stage.now + 1000)
    mine = new_channel(stage, alice=who)
    by_bob = stage.bob.sign_with_account(mine.open_digest(*offer))
    paid, drained, disputed, over, fresh = (new_channel(stage, alice=who) for _ in range(5))
    over = new_channel(stage, challenge=0)
    for channel in (paid, drained, disputed, over, fresh):
        channel.fund(0, 5)
    disputed.register(stage.bob, 0)
    over.register(stage.bob, 0)
    stage.ms.send(stage.carol, "fund", ETH, caller.address, 5, value=5)
    data = stage.ms.call_data
    return {
        "open": data("open", mine.terms, 0, FOREVER),
        "openBoth": data("openBoth", mine.terms, *offer, by_bob),
        "deposit": data("deposit", ETH, mine.id, True, 0, FOREVER),
        "fund": data("fund", ETH, caller.address, 0),
        "claim": data("claim", ETH, 5, stage.carol.account),
        "close": data("close", paid.terms, 0, FOREVER, 0, *paid.both(paid.close_digest())),
        "withdraw": data(
            "withdraw", drained.terms, 0, 0, 5, FOREVER,
            *drained.both(drained.withdraw_digest(0, 0, 5)),
        ),
        "register, opening": data("register", fresh.terms, 0, 0, (), b"", b"", ()),
        "register, answering": data(
            "register", disputed.terms, 4, 0, (), *disputed.state(4), ()
        ),
        "settle": data("settle", over.terms, 0, ()),
        "settleMany": data("settleMany", ((over.terms, 0, ()),)),
    }  # fmt: skip


class Payee:
    """ETH leaves to an account that calls back."""

    contract = "ReenteringPayee"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.called = stage.deploy(self.contract)
        self.channel = new_channel(stage, bob=stage.party_at(self.called.address, stage.bob))
        self.channel.fund(0, 5)

    def inside(self) -> None:
        self.channel.close(self.stage.carol, 0)

    def outside(self) -> None:
        self.stage.transact(self.stage.carol, self.called.address, b"", 1, None)


class TokenOut(Payee):
    """A token leaves, and calls back."""

    contract = "ReenteringToken"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.called = stage.deploy_token(self.contract)
        self.channel = new_channel(stage, asset=self.called).fund(0, 5)

    def outside(self) -> None:
        self.called.send(self.stage.treasury, "transfer", self.stage.carol.account, 1)


class TokenIn(TokenOut):
    """A token comes in, and calls back between the two looks at the balance."""

    def inside(self) -> None:
        self.channel.fund(0, 1)


class TokenClaimed(TokenOut):
    """The one payment without a limit of gas."""

    def inside(self) -> None:
        treasury = self.stage.treasury
        self.stage.ms.send(treasury, "claim", self.called.address, 1, treasury.account)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        treasury = stage.treasury
        stage.ms.send(treasury, "fund", self.called.address, treasury.account, 1)


class PayeeClaims(Payee):
    """Credit is claimed to an account that calls back, with all the gas there is."""

    def inside(self) -> None:
        self.stage.ms.send(self.stage.carol, "claim", ETH, 1, self.called.address)

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        stage.ms.send(stage.carol, "fund", ETH, stage.carol.account, 1, value=1)


class Evidence(Payee):
    """Evidence is passed on, to a nanocontract that calls back."""

    contract = "ReenteringNanocontract"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.called = stage.deploy(self.contract)
        self.channel = new_channel(stage).fund(5, 5)

    def inside(self) -> None:
        nanos = (new_nano(self.called, 1, 1, 1, FOREVER),)
        self.channel.register(self.stage.alice, 1, nanos=nanos, evidence=(b"x",))

    def outside(self) -> None:
        self.called.send(self.stage.carol, "submit", b"")


@pytest.mark.parametrize("kind", [Payee, PayeeClaims, TokenOut, TokenIn, TokenClaimed, Evidence])
def test_no_way_in(stage: Stage, kind: Any) -> None:
    scene = kind(stage)
    called = scene.called
    for name, data in ways_in(stage, called).items():
        called.send(stage.carol, "setHook", stage.ms.address, data)
        with stage.chain.isolated():
            scene.inside()
            assert (called.ask("tried"), called.ask("succeeded")) == (1, 0), name
        with stage.chain.isolated():
            scene.outside()
            assert (called.ask("tried"), called.ask("succeeded")) == (1, 1), f"{name}: bad hook"


def test_hook_cannot_have_a_deposit_counted_twice(stage: Stage) -> None:
    """Money that a hook moves itself during a deposit is a gift, whatever it tries."""
    token = stage.deploy_token("ReenteringToken", stage.mallory)
    victim = new_channel(stage, asset=token).fund(100, 100)
    mine = new_channel(stage, alice=stage.mallory, asset=token)
    again = stage.ms.call_data("deposit", token.address, mine.id, False, 7, FOREVER)
    token.send(stage.carol, "setHook", stage.ms.address, again)
    stage.ms.send(stage.mallory, "deposit", token.address, mine.id, False, 7, FOREVER)
    assert mine.holdings() == Holdings(7, 0)
    assert stage.balance(token.address, stage.ms) == 207
    assert victim.holdings() == Holdings(100, 100)


def test_guard_opens_again_within_a_transaction(stage: Stage) -> None:
    """Transient storage outlives the call: a wallet that makes several must not be shut out."""
    token = stage.deploy_token("PlainToken", stage.alice)
    here = new_channel(stage)
    address = bytes(keccak(b"not yet"))[:20]
    fund = stage.ms.call_data("fund", ETH, address, 1)
    stage.ms.send(stage.carol, "fund", ETH, stage.carol.account, 2, value=2)
    app = stage.deploy("LiarNanocontract")
    nanos = (new_nano(app, 1, 1, 1, FOREVER),)
    here.fund(5, 5).register(stage.alice, 1, nanos=nanos)
    evidence = stage.ms.call_data("register", here.terms, 0, 0, nanos, b"", b"", (b"x",))
    nothing = stage.ms.call_data("deposit", token.address, here.id, True, 0, FOREVER)
    many = stage.ms.call_data("settleMany", ((here.terms, 0, ()),))
    sequence = [
        (fund, 1), (nothing, 0), (evidence, 0), (many, 0), (fund, 1), (evidence, 0), (nothing, 0)
    ]  # fmt: skip
    code = b"".join(call_code(stage.ms.address, data, value, index) for index, (data, value)
                    in enumerate(sequence))  # fmt: skip
    sent = {
        "from": Web3.to_checksum_address(stage.treasury.account),
        "data": code + b"\x00", "value": 2, "gas": 8_000_000,
    }  # fmt: skip
    receipt = stage.web3.eth.get_transaction_receipt(stage.web3.eth.send_transaction(sent))
    assert receipt["status"] == 1
    assert stage.credit(ETH, address) == 2


def call_code(to: bytes, data: bytes, value: int, index: int) -> bytes:
    """Bytecode that calls and reverts if the call failed; position independent (PC)."""
    code = b""
    for offset in range(0, len(data), 32):
        chunk = data[offset : offset + 32].ljust(32, b"\0")
        code += (
            b"\x7f" + chunk + b"\x61" + offset.to_bytes(2, "big") + b"\x52"
        )  # PUSH32 PUSH2 MSTORE
    code += b"\x5f\x5f\x61" + len(data).to_bytes(2, "big") + b"\x5f"  # out, in
    code += b"\x60" + bytes([value]) + b"\x73" + to + b"\x5a\xf1"  # value, to, GAS CALL
    # PC + 8 is the JUMPDEST behind the revert
    return code + b"\x58\x60\x08\x01\x57\x5f\x5f\xfd\x5b"
