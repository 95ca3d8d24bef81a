"""What the follower tells the core, on a scripted chain with the real contracts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.bindings import erc20, ms_contract_calls, vpm
from perun.bindings.failures import NodeUnreachable
from perun.chain.fees import FeePolicy, first_fees
from perun.chain.reports import FinalityBroken
from perun.core.effects import Watch
from perun.core.inputs import ChainAnnounced, ChainBlock, ChainChannel, ChainCredit, ChainInstance
from perun.core.signing import digest
from perun.core.state import EMPTY
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
from tests.node.chain.conftest import ALICE, BOB, LIMITS, World, plain_token

FAR = UnixTime(2**33)


def test_first_round_reports_block_then_channel_as_it_stands(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party(BOB)
    party.port.watch(world.watch)
    inputs = party.poll()
    price = first_fees(FeePolicy(), BASE_FEE, FeePolicy().least_tip).most
    assert inputs[0] == ChainBlock(1, world.chain.now, 0, UnixTime(world.chain.now - 1), price)
    head, final = party.seen(world.id)
    assert (head.alice, head.bob, head.announced_by) == (70, 0, (True, False))
    assert final == EMPTY


def test_price_of_gas_comes_with_each_block(world: World) -> None:
    party = world.party(BOB)
    party.poll()
    true = party.endpoint.block
    prices = []
    for base_fee in (10**9, 10**12, 7):
        world.chain.mine()
        party.endpoint.block = lambda number=None, fee=base_fee: replace(  # type: ignore[method-assign]
            true(number), base_fee=Wei(fee)
        )
        prices.append(party.poll()[0].gas_price)
    assert prices == [
        first_fees(FeePolicy(), Wei(fee), BASE_FEE).most for fee in (10**9, 10**12, 7)
    ]


def test_same_block_is_reported_once(world: World) -> None:
    party = world.party()
    assert party.poll()
    assert party.poll() == []


def test_deposit_becomes_final_after_finality_blocks(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    party.poll()
    assert party.seen(world.id)[1].alice == 0
    world.chain.mine()
    party.poll()
    assert party.seen(world.id) is None
    world.chain.mine()
    party.poll()
    assert party.seen(world.id)[1].alice == 70


def test_reorganisation_takes_deposit_out_of_head(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    party.poll()
    world.chain.reorganise(1, keep=False)
    world.chain.mine()
    party.poll()
    assert party.seen(world.id) == (EMPTY, EMPTY)


def test_reorganisation_may_put_it_into_another_block(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    party.poll()
    world.chain.reorganise(1, keep=True)
    world.chain.mine([])
    world.chain.mine()
    party.poll()
    assert party.seen(world.id) is None  # the very same view of the channel
    assert world.holdings() == (70, 0)


def test_broken_finality_is_said_and_read_again(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    world.chain.mine()
    world.chain.mine()
    party.poll()
    assert party.seen(world.id)[1].alice == 70
    world.chain.reorganise(3, keep=False)
    for _ in range(4):
        world.chain.mine([])
    party.poll()
    assert party.of(FinalityBroken)
    assert party.seen(world.id) == (EMPTY, EMPTY)


def test_finality_tag_decides_and_never_goes_back(world: World) -> None:
    party = world.party(limits=replace(LIMITS, finality_blocks=None))
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    for _ in range(5):
        world.chain.mine()
    party.poll()
    assert party.seen(world.id)[1] == EMPTY  # nothing is final until the chain says so
    finals = []
    for tagged in (3, 1, 5):
        world.chain.tagged = tagged
        world.chain.mine()
        (block,) = [item for item in party.poll() if isinstance(item, ChainBlock)]
        finals.append(block.final_number)
    assert finals == [3, 3, 5]


def test_nothing_is_counted_twice_when_node_fails_in_the_middle(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    party.poll()
    world.open(ALICE, 70)
    agreed = Withdraw(world.id, 0, Wei(30), Wei(0), world.later(300))
    hashed = digest(world.deployment, agreed)
    call = ms_contract_calls.withdraw(
        world.deployment.contract.contract,
        world.channel,
        agreed,
        sign(hashed, ALICE),
        sign(hashed, BOB),
    )
    world.act(ALICE, call)
    world.chain.mine()
    world.chain.mine()
    ask = party.endpoint.ask
    party.endpoint.ask = _fail
    with pytest.raises(NodeUnreachable):
        party.poll()
    head, final = party.seen(world.id)
    assert (final.alice, final.withdrawals) == (40, 1)
    assert head == final
    party.endpoint.ask = ask
    party.poll()
    assert party.seen(world.id) is None


def _fail(*_: object) -> None:
    raise NodeUnreachable("broken off")


def test_deposit_under_another_asset_is_not_the_channels(world: World) -> None:
    """Anybody can deposit a worthless token under our channel's id."""
    token = plain_token(world, BOB)
    party = world.party()
    party.port.watch(world.watch)
    contract = world.deployment.contract.contract
    world.act(BOB, erc20.approve(token, contract, Wei(10**6)))
    world.act(
        BOB,
        ms_contract_calls.deposit(
            contract, token, world.id, Wei(10**6), world.later(300), to_bob=True
        ),
    )
    party.poll()
    (log,) = party.endpoint.logs([contract], 1, world.chain.head.number)
    assert log.topics[1] == world.id, "the contract has announced a deposit under our id"
    assert party.seen(world.id) == (EMPTY, EMPTY)


def test_register_is_danger_from_the_newest_block(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    other = world.party(BOB)
    other.port.submit(world.register(4, net=25))
    other.poll()
    world.chain.mine()
    party.poll()
    head, final = party.seen(world.id)
    assert head.dispute is not None
    assert (head.dispute.version, head.dispute.net) == (4, 25)
    assert head.dispute.deadline == world.chain.now + 600
    assert final.dispute is None


def test_settled_channel_has_ended_for_ever(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    for wish in (world.register(4, net=25), world.settle(25)):
        other = world.party(BOB)
        other.port.submit(wish)
        other.poll()
        world.chain.mine()
        world.chain.mine(at=world.later(601))
    world.open(BOB, 5)  # somebody pays into the spent id
    party.poll()
    head, _ = party.seen(world.id)
    assert head.ended
    assert head.dispute is None


def test_what_stays_locked_becomes_the_holdings(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    world.open(ALICE, 70)
    nano = Nano(
        world.deployment.vpm.contract, InstanceId(b"\x05" * 32), Wei(20), Wei(5), FAR, False
    )
    state = State(world.id, Version(4), Wei(25), (nano,))
    hashed = digest(world.deployment, state)
    contract = world.deployment.contract.contract
    signed = (sign(hashed, ALICE), sign(hashed, BOB))
    world.act(BOB, ms_contract_calls.register(contract, world.channel, state, *signed))
    world.chain.mine(at=world.later(601))
    settlement = Settlement(world.channel, Wei(25), (nano,))
    world.act(BOB, ms_contract_calls.settle(contract, settlement))
    party.poll()
    head, _ = party.seen(world.id)
    assert (head.alice, head.bob) == world.holdings() == (20, 5)
    assert (head.dispute.net, head.dispute.nanos, head.dispute.settling) == (0, (nano,), True)
    assert not head.ended


def test_open_both_shows_as_drawn_at_final_block_too(world: World) -> None:
    contract = world.deployment.contract.contract
    world.act(BOB, ms_contract_calls.fund(contract, ETH, BOB.address, Wei(100)))
    offer = Open(world.id, Wei(0), Wei(60), world.later(300))
    signature = sign(digest(world.deployment, offer), BOB)
    party = world.party(BOB)
    party.port.watch(world.watch)
    inputs = party.poll()
    assert ChainCredit(ETH, BOB.address, Wei(0)) in inputs
    world.act(
        ALICE,
        ms_contract_calls.open_both(contract, world.channel, offer, signature, by_bob=False),
    )
    party.poll()
    head, final = party.seen(world.id)
    assert (head.alice, head.bob, head.drawn, final.drawn) == (0, 60, True, False)
    world.chain.mine()
    assert ChainCredit(ETH, BOB.address, Wei(100)) in _credits(party.poll())
    world.chain.mine()
    inputs = party.poll()
    assert party.seen(world.id)[1].drawn
    assert ChainCredit(ETH, BOB.address, Wei(40)) in inputs


def _credits(inputs: list[object]) -> list[object]:
    return [item for item in inputs if isinstance(item, ChainCredit)]


def test_announcement_that_names_us_is_passed_on_once(world: World) -> None:
    world.open(ALICE, 70)
    party = world.party(BOB)
    assert ChainAnnounced(world.id, world.channel) in party.poll()
    world.chain.mine()
    assert not [item for item in party.poll() if isinstance(item, ChainAnnounced)]


def test_old_announcement_is_found_after_restart(world: World) -> None:
    world.open(ALICE, 70)
    for _ in range(5):
        world.chain.mine()
    assert ChainAnnounced(world.id, world.channel) in world.party(BOB).poll()


def test_submission_is_seen_with_totals_and_deadline(world: World) -> None:
    machine = Machine(
        ALICE.address,
        BOB.address,
        Wei(50),
        Wei(50),
        world.later(3_600),
        Seconds(600),
        Salt(bytes(32)),
    )
    id = machine_id(world.deployment.vpm, machine)
    party = world.party()
    party.port.watch(Watch(app=world.deployment.vpm.contract, instance=id))
    party.poll()
    assert party.seen_instance(id).head is None
    signed = sign(digest(world.deployment, Statement(id, Wei(7))), ALICE)
    call = vpm.submit_statements(
        world.deployment.vpm.contract, machine, Wei(7), signed, Wei(0), Signature(b"")
    )
    world.act(BOB, call)
    party.poll()
    seen = party.seen_instance(id)
    assert (seen.head.paid_by_alice, seen.head.paid_by_bob) == (7, 0)
    assert seen.head.deadline == world.chain.now + 600
    assert seen.final is None


def test_instance_that_is_over_is_followed_no_longer_nor_asked_for(world: World) -> None:
    """Whoever asks a hub for instances, and lets each lapse, leaves nothing behind."""
    id, other = InstanceId(b"\x01" * 32), InstanceId(b"\x02" * 32)
    party, app = world.party(), world.deployment.vpm.contract
    party.port.watch(Watch(app=app, instance=id))
    assert [type(said) for said in party.poll()].count(ChainInstance) == 1
    party.port.watch(Watch(instance=id, over=True))
    party.port.watch(Watch(app=app, instance=other))
    party.port.watch(Watch(instance=other, over=True))
    assert [type(said) for said in party.poll()].count(ChainInstance) == 0
    assert party.port.follower._followed == {}

    # Taken up again it is reported as it stands, also when it was let go in the same round.
    for _ in range(2):
        party.port.watch(Watch(instance=id, over=True))
        party.port.watch(Watch(app=app, instance=id))
        assert [type(said) for said in party.poll()].count(ChainInstance) == 1


def test_channel_that_is_over_is_followed_no_longer_nor_asked_for(world: World) -> None:
    """Whoever offers channels, and is refused, leaves nothing behind."""
    party = world.party()
    party.port.watch(world.watch)
    assert [type(said) for said in party.poll()].count(ChainChannel) == 1
    party.port.watch(Watch(channel=world.id, over=True))
    party.port.watch(world.watch)
    party.port.watch(Watch(channel=world.id, over=True))
    world.chain.mine()
    assert [type(said) for said in party.poll()].count(ChainChannel) == 0
    assert party.port.follower._followed == {}
    party.port.watch(world.watch)
    assert [type(said) for said in party.poll()].count(ChainChannel) == 1


def test_unreachable_node_loses_nothing(world: World) -> None:
    party = world.party()
    party.port.watch(world.watch)
    party.poll()
    party.endpoint.reachable = False
    world.open(ALICE, 70)
    with pytest.raises(NodeUnreachable):
        party.poll()
    party.endpoint.reachable = True
    party.poll()
    assert party.seen(world.id)[0].alice == 70
