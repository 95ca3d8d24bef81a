"""Payouts of `close`, `withdraw`, `settle`: who cannot be paid gets credit, the other is paid."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perun.testing.owners import Owner
from perun.types import ETH
from tests.support.channels import BasicChannel, new_channel
from tests.support.contracts import Receipt
from tests.support.stage import Stage
from tests.support.strange import BROKEN_TOKENS, REFUSING_PAYEES, break_token, fill_credit

Pay = Callable[[BasicChannel], Receipt]
GREATEST = 2**256 - 1
"""Most that a credit can count."""


def by_close(channel: BasicChannel) -> Receipt:
    return channel.close(channel.stage.carol, 3)


def by_withdraw(channel: BasicChannel) -> Receipt:
    return channel.withdraw(channel.stage.carol, 0, 7, 13)


def by_settle(channel: BasicChannel) -> Receipt:
    return channel.settle(channel.stage.carol, 3)


@pytest.fixture(params=[by_close, by_withdraw, by_settle], ids=lambda pay: pay.__name__)
def pay(request: pytest.FixtureRequest) -> Pay:
    """Pays 7 to Alice and 13 to Bob out of a `ready` channel."""
    return request.param


def ready(channel: BasicChannel, pay: Pay) -> BasicChannel:
    channel.fund(10, 10)
    if pay is by_settle:
        signatures = channel.state(2, 3)
        channel.register(channel.alice.key, 2, 3, signatures=signatures)
        channel.wait_until_settleable()
    return channel


def credited(asset: bytes, party: Owner, amount: int) -> object:
    return ("Credited", {"asset": asset, "account": party.account, "amount": amount})


@pytest.mark.parametrize("name", REFUSING_PAYEES)
@pytest.mark.parametrize("side", ["alice", "bob"])
def test_payee_that_cannot_be_paid_gets_credit(
    stage: Stage, pay: Pay, name: str, side: str
) -> None:
    party = stage.party_at(stage.deploy(name).address, getattr(stage, side))
    channel = ready(new_channel(stage, **{side: party}), pay)
    gained = stage.gains(ETH, channel.alice, channel.bob)

    receipt = pay(channel)

    if side == "alice":
        assert gained() == (0, 13)
        assert channel.credits() == (7, 0)
        assert receipt.events[1:] == (credited(ETH, party, 7),)
    else:
        assert gained() == (7, 0)
        assert channel.credits() == (0, 13)
        assert receipt.events[1:] == (credited(ETH, party, 13),)


def test_both_payees_may_refuse(stage: Stage, pay: Pay) -> None:
    alice, bob = (
        stage.party_at(stage.deploy("RefusingPayee").address, party)
        for party in (stage.alice, stage.bob)
    )
    channel = ready(new_channel(stage, alice, bob), pay)
    receipt = pay(channel)
    assert channel.credits() == (7, 13)
    assert receipt.events[1:] == (credited(ETH, alice, 7), credited(ETH, bob, 13))


def expansion(length: int) -> int:
    """Gas for `length` bytes of fresh memory (Yellow Paper, appendix H)."""
    words = (length + 31) // 32
    return 3 * words + words**2 // 512


@pytest.mark.parametrize(
    ("quiet", "loud"), [("Wallet", "LoudPayee"), ("RefusingPayee", "BombPayee")]
)
def test_answer_of_a_payee_is_not_copied(stage: Stage, pay: Pay, quiet: str, loud: str) -> None:
    """90 kB, with the money taken or refused: they cost what the payee's own memory costs, once."""
    gas = []
    for name in (quiet, loud):
        payee = stage.party_at(stage.deploy(name).address, stage.bob)
        gas.append(pay(ready(new_channel(stage, bob=payee), pay)).gas_used)
        assert stage.balance(ETH, payee) + stage.credit(ETH, payee) == 13
    assert gas[1] - gas[0] < expansion(90_000) + 1_000


def test_refusing_payee_claims_its_credit_later(stage: Stage, pay: Pay) -> None:
    payee = stage.deploy("RefusingPayee")
    channel = ready(new_channel(stage, bob=stage.party_at(payee.address, stage.bob)), pay)
    pay(channel)
    payee.send(stage.carol, "setRefusing", False)
    claim = stage.ms.call_data("claim", ETH, 13, payee.address)
    payee.send(stage.carol, "execute", stage.ms.address, 0, claim)
    assert stage.balance(ETH, payee) == 13
    assert stage.credit(ETH, payee) == 0


def test_contract_wallet_is_paid(stage: Stage, pay: Pay) -> None:
    wallet = stage.deploy("Wallet")
    channel = ready(new_channel(stage, bob=stage.party_at(wallet.address, stage.bob)), pay)
    pay(channel)
    assert stage.balance(ETH, wallet) == 13


@pytest.mark.parametrize(("appetite", "paid"), [(90_000, 13), (102_300, 0)])
def test_payout_in_eth_has_100_000_gas(stage: Stage, pay: Pay, appetite: int, paid: int) -> None:
    """And the 2,300 that every transfer of ether carries."""
    payee = stage.deploy("HungryPayee", appetite)
    channel = ready(new_channel(stage, bob=stage.party_at(payee.address, stage.bob)), pay)
    pay(channel)
    assert stage.balance(ETH, payee) == paid
    assert stage.credit(ETH, payee) == 13 - paid


def test_account_that_never_existed_is_paid(stage: Stage, pay: Pay) -> None:
    nobody = stage.party_at(b"\x5a" * 20, stage.bob)
    channel = ready(new_channel(stage, bob=nobody), pay)
    pay(channel)
    assert stage.balance(ETH, nobody) == 13


def test_contract_itself_as_payee_gets_credit(stage: Stage, pay: Pay) -> None:
    """Nobody can claim it, and nobody else's money is touched."""
    itself = stage.party_at(stage.ms.address, stage.bob)
    channel = ready(new_channel(stage, bob=itself), pay)
    gained = stage.gains(ETH, channel.alice, stage.ms)
    pay(channel)
    assert gained() == (7, -7)
    assert stage.credit(ETH, itself) == 13


# ---------------------------------------------------------------------- tokens


@pytest.mark.parametrize("name", BROKEN_TOKENS)
def test_token_that_fails_leaves_credit_to_both(stage: Stage, pay: Pay, name: str) -> None:
    token = stage.deploy_token(name)
    channel = ready(new_channel(stage, asset=token), pay)
    break_token(token)
    gained = stage.gains(channel.asset, channel.alice, channel.bob)

    receipt = pay(channel)

    assert gained() == (0, 0)
    assert channel.credits() == (7, 13)
    events = credited(token.address, channel.alice, 7), credited(token.address, channel.bob, 13)
    assert receipt.events[1:] == events
    assert receipt.gas_used < 800_000

    break_token(token, works=True)
    stage.ms.send(stage.bob, "claim", token.address, 13, stage.bob.account)
    assert gained() == (0, 13)


@pytest.mark.parametrize("side", ["alice", "bob"])
def test_blocked_payee_gets_credit(stage: Stage, pay: Pay, side: str) -> None:
    token = stage.deploy_token("BlockingToken")
    channel = ready(new_channel(stage, asset=token), pay)
    token.send(stage.carol, "setBlocked", getattr(stage, side).account, True)
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    pay(channel)
    assert gained() == ((0, 13) if side == "alice" else (7, 0))
    assert channel.credits() == ((7, 0) if side == "alice" else (0, 13))


def test_token_that_returns_nothing_is_paid_out(stage: Stage, pay: Pay) -> None:
    channel = ready(new_channel(stage, asset=stage.deploy_token("NoReturnToken")), pay)
    gained = stage.gains(channel.asset, channel.alice, channel.bob)
    pay(channel)
    assert gained() == (7, 13)


@pytest.mark.parametrize("missing", [0, 12, 13, 14])
def test_credit_of_a_payout_stops_at_the_greatest_number(
    stage: Stage, pay: Pay, missing: int
) -> None:
    """A token that lied once must not make a payout revert: the other party is paid by it."""
    token = stage.deploy_token("InflatingToken", stage.bob)
    fill_credit(token, stage.bob, missing)
    channel = ready(new_channel(stage, asset=token), pay)
    break_token(token)

    receipt = pay(channel)

    grown = min(13, missing)
    assert channel.credits() == (7, GREATEST - missing + grown)
    events = credited(token.address, channel.alice, 7), credited(token.address, channel.bob, grown)
    assert receipt.events[1:] == events


def test_surcharge_of_a_token_is_its_neighbours_loss(stage: Stage) -> None:
    """Such tokens are not supported: every payout takes more out of the pot than it pays."""
    channel = new_channel(stage, asset=stage.deploy_token("SurchargeToken")).fund(100, 100)
    gained = stage.gains(channel.asset, channel.alice, channel.bob, stage.ms)
    stage.ms.send(stage.treasury, "fund", channel.asset, stage.carol.account, 100)
    channel.close(stage.carol, 0)
    assert gained() == (100, 100, -120)
    assert stage.credit(channel.asset, stage.carol) == 100
    assert stage.balance(channel.asset, stage.ms) == 80


def test_fee_of_a_token_is_the_payees_loss(stage: Stage) -> None:
    channel = new_channel(stage, asset=stage.deploy_token("FeeToken")).fund(100, 100)
    gained = stage.gains(channel.asset, channel.alice, channel.bob, stage.ms)
    receipt = channel.close(stage.carol, 10)
    assert receipt.only("Closed") == {"id": channel.id, "alicePaid": 80, "bobPaid": 100}
    assert gained() == (72, 90, -180)


def test_nothing_to_pay_makes_no_call(stage: Stage) -> None:
    """A payee that would burn all it is given is not even asked."""
    burner = stage.party_at(stage.deploy("GasBurningPayee").address, stage.bob)
    channel = new_channel(stage, bob=burner).fund(10, 0)
    assert channel.close(stage.carol).gas_used < 100_000
    assert stage.credit(ETH, burner) == 0
