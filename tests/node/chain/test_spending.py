"""Gas that a lying node or token makes us spend is bounded; and what we have is used."""

from __future__ import annotations

import pytest
from web3.types import TxParams

from perun.bindings import abi
from perun.bindings.calls import Call
from perun.bindings.failures import NodeBusy, PoolRefused
from perun.chain.fees import GWEI, FeePolicy, first_fees, higher_fees
from perun.chain.journal import MemoryJournal
from perun.chain.reports import LeftLying, NonceTaken, Paid, Refused, Sent, TooPoor
from perun.chain.wishes import Wish
from perun.core.effects import DepositMoney, Submit
from perun.testing.chain import BASE_FEE
from perun.testing.pool import ScriptedAccount
from perun.types import Address, Wei
from tests.node.chain.conftest import ALICE, Site, Watcher, plain_token


def mined(watcher: Watcher, count: int) -> None:
    for _ in range(count):
        watcher.site.chain.mine()
        watcher.poll()


def test_transaction_that_always_reverts_is_repeated_ever_more_seldom(site: Site) -> None:
    """A token can tell a question from a transaction: every estimate then promises success."""
    watcher = site.watcher()
    watcher.endpoint.estimate = lambda *_: 100_000  # type: ignore[method-assign]
    watcher.port.submit(site.settle())  # of a channel that nobody has opened
    watcher.poll()
    mined(watcher, 100)
    assert len({sent.nonce for sent in watcher.of(Sent)}) <= 8
    assert not any(paid.succeeded for paid in watcher.of(Paid))
    # Not given up: what has become possible is done in the end.
    site.open(ALICE, 70)
    watcher.port.submit(site.register(4))
    mined(watcher, 3)
    site.chain.mine(at=site.later(601))
    for _ in range(200):
        mined(watcher, 1)
        if watcher.port.submitter.idle:
            break
    assert [paid.kind for paid in watcher.of(Paid) if paid.succeeded] == ["Register", "Settle"]


def gift(watcher: Watcher) -> Wish:
    call = Call(Address(b"\x77" * 20), b"", Wei(7))
    return Wish(b"gift", "Gift", call, watcher.site.later(10**6), once=True)


def test_receiver_of_a_gift_does_not_burn_our_gas(site: Site) -> None:
    """Attack: the account that a faucet gives to is a contract that computes for ever."""
    watcher = site.watcher()
    watcher.endpoint.estimate = lambda *_: 16_000_000  # type: ignore[method-assign]
    watcher.port.submitter.submit(gift(watcher))
    watcher.poll()
    mined(watcher, 20)
    assert watcher.of(Sent) == []
    assert {refused.key for refused in watcher.of(Refused)} == {b"gift"}


def test_gift_without_an_estimate_brings_little_gas(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = site.watcher()
    gas: list[int] = []
    sign = ScriptedAccount.sign_transaction

    def signs(account: ScriptedAccount, params: TxParams) -> tuple[bytes, bytes]:
        gas.append(params["gas"])
        return sign(account, params)

    def busy(*_: object) -> int:
        raise NodeBusy("busy")

    monkeypatch.setattr(ScriptedAccount, "sign_transaction", signs)
    watcher.endpoint.estimate = busy  # type: ignore[method-assign]
    watcher.port.submitter.submit(gift(watcher))
    watcher.poll()
    mined(watcher, 3)
    assert gas
    assert max(gas) <= 84_000


def test_second_try_is_not_put_off(site: Site) -> None:
    watcher = site.watcher()
    watcher.endpoint.estimate = lambda *_: 100_000  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    watcher.poll()
    site.chain.mine()  # reverts: the channel is opened right behind
    site.open(ALICE, 70)
    mined(watcher, 4)
    assert [paid.succeeded for paid in watcher.of(Paid)] == [False, True]


def test_token_that_forgets_what_it_allowed_is_not_asked_for_ever(site: Site) -> None:
    watcher = site.watcher()
    token = plain_token(site, ALICE)
    true = watcher.endpoint.ask

    def forgets(query: object, number: int) -> object:
        data = query.data  # type: ignore[attr-defined]
        allowance = abi.encode_call("allowance(address,address)", ALICE.address, ALICE.address)
        return Wei(0) if data[:4] == allowance[:4] else true(query, number)  # type: ignore[arg-type]

    watcher.endpoint.ask = forgets  # type: ignore[method-assign, assignment]
    deposit = DepositMoney(token, site.id, False, Wei(5), site.later(10**6))
    watcher.port.submit(Submit(b"d" + site.id, deposit))
    watcher.poll()
    mined(watcher, 150)
    assert 1 <= len({sent.nonce for sent in watcher.of(Sent)}) <= 8


@pytest.mark.parametrize("nonce", [300, 10**12])
def test_nonce_that_a_node_made_up_does_not_cost_all_those_below(site: Site, nonce: int) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher(journal=MemoryJournal())
    watcher.endpoint.next_nonce = lambda *_: nonce  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    watcher.poll()
    del watcher.endpoint.next_nonce
    mined(watcher, 20)
    assert [paid.kind for paid in watcher.of(Paid)] == ["Register"]
    assert watcher.of(NonceTaken) == []
    assert len(watcher.of(Sent)) <= 3


@pytest.mark.parametrize("lie", [1, 63, 64, 65, 66, 1_000, 2**40])
def test_answer_goes_out_whatever_a_pool_is_said_to_hold(site: Site, lie: int) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    true = watcher.endpoint.next_nonce
    watcher.endpoint.next_nonce = (  # type: ignore[method-assign]
        lambda account, number=None: true(account, number) + (lie if number is None else 0)
    )
    watcher.port.submit(site.register(4))
    mined(watcher, 90)
    assert [paid.kind for paid in watcher.of(Paid) if paid.kind != "Nothing"] == ["Register"]


def test_tip_that_a_node_asks_for_is_believed_so_far_only() -> None:
    policy = FeePolicy()
    bid = first_fees(policy, Wei(GWEI), Wei(900 * GWEI))
    assert bid.tip == policy.first_tip < 100 * GWEI
    # Left lying, it rises all the same: a tip that is needed is paid.
    raised = higher_fees(policy, bid, Wei(GWEI), Wei(900 * GWEI))
    assert raised is not None
    assert bid.tip < raised.tip <= bid.tip * 5 // 4 + 1


def test_account_that_cannot_pay_twice_the_base_fee_bids_what_it_has(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    gas = 400_000
    watcher.endpoint.estimate = lambda *_: gas  # type: ignore[method-assign]
    has = Wei(gas * (BASE_FEE * 3 // 2))
    watcher.endpoint.balance = lambda *_: has  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    watcher.poll()
    (sent,) = watcher.of(Sent)
    assert sent.fees.most > BASE_FEE
    assert sent.fees.most * gas <= has
    mined(watcher, 3)
    assert [paid.succeeded for paid in watcher.of(Paid)] == [True]


def test_account_without_ether_says_so_and_signs_nothing(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.endpoint.balance = lambda *_: Wei(0)  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    mined(watcher, 5)
    assert watcher.of(TooPoor)
    assert watcher.of(Sent) == []
    del watcher.endpoint.balance
    mined(watcher, 4)
    assert [paid.succeeded for paid in watcher.of(Paid)] == [True]


@pytest.mark.parametrize("quirk", ["keeps it to itself", "has it already", "counts one too many"])
def test_transaction_that_no_block_takes_is_told(site: Site, quirk: str) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    true = watcher.endpoint.next_nonce

    def known(_: bytes) -> None:
        raise PoolRefused("already known")

    if quirk == "keeps it to itself":
        watcher.endpoint.send = lambda _: None  # type: ignore[method-assign]
    elif quirk == "has it already":
        watcher.endpoint.send = known  # type: ignore[method-assign]
    else:
        watcher.endpoint.next_nonce = lambda *a: true(*a) + 1  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    mined(watcher, 40)
    assert [told.blocks for told in watcher.of(LeftLying)] == [8, 16, 32]


def test_node_that_finds_no_receipt_does_not_have_us_pay_at_every_block(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.endpoint.mined = lambda _: None  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    watcher.poll()
    mined(watcher, 150)
    assert 1 <= len({sent.nonce for sent in watcher.of(Sent)}) <= 9


@pytest.mark.parametrize("gas", [0, 1, 20_999])
def test_estimate_of_nothing_ends_nothing(site: Site, gas: int) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher()
    watcher.endpoint.estimate = lambda *_: gas  # type: ignore[method-assign]
    watcher.port.submit(site.register(4))
    mined(watcher, 3)
    assert watcher.of(Sent)
