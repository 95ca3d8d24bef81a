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
from tests.node.chain.conftest import ALICE, Party, World, plain_token


def mined(party: Party, count: int) -> None:
    for _ in range(count):
        party.world.chain.mine()
        party.poll()


def test_transaction_that_always_reverts_is_repeated_ever_more_seldom(world: World) -> None:
    """A token can tell a question from a transaction: every estimate then promises success."""
    party = world.party()
    party.endpoint.estimate = lambda *_: 100_000  # type: ignore[method-assign]
    party.port.submit(world.settle())  # of a channel that nobody has opened
    party.poll()
    mined(party, 100)
    assert len({sent.nonce for sent in party.of(Sent)}) <= 8
    assert not any(paid.succeeded for paid in party.of(Paid))
    # Not given up: what has become possible is done in the end.
    world.open(ALICE, 70)
    party.port.submit(world.register(4))
    mined(party, 3)
    world.chain.mine(at=world.later(601))
    for _ in range(200):
        mined(party, 1)
        if party.port.submitter.idle:
            break
    assert [paid.kind for paid in party.of(Paid) if paid.succeeded] == ["Register", "Settle"]


def gift(party: Party) -> Wish:
    call = Call(Address(b"\x77" * 20), b"", Wei(7))
    return Wish(b"gift", "Gift", call, party.world.later(10**6), once=True)


def test_receiver_of_a_gift_does_not_burn_our_gas(world: World) -> None:
    """Attack: the account that a faucet gives to is a contract that computes for ever."""
    party = world.party()
    party.endpoint.estimate = lambda *_: 16_000_000  # type: ignore[method-assign]
    party.port.submitter.submit(gift(party))
    party.poll()
    mined(party, 20)
    assert party.of(Sent) == []
    assert {refused.key for refused in party.of(Refused)} == {b"gift"}


def test_gift_without_an_estimate_brings_little_gas(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = world.party()
    gas: list[int] = []
    sign = ScriptedAccount.sign_transaction

    def signs(account: ScriptedAccount, params: TxParams) -> tuple[bytes, bytes]:
        gas.append(params["gas"])
        return sign(account, params)

    def busy(*_: object) -> int:
        raise NodeBusy("busy")

    monkeypatch.setattr(ScriptedAccount, "sign_transaction", signs)
    party.endpoint.estimate = busy  # type: ignore[method-assign]
    party.port.submitter.submit(gift(party))
    party.poll()
    mined(party, 3)
    assert gas
    assert max(gas) <= 84_000


def test_second_try_is_not_put_off(world: World) -> None:
    party = world.party()
    party.endpoint.estimate = lambda *_: 100_000  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    party.poll()
    world.chain.mine()  # reverts: the channel is opened right behind
    world.open(ALICE, 70)
    mined(party, 4)
    assert [paid.succeeded for paid in party.of(Paid)] == [False, True]


def test_token_that_forgets_what_it_allowed_is_not_asked_for_ever(world: World) -> None:
    party = world.party()
    token = plain_token(world, ALICE)
    true = party.endpoint.ask

    def forgets(query: object, number: int) -> object:
        data = query.data  # type: ignore[attr-defined]
        allowance = abi.encode_call("allowance(address,address)", ALICE.address, ALICE.address)
        return Wei(0) if data[:4] == allowance[:4] else true(query, number)  # type: ignore[arg-type]

    party.endpoint.ask = forgets  # type: ignore[method-assign, assignment]
    deposit = DepositMoney(token, world.id, False, Wei(5), world.later(10**6))
    party.port.submit(Submit(b"d" + world.id, deposit))
    party.poll()
    mined(party, 150)
    assert 1 <= len({sent.nonce for sent in party.of(Sent)}) <= 8


@pytest.mark.parametrize("nonce", [300, 10**12])
def test_nonce_that_a_node_made_up_does_not_cost_all_those_below(world: World, nonce: int) -> None:
    world.open(ALICE, 70)
    party = world.party(journal=MemoryJournal())
    party.endpoint.next_nonce = lambda *_: nonce  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    party.poll()
    del party.endpoint.next_nonce
    mined(party, 20)
    assert [paid.kind for paid in party.of(Paid)] == ["Register"]
    assert party.of(NonceTaken) == []
    assert len(party.of(Sent)) <= 3


@pytest.mark.parametrize("lie", [1, 63, 64, 65, 66, 1_000, 2**40])
def test_answer_goes_out_whatever_a_pool_is_said_to_hold(world: World, lie: int) -> None:
    world.open(ALICE, 70)
    party = world.party()
    true = party.endpoint.next_nonce
    party.endpoint.next_nonce = (  # type: ignore[method-assign]
        lambda account, number=None: true(account, number) + (lie if number is None else 0)
    )
    party.port.submit(world.register(4))
    mined(party, 90)
    assert [paid.kind for paid in party.of(Paid) if paid.kind != "Nothing"] == ["Register"]


def test_tip_that_a_node_asks_for_is_believed_so_far_only() -> None:
    policy = FeePolicy()
    bid = first_fees(policy, Wei(GWEI), Wei(900 * GWEI))
    assert bid.tip == policy.first_tip < 100 * GWEI
    # Left lying, it rises all the same: a tip that is needed is paid.
    raised = higher_fees(policy, bid, Wei(GWEI), Wei(900 * GWEI))
    assert raised is not None
    assert bid.tip < raised.tip <= bid.tip * 5 // 4 + 1


def test_account_that_cannot_pay_twice_the_base_fee_bids_what_it_has(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    gas = 400_000
    party.endpoint.estimate = lambda *_: gas  # type: ignore[method-assign]
    has = Wei(gas * (BASE_FEE * 3 // 2))
    party.endpoint.balance = lambda *_: has  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    party.poll()
    (sent,) = party.of(Sent)
    assert sent.fees.most > BASE_FEE
    assert sent.fees.most * gas <= has
    mined(party, 3)
    assert [paid.succeeded for paid in party.of(Paid)] == [True]


def test_account_without_ether_says_so_and_signs_nothing(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.endpoint.balance = lambda *_: Wei(0)  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    mined(party, 5)
    assert party.of(TooPoor)
    assert party.of(Sent) == []
    del party.endpoint.balance
    mined(party, 4)
    assert [paid.succeeded for paid in party.of(Paid)] == [True]


@pytest.mark.parametrize("quirk", ["keeps it to itself", "has it already", "counts one too many"])
def test_transaction_that_no_block_takes_is_told(world: World, quirk: str) -> None:
    world.open(ALICE, 70)
    party = world.party()
    true = party.endpoint.next_nonce

    def known(_: bytes) -> None:
        raise PoolRefused("already known")

    if quirk == "keeps it to itself":
        party.endpoint.send = lambda _: None  # type: ignore[method-assign]
    elif quirk == "has it already":
        party.endpoint.send = known  # type: ignore[method-assign]
    else:
        party.endpoint.next_nonce = lambda *a: true(*a) + 1  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    mined(party, 40)
    assert [told.blocks for told in party.of(LeftLying)] == [8, 16, 32]


def test_node_that_finds_no_receipt_does_not_have_us_pay_at_every_block(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.endpoint.mined = lambda _: None  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    party.poll()
    mined(party, 150)
    assert 1 <= len({sent.nonce for sent in party.of(Sent)}) <= 9


@pytest.mark.parametrize("gas", [0, 1, 20_999])
def test_estimate_of_nothing_ends_nothing(world: World, gas: int) -> None:
    world.open(ALICE, 70)
    party = world.party()
    party.endpoint.estimate = lambda *_: gas  # type: ignore[method-assign]
    party.port.submit(world.register(4))
    mined(party, 3)
    assert party.of(Sent)
