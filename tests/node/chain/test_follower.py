"""What the follower tells the core, on a scripted chain with the real contracts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.bindings import erc20, ms_contract_calls, vpm
from perun.bindings.failures import NodeUnreachable
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.reports import FinalityBroken
from perun.core.chain_view import EMPTY
from perun.core.effects import Watch
from perun.core.inputs import ChainAnnounced, ChainBlock, ChainChannel, ChainCredit, ChainInstance
from perun.core.signing import digest
from perun.crypto.signatures import sign
from perun.encoding import machine_id
from perun.testing.chain import BASE_FEE
from perun.types import (
    ETH,
    InstanceId,
    Machine,
    Nano,
    Open,
    Salt,
    Seconds,
    Settlement,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)
from tests.node.chain.conftest import ALICE, BOB, INGRID, LIMITS, Site, plain_token

FAR = UnixTime(2**33)


def test_first_round_reports_block_then_channel_as_it_stands(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    inputs = watcher.poll()
    price = first_fees(FeePolicy(), BASE_FEE, FeePolicy().least_tip).most
    assert inputs[0] == ChainBlock(1, site.chain.now, 0, UnixTime(site.chain.now - 1), price)
    head, final = watcher.seen(site.id)
    assert (head.alice, head.bob, head.announced_by) == (70, 0, (True, False))
    assert final == EMPTY


def test_price_of_gas_comes_with_each_block(site: Site) -> None:
    watcher = site.watcher(BOB)
    watcher.poll()
    true = watcher.endpoint.block
    prices = []
    for base_fee in (10**9, 10**12, 7):
        site.chain.mine()
        watcher.endpoint.block = lambda number=None, fee=base_fee: replace(  # type: ignore[method-assign]
            true(number), base_fee=Wei(fee)
        )
        prices.append(watcher.poll()[0].gas_price)
    assert prices == [
        first_fees(FeePolicy(), Wei(fee), BASE_FEE).most for fee in (10**9, 10**12, 7)
    ]


def test_same_block_is_reported_once(site: Site) -> None:
    watcher = site.watcher()
    assert watcher.poll()
    assert watcher.poll() == []


def test_deposit_becomes_final_after_finality_blocks(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    watcher.poll()
    assert watcher.seen(site.id)[1].alice == 0
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id) is None
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id)[1].alice == 70


def test_reorganisation_takes_deposit_out_of_head(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    watcher.poll()
    site.chain.reorganise(1, keep=False)
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id) == (EMPTY, EMPTY)


def test_block_in_another_block_s_place_is_no_contradiction_of_its_logs(site: Site) -> None:
    """Twice reorganised, and the second time deeper: the hash of a block that was asked for
    between the two belongs to a block that is gone. No node has contradicted itself."""
    watcher = site.watcher(INGRID)
    watcher.port.watch(site.watch)
    site.chain.mine()
    watcher.poll()
    site.chain.receive(site.transaction(ALICE, site.call(site.opening(70))))
    for depth, kept in ((1, False), (2, True)):
        site.chain.reorganise(depth, keep=kept)
        for _ in range(depth + 1):
            site.chain.mine()
        watcher.poll()
    assert watcher.seen(site.id)[0].alice == 70


def test_reorganisation_may_put_it_into_another_block(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    watcher.poll()
    site.chain.reorganise(1, keep=True)
    site.chain.mine([])
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id) is None  # the very same view of the channel
    assert site.holdings() == (70, 0)


def test_broken_finality_is_said_and_read_again(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    site.chain.mine()
    site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id)[1].alice == 70
    site.chain.reorganise(3, keep=False)
    for _ in range(4):
        site.chain.mine([])
    watcher.poll()
    assert watcher.of(FinalityBroken)
    assert watcher.seen(site.id) == (EMPTY, EMPTY)


def test_finality_tag_decides_and_never_goes_back(site: Site) -> None:
    watcher = site.watcher(limits=replace(LIMITS, finality_blocks=None))
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    for _ in range(5):
        site.chain.mine()
    watcher.poll()
    assert watcher.seen(site.id)[1] == EMPTY  # nothing is final until the chain says so
    finals = []
    for tagged in (3, 1, 5):
        site.chain.tagged = tagged
        site.chain.mine()
        (block,) = [item for item in watcher.poll() if isinstance(item, ChainBlock)]
        finals.append(block.final_number)
    assert finals == [3, 3, 5]


def test_nothing_is_counted_twice_when_node_fails_in_the_middle(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    watcher.poll()
    site.open(ALICE, 70)
    agreed = Withdraw(site.id, 0, Wei(30), Wei(0), site.later(300))
    hashed = digest(site.deployment, agreed)
    call = ms_contract_calls.withdraw(
        site.deployment.contract.contract,
        site.channel,
        agreed,
        sign(hashed, ALICE),
        sign(hashed, BOB),
    )
    site.act(ALICE, call)
    site.chain.mine()
    site.chain.mine()
    ask = watcher.endpoint.ask
    watcher.endpoint.ask = _fail
    with pytest.raises(NodeUnreachable):
        watcher.poll()
    head, final = watcher.seen(site.id)
    assert (final.alice, final.withdrawals) == (40, 1)
    assert head == final
    watcher.endpoint.ask = ask
    watcher.poll()
    assert watcher.seen(site.id) is None


def _fail(*_: object) -> None:
    raise NodeUnreachable("broken off")


def test_deposit_under_another_asset_is_not_the_channels(site: Site) -> None:
    """Anybody can deposit a worthless token under our channel's id."""
    token = plain_token(site, BOB)
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    contract = site.deployment.contract.contract
    site.act(BOB, erc20.approve(token, contract, Wei(10**6)))
    site.act(
        BOB,
        ms_contract_calls.deposit(
            contract, token, site.id, Wei(10**6), site.later(300), to_bob=True
        ),
    )
    watcher.poll()
    (log,) = watcher.endpoint.logs([contract], 1, site.chain.head.number)
    assert log.topics[1] == site.id, "the contract has announced a deposit under our id"
    assert watcher.seen(site.id) == (EMPTY, EMPTY)


def test_register_is_danger_from_the_newest_block(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    other = site.watcher(BOB)
    other.port.submit(site.register(4, net=25))
    other.poll()
    site.chain.mine()
    watcher.poll()
    head, final = watcher.seen(site.id)
    assert head.dispute is not None
    assert (head.dispute.version, head.dispute.net) == (4, 25)
    assert head.dispute.deadline == site.chain.now + 600
    assert final.dispute is None


def test_settled_channel_has_ended_for_ever(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    for wish in (site.register(4, net=25), site.settle(25)):
        other = site.watcher(BOB)
        other.port.submit(wish)
        other.poll()
        site.chain.mine()
        site.chain.mine(at=site.later(601))
    site.open(BOB, 5)  # somebody pays into the spent id
    watcher.poll()
    head, _ = watcher.seen(site.id)
    assert head.ended
    assert head.dispute is None


def test_what_stays_locked_becomes_the_holdings(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    site.open(ALICE, 70)
    nano = Nano(site.deployment.vpm.contract, InstanceId(b"\x05" * 32), Wei(20), Wei(5), FAR, False)
    state = State(site.id, Version(4), Wei(25), (nano,))
    hashed = digest(site.deployment, state)
    contract = site.deployment.contract.contract
    signed = (sign(hashed, ALICE), sign(hashed, BOB))
    site.act(BOB, ms_contract_calls.register(contract, site.channel, state, *signed))
    site.chain.mine(at=site.later(601))
    settlement = Settlement(site.channel, Wei(25), (nano,))
    site.act(BOB, ms_contract_calls.settle(contract, settlement))
    watcher.poll()
    head, _ = watcher.seen(site.id)
    assert (head.alice, head.bob) == site.holdings() == (20, 5)
    assert (head.dispute.net, head.dispute.nanos, head.dispute.settling) == (0, (nano,), True)
    assert not head.ended


def test_open_both_shows_as_drawn_at_final_block_too(site: Site) -> None:
    contract = site.deployment.contract.contract
    site.act(BOB, ms_contract_calls.fund(contract, ETH, BOB.address, Wei(100)))
    offer = Open(site.id, Wei(0), Wei(60), site.later(300))
    signature = sign(digest(site.deployment, offer), BOB)
    watcher = site.watcher(BOB)
    watcher.port.watch(site.watch)
    inputs = watcher.poll()
    assert ChainCredit(ETH, BOB.address, Wei(0)) in inputs
    site.act(
        ALICE,
        ms_contract_calls.open_both(contract, site.channel, offer, signature, by_bob=False),
    )
    watcher.poll()
    head, final = watcher.seen(site.id)
    assert (head.alice, head.bob, head.drawn, final.drawn) == (0, 60, True, False)
    site.chain.mine()
    assert ChainCredit(ETH, BOB.address, Wei(100)) in _credits(watcher.poll())
    site.chain.mine()
    inputs = watcher.poll()
    assert watcher.seen(site.id)[1].drawn
    assert ChainCredit(ETH, BOB.address, Wei(40)) in inputs


def _credits(inputs: list[object]) -> list[object]:
    return [item for item in inputs if isinstance(item, ChainCredit)]


def test_announcement_that_names_us_is_passed_on_once(site: Site) -> None:
    site.open(ALICE, 70)
    watcher = site.watcher(BOB)
    assert ChainAnnounced(site.id, site.channel) in watcher.poll()
    site.chain.mine()
    assert not [item for item in watcher.poll() if isinstance(item, ChainAnnounced)]


def test_old_announcement_is_found_after_restart(site: Site) -> None:
    site.open(ALICE, 70)
    for _ in range(5):
        site.chain.mine()
    assert ChainAnnounced(site.id, site.channel) in site.watcher(BOB).poll()


def test_submission_is_seen_with_totals_and_deadline(site: Site) -> None:
    machine = Machine(
        ALICE.address,
        BOB.address,
        Wei(50),
        Wei(50),
        site.later(3_600),
        Seconds(600),
        Salt(bytes(32)),
    )
    id = machine_id(site.deployment.vpm, machine)
    watcher = site.watcher()
    watcher.port.watch(Watch(app=site.deployment.vpm.contract, instance=id))
    watcher.poll()
    assert watcher.seen_instance(id).head is None
    signed = sign(digest(site.deployment, Statement(id, Wei(7))), ALICE)
    call = vpm.submit_statements(
        site.deployment.vpm.contract, machine, Wei(7), signed, Wei(0), Signature(b"")
    )
    site.act(BOB, call)
    watcher.poll()
    seen = watcher.seen_instance(id)
    assert (seen.head.paid_by_alice, seen.head.paid_by_bob) == (7, 0)
    assert seen.head.deadline == site.chain.now + 600
    assert seen.final is None


def test_instance_that_is_over_is_followed_no_longer_nor_asked_for(site: Site) -> None:
    """Whoever asks a hub for instances, and lets each lapse, leaves nothing behind."""
    id, other = InstanceId(b"\x01" * 32), InstanceId(b"\x02" * 32)
    watcher, app = site.watcher(), site.deployment.vpm.contract
    watcher.port.watch(Watch(app=app, instance=id))
    assert [type(said) for said in watcher.poll()].count(ChainInstance) == 1
    watcher.port.watch(Watch(instance=id, over=True))
    watcher.port.watch(Watch(app=app, instance=other))
    watcher.port.watch(Watch(instance=other, over=True))
    assert [type(said) for said in watcher.poll()].count(ChainInstance) == 0
    assert watcher.port.follower._followed == {}

    # Taken up again it is reported as it stands, also when it was let go in the same round.
    for _ in range(2):
        watcher.port.watch(Watch(instance=id, over=True))
        watcher.port.watch(Watch(app=app, instance=id))
        assert [type(said) for said in watcher.poll()].count(ChainInstance) == 1


def test_channel_that_is_over_is_followed_no_longer_nor_asked_for(site: Site) -> None:
    """Whoever offers channels, and is refused, leaves nothing behind."""
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    assert [type(said) for said in watcher.poll()].count(ChainChannel) == 1
    watcher.port.watch(Watch(channel=site.id, over=True))
    watcher.port.watch(site.watch)
    watcher.port.watch(Watch(channel=site.id, over=True))
    site.chain.mine()
    assert [type(said) for said in watcher.poll()].count(ChainChannel) == 0
    assert watcher.port.follower._followed == {}
    watcher.port.watch(site.watch)
    assert [type(said) for said in watcher.poll()].count(ChainChannel) == 1


def test_unreachable_node_loses_nothing(site: Site) -> None:
    watcher = site.watcher()
    watcher.port.watch(site.watch)
    watcher.poll()
    watcher.endpoint.reachable = False
    site.open(ALICE, 70)
    with pytest.raises(NodeUnreachable):
        watcher.poll()
    watcher.endpoint.reachable = True
    watcher.poll()
    assert watcher.seen(site.id)[0].alice == 70
