"""Odd accounts, apps, assets and batches: what they break is their own."""

from __future__ import annotations

import msgspec
import pytest

from perun.types import ETH
from populus.exceptions import ContractReverted
from tests.support.channels import BasicChannel, Holdings, new_channel, sorted_nanos
from tests.support.instances import new_machine, new_nano
from tests.support.reverts import reverts
from tests.support.stage import FOREVER, HOUR, Stage

PRECOMPILES = tuple(number.to_bytes(20, "big") for number in (1, 2, 3, 4, 5, 9, 0x0A, 0x0B))


@pytest.mark.parametrize("name", ["ms", "vpm", "signatures", "nobody", "sha256", "identity"])
def test_assets_that_are_none_hold_nothing(stage: Stage, name: str) -> None:
    asset = {
        "nobody": b"\x77" * 20,
        "sha256": PRECOMPILES[1],
        "identity": PRECOMPILES[3],
    }.get(name) or getattr(stage, name).address
    channel = new_channel(stage, asset=asset)
    calls = (
        ("deposit", asset, channel.id, False, 1, FOREVER),
        ("open", channel.terms, 0, FOREVER),
        ("fund", asset, stage.alice.account, 0),
    )
    for call in calls:
        with pytest.raises(ContractReverted):
            stage.ms.send(stage.alice, *call)
    assert channel.holdings() == Holdings(0, 0)


@pytest.mark.parametrize("what", ["ms", "vpm", "token"])
def test_account_that_cannot_be_paid_harms_itself(stage: Stage, what: str) -> None:
    """ETH for a contract that takes none is its credit; the other side and others are paid."""
    odd = stage.party_at(getattr(stage, what).address, stage.mallory)
    channel = new_channel(stage, bob=odd).fund(10, 10)
    other = new_channel(stage).fund(3, 4)
    gained = stage.gains(ETH, stage.alice, stage.ms)
    channel.close(stage.carol, 2)
    assert gained() == (8, -8)
    assert channel.credits() == (0, 12)
    other.close(stage.carol, 0)


def test_tokens_sent_to_the_contract_itself_are_nobodys(stage: Stage) -> None:
    itself = stage.party_at(stage.ms.address, stage.mallory)
    channel = new_channel(stage, bob=itself, asset=stage.token).fund(10, 10)
    other = new_channel(stage, asset=stage.token).fund(3, 4)
    before = stage.balance(channel.asset, stage.ms)
    channel.close(stage.carol, 0)
    assert stage.balance(channel.asset, stage.ms) == before - 10
    assert channel.holdings() == Holdings(0, 0)
    gained = stage.gains(channel.asset, stage.alice, stage.bob)
    other.close(stage.carol, 0)
    assert gained() == (3, 4)


def test_forced_eth_is_nobodys(stage: Stage) -> None:
    channel = new_channel(stage).fund(10, 10)
    before = stage.balance(ETH, stage.ms)
    stage.deploy("Forcer", stage.ms.address, value=1000)
    assert stage.balance(ETH, stage.ms) == before + 1000
    with reverts("InsufficientCredit", ETH, stage.mallory.account, 0, 1):
        stage.ms.send(stage.mallory, "claim", ETH, 1, stage.mallory.account)
    with reverts("WrongValue", 1000, 0):
        stage.ms.send(stage.mallory, "deposit", ETH, channel.id, True, 1000, FOREVER)
    assert channel.holdings() == Holdings(10, 10)
    with pytest.raises(ContractReverted):
        stage.transact(stage.carol, stage.ms.address, b"", 1, None)  # no receive


def test_apps_that_are_none_wait_for_expiry(stage: Stage) -> None:
    """Precompiles answer something, contracts of ours and tokens revert, nobody says nothing."""
    apps = (
        *PRECOMPILES, b"\x77" * 20, bytes(20), stage.ms.address, stage.vpm.address,
        stage.token.address, stage.signatures.address, stage.alice.account,
    )  # fmt: skip
    end = stage.now + 2 * HOUR
    nanos = sorted_nanos(*(new_nano(app, n, 1, 1, end) for n, app in enumerate(apps)))
    channel = new_channel(stage).fund(40, 40)
    evidence = tuple(b"\1" * 64 for _ in nanos)
    channel.register(stage.alice, 1, nanos=nanos, evidence=evidence, gas=16_000_000)
    channel.wait_until_settleable()
    gained = stage.gains(ETH, stage.alice, stage.bob)
    receipt = channel.settle(stage.carol, nanos=nanos, gas=10_000_000)
    assert len(receipt.only("Settled")["remaining"]) == len(nanos)
    stage.at(end)
    channel.settle(stage.carol, nanos=nanos, gas=10_000_000)
    assert gained() == (40 - len(nanos), 40 - len(nanos))
    channel.settle(stage.carol, nanos=nanos, gas=10_000_000)
    assert gained() == (40, 40)


def test_instance_that_changes_its_mind_moves_its_own_lock_once(stage: Stage) -> None:
    app = stage.deploy("LiarNanocontract")
    honest = new_machine(stage, validity=stage.now + 100, challenge=60)
    honest.submit(stage.carol, by_alice=4)
    nanos = sorted_nanos(new_nano(app, 1, 5, 5, FOREVER), honest.nano())
    channel = new_channel(stage).fund(20, 20)
    channel.register(stage.alice, 1, nanos=nanos)
    channel.wait_until_settleable()
    gained = stage.gains(ETH, stage.alice, stage.bob)
    channel.settle(stage.carol, nanos=nanos)
    assert gained() == (5 + 6, 5 + 14)
    app.send(stage.mallory, "set", (1).to_bytes(32, "big"), True, 99)
    left = (new_nano(app, 1, 5, 5, FOREVER),)
    channel.settle(stage.carol, nanos=left)
    assert gained() == (11, 19 + 10)
    for again in (left, nanos, ()):
        with reverts("NotInDispute", channel.id):
            channel.settle(stage.carol, nanos=again)


def test_one_person_in_all_roles_takes_only_what_is_there(stage: Stage) -> None:
    """alice == bob, account == key: both payouts, both credits, one account."""
    own = new_channel(stage)
    key = stage.mallory.account_key
    assert key is not None
    terms = msgspec.structs.replace(
        own.terms, alice=key.address, bob=key.address, alice_key=key.address, bob_key=key.address
    )
    alone = stage.party_at(key.address, stage.mallory)
    channel = BasicChannel(stage, alone, alone, terms)
    stage.ms.send(stage.carol, "fund", ETH, key.address, 30, value=30)
    offer = (10, 20, stage.now + 60)
    signature = stage.mallory.sign_with_account(channel.open_digest(*offer))
    stage.ms.send(stage.mallory, "openBoth", terms, *offer, signature, value=10)
    assert (channel.holdings()[:2], stage.credit(ETH, key.address)) == ((10, 20), 10)
    gained = stage.gains(ETH, stage.mallory, stage.ms)
    channel.close(stage.mallory, -7, to_credit=2, signatures=(b"", b""))
    assert gained() == (17, -17)
    assert stage.credit(ETH, key.address) == 23


def test_blocked_contract_keeps_one_token_and_nothing_else(stage: Stage) -> None:
    """The token blocks MSContract itself: its channels end in credit, ETH is paid as ever."""
    token = stage.deploy_token("BlockingToken")
    there, here = new_channel(stage, asset=token).fund(5, 6), new_channel(stage).fund(5, 6)
    token.send(stage.carol, "setBlocked", stage.ms.address, True)
    gained = stage.gains(ETH, stage.alice, stage.bob)
    there.close(stage.carol, 1)
    here.close(stage.carol, 1)
    assert (there.credits(), gained()) == ((4, 7), (4, 7))
    with pytest.raises(ContractReverted):
        stage.ms.send(stage.alice, "claim", token.address, 4, stage.alice.account)
    token.send(stage.carol, "setBlocked", stage.ms.address, False)
    stage.ms.send(stage.alice, "claim", token.address, 4, stage.alice.account)
    with reverts("InsufficientCredit", token.address, stage.alice.account, 0, 1):
        stage.ms.send(stage.alice, "claim", token.address, 1, stage.alice.account)


def test_credit_of_one_asset_is_none_of_another(stage: Stage) -> None:
    worthless = stage.deploy_token("PlainToken", stage.mallory)
    stage.ms.send(
        stage.mallory, "fund", worthless.address, stage.mallory.account, 10**20, gas=500_000
    )
    new_channel(stage).fund(10, 10)
    eth = new_channel(stage, bob=stage.mallory)
    offer = (0, 10, stage.now + 60)
    signature = stage.mallory.sign_with_account(eth.open_digest(*offer))
    with reverts("InsufficientCredit", ETH, stage.mallory.account, 0, 10):
        stage.ms.send(stage.alice, "openBoth", eth.terms, *offer, signature)
    # the same id under another asset is another channel: nothing of it can be closed in ETH
    stage.ms.send(stage.mallory, "deposit", worthless.address, eth.id, True, 10, FOREVER)
    with reverts("EmptyChannel", eth.id):
        eth.close(stage.mallory, 0)
    with reverts("EmptyChannel", eth.id):
        eth.register(stage.mallory, 0)


def test_batch_with_bad_company_pays_the_good(stage: Stage) -> None:
    """Twice the same, never funded, not over, closed, wrong list, hostile payee: one is paid."""
    burner = stage.party_at(stage.deploy("GasBurningPayee").address, stage.mallory)
    bomb = stage.party_at(stage.deploy("BombPayee").address, stage.mallory)
    good, hostile, loud, gone, wrong = (
        new_channel(stage, bob=bob, challenge=60).fund(5, 5)
        for bob in (stage.bob, burner, bomb, stage.bob, stage.bob)
    )
    late, never = new_channel(stage, challenge=HOUR).fund(5, 5), new_channel(stage)
    app = stage.deploy("GasBurningNanocontract")
    nanos = tuple(new_nano(app, n, 1, 1, FOREVER) for n in range(3))
    hostile.register(stage.alice, 1, nanos=nanos)
    for channel in (good, loud, gone, wrong, late):
        channel.register(stage.alice, 0)
    stage.at(stage.now + 61)
    gone.settle(stage.carol)
    lists = [(c, 0, ()) for c in (never, late, gone, loud, good, good)]
    items = [(hostile, 0, nanos), (hostile, 0, nanos), (hostile, 0, nanos[:1]), *lists,
             (wrong, 1, ()), (wrong, 0, nanos)]  # fmt: skip
    gained = stage.gains(ETH, stage.alice, stage.bob)
    receipt = stage.ms.send(
        stage.carol, "settleMany",
        tuple((channel.terms, net, tuple(list_)) for channel, net, list_ in items), gas=4_000_000,
    )  # fmt: skip
    assert gained() == (5 + 5 + 2, 5)
    assert receipt.count("Settled") == 3
    assert receipt.count("SettleSkipped") == 7
    assert good.holdings() == gone.holdings() == Holdings(0, 0)
    assert hostile.holdings() == Holdings(3, 3, disputed=True)
    assert wrong.holdings() == late.holdings() == Holdings(5, 5, disputed=True)
