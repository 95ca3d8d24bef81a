"""What is believed, answered and said again: each condition by itself, on crafted records."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core import meeting
from perun.core.chain_view import Dispute, OnChain
from perun.core.channel import agreement, funding, offers, proposals
from perun.core.channel.judge import judge
from perun.core.effects import DepositMoney, OpenBoth, OpenChannel
from perun.core.faults import BadProposal, BadVersion, StatementRefused, UnexpectedMessage
from perun.core.inputs import CommandOffer, CommandPay, CommandRemove
from perun.core.nanocontracts import payments
from perun.core.notices import (
    ChannelRefused,
    InstanceRefused,
    PaymentDelivered,
    ProposalHeld,
    TransferDone,
)
from perun.core.state import (
    ChannelView,
    CloseOffer,
    Intent,
    LegStatus,
    OpenOffer,
    OwnProposal,
    Purpose,
    SignedState,
    Totals,
    WithdrawOffer,
)
from perun.core.states.verdict import Decision
from perun.core.virtual import ends, leaving
from perun.encoding.messages import (
    AcceptChannel,
    GrantInstance,
    Leave,
    OfferWithdraw,
    Paid,
    Pay,
    Propose,
    RefuseInstance,
    ShowState,
)
from perun.errors import BadSignature
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy
from perun.types import (
    ETH,
    Close,
    MachineId,
    Open,
    Seconds,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

from .conftest import Pair, Trio
from .crafted import at, put, said, sent, told

FAR = UnixTime(2_000_000_000)
SIGNED = Signature(b"\x01" * 65)


def state(pair: Pair, version: int, net: int = 0) -> State:
    return State(pair.channel, Version(version), Wei(net))


def proposed(pair: Pair, version: int, net: int = 0) -> Propose:
    """Alice's, whatever her node would say to that."""
    what = state(pair, version, net)
    return Propose(what, pair.world.sign(pair.alice.key.address, what), 0)


def own(pair: Pair, version: int, net: int) -> OwnProposal:
    return OwnProposal(state(pair, version, net), Intent(Purpose.TRANSFER, Wei(net)), SIGNED)


# ----------------------------------------------------------------------------------------- joining


def hub_world(credit: int) -> tuple[World, Party, Party, Party]:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy(open_fee=Wei(7)))
    world.ledger.fund(ingrid.account.address, credit)
    world.advance()
    return world, alice, bob, ingrid


def draw(world: World, party: Party, ingrid: Party, amount: int) -> None:
    party.do(
        CommandOffer(
            ingrid.peer,
            ingrid.account.address,
            ETH,
            Seconds(600),
            party.nonce(),
            Wei(1_000),
            Wei(amount),
            draw=True,
            fee=Wei(7),
        )
    )
    world.settle()


def test_draw_is_accepted_only_as_offered_and_signed() -> None:
    world, alice, _, ingrid = hub_world(5_000)
    world.network.lose(AcceptChannel)
    draw(world, alice, ingrid, 2_000)
    world.network.lose()
    (accepted,) = world.network.said(AcceptChannel)
    permit = accepted.open
    assert permit is not None
    less = replace(permit, bob_amount=Wei(1))
    late = replace(permit, valid_until=UnixTime(permit.valid_until + 10_000))
    sign = world.sign
    for wrong, fault in (
        (replace(accepted, open_signature=SIGNED), BadSignature),
        (replace(accepted, first_signature=SIGNED), BadSignature),
        (_with(accepted, less, sign(ingrid.account.address, less)), UnexpectedMessage),
        (_with(accepted, late, sign(ingrid.account.address, late)), UnexpectedMessage),
        (replace(accepted, open=None), UnexpectedMessage),
    ):
        world.network.inject(ingrid.peer, alice.peer, wrong)
        world.settle([alice])
        assert isinstance(alice.faults[-1][1], fault)
        assert not alice.chain.pool
    before = len(alice.faults)
    world.network.inject(ingrid.peer, alice.peer, accepted)
    world.settle([alice])
    assert len(alice.faults) == before
    assert [type(made.transaction) for made in alice.chain.pool.values()] == [OpenBoth]


def _with(accepted: AcceptChannel, permit: Open, signature: Signature) -> AcceptChannel:
    return replace(accepted, open=permit, open_signature=signature)


@pytest.mark.parametrize(("amount", "refused"), [(3_000, False), (3_001, True)])
def test_credit_that_a_live_open_speaks_for_is_not_lent_twice(amount: int, refused: bool) -> None:
    world, alice, bob, ingrid = hub_world(5_000)
    alice.chain.mining = False
    draw(world, alice, ingrid, 2_000)
    draw(world, bob, ingrid, amount)
    assert bool(bob.told(ChannelRefused)) is refused


def test_first_deposit_is_announced_and_no_other(pair: Pair) -> None:
    view = pair.alice.channel(pair.bob)
    for by, kind in (
        ((False, False), OpenChannel),
        ((True, False), DepositMoney),
        ((False, True), DepositMoney),
    ):
        draft = at(pair.alice)
        final = replace(view.final, announced_by=by)
        funding.deposit(draft, put(draft, view, final=final), Wei(5))
        assert [type(made) for made in sent(draft)] == [kind]


def test_deposit_lives_no_longer_than_a_challenge(pair: Pair) -> None:
    view = pair.alice.channel(pair.bob)
    draft = at(pair.alice)
    short = replace(view.channel, challenge=Seconds(100))
    funding.deposit(draft, put(draft, view, channel=short), Wei(5))
    (made,) = sent(draft)
    assert isinstance(made, DepositMoney)
    assert made.valid_until == draft.now + 100


def test_both_are_funded_by_the_peers_open_until_it_is_drawn_or_over(pair: Pair) -> None:
    view = pair.alice.channel(pair.bob)
    permit = OpenOffer(Open(view.id, Wei(1), Wei(2), FAR), SIGNED, ours=False)
    for offer, head, time, goes in (
        (permit, OnChain(), FAR, True),
        (permit, OnChain(drawn=True), FAR, False),
        (permit, OnChain(), FAR + 1, False),
        (replace(permit, ours=True), OnChain(), FAR, False),
    ):
        draft = at(pair.alice, time)
        funding.submit_open_both(draft, put(draft, view, opens=(offer,), head=head))
        assert [type(made) for made in sent(draft)] == ([OpenBoth] if goes else [])


def test_bob_puts_nothing_more_in_once_a_state_is_agreed_on(pair: Pair) -> None:
    view = pair.bob.channel(pair.alice)
    fund = replace(view.funding, alice_amount=Wei(1_000), bob_amount=Wei(5))
    on = OnChain(Wei(1_000), Wei(0))
    for agreed, follows in ((None, True), (SignedState(state(pair, 2), SIGNED, SIGNED), False)):
        draft = at(pair.bob)
        funding.fund_in_turn(
            draft, put(draft, view, head=on, final=on, funding=fund, agreed=agreed)
        )
        assert bool(sent(draft)) is follows


# ---------------------------------------------------------------------------------- states, answers


def test_version_is_at_most_two_above_all_that_we_know(pair: Pair) -> None:
    view = pair.bob.channel(pair.alice)
    for signed, good in ((1, False), (2, True)):
        draft = at(pair.bob)
        known = put(draft, view, signed=Version(signed))
        message = proposed(pair, 4, 10)
        if good:
            proposals.on_proposal(draft, known, message)
        else:
            with pytest.raises(BadVersion):
                proposals.on_proposal(draft, known, message)


def test_proposal_that_our_user_looks_at_is_told_once(pair: Pair) -> None:
    message = proposed(pair, 2, -10)
    for _ in range(2):
        pair.world.network.inject(pair.alice.peer, pair.bob.peer, message)
        pair.world.settle([pair.bob])
    assert len(pair.bob.told(ProposalHeld)) == 1


def test_crossed_proposal_is_answered_by_our_own_once(pair: Pair) -> None:
    view = pair.bob.channel(pair.alice)
    for seen, again in ((0, True), (2, False)):
        draft = at(pair.bob)
        crossing = put(
            draft, view, signed=Version(3), seen=Version(seen), proposals=(own(pair, 3, -5),)
        )
        proposals.on_proposal(draft, crossing, proposed(pair, 2, 10))
        assert [type(message) for message in said(draft)] == ([Propose] if again else [])


def test_higher_proposal_stays_open_when_a_lower_one_is_signed(pair: Pair) -> None:
    draft = at(pair.bob)
    lower, higher = own(pair, 3, -5), own(pair, 5, -9)
    view = put(draft, pair.bob.channel(pair.alice), signed=Version(5), proposals=(lower, higher))
    agreement.complete(draft, view, SignedState(lower.state, SIGNED, SIGNED))
    assert draft.channel(view.id).proposals == (higher,)


def test_what_fell_is_proposed_again_before_what_waits(pair: Pair) -> None:
    draft = at(pair.bob)
    fallen, waits = own(pair, 1, -5), Intent(Purpose.TRANSFER, Wei(-3))
    view = put(
        draft,
        pair.bob.channel(pair.alice),
        signed=Version(1),
        proposals=(fallen,),
        intents=(waits,),
    )
    agreement.complete(draft, view, SignedState(state(pair, 2, 10), SIGNED, SIGNED))
    after = draft.channel(view.id)
    assert [proposal.intent for proposal in after.proposals] == [fallen.intent]
    assert after.intents == (waits,)


@pytest.mark.parametrize(
    ("net", "version", "tells"), [(10, 1, False), (10, 2, True), (-10, 1, True)]
)
def test_money_is_told_unless_an_older_state_is_in_dispute(
    pair: Pair, net: int, version: int, tells: bool
) -> None:
    """What we lose is lost all the same."""
    draft = at(pair.bob)
    view = pair.bob.channel(pair.alice)
    dispute = Dispute(Version(version), Wei(0), (), FAR)
    view = put(draft, view, head=replace(view.head, dispute=dispute))
    agreement.complete(draft, view, SignedState(state(pair, 2, net), SIGNED, SIGNED))
    assert (TransferDone in map(type, told(draft))) is tells


def test_unknown_state_that_is_shown_counts_as_signed(pair: Pair) -> None:
    shown = state(pair, 6, 10)
    signatures = [pair.world.sign(p.key.address, shown) for p in (pair.alice, pair.bob)]
    draft = at(pair.bob)
    proposals.on_show(draft, pair.bob.channel(pair.alice), ShowState(shown, *signatures))
    assert draft.exit_only
    assert draft.channel(pair.channel).signed == 6


def judged(pair: Pair, net: int = 0, received: int = 0, slots: int = 48) -> Decision | None:
    """What Bob finds of a state that adds a machine; None: he refuses."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    books, view = pair.bob.node.books, pair.bob.channel(pair.alice)
    assert view.agreed is not None
    instance = books.instances[machine]
    draft = at(pair.bob)
    draft.config = replace(draft.config, limits=replace(draft.config.limits, slots_per_peer=slots))
    draft.put(replace(instance, legs=(replace(instance.legs[0], status=LegStatus.NEW),)))
    draft.put(Totals(machine, received=Wei(received)))
    what = replace(view.agreed.state, version=Version(4), net=Wei(net))
    try:
        return judge(draft, replace(view, agreed=None), Propose(what, SIGNED, 2)).decision
    except BadProposal:
        return None


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ({}, Decision.ACCEPT),
        ({"net": 5}, Decision.ACCEPT),
        ({"net": -5}, None),
        ({"received": 1}, None),
        ({"slots": 1}, Decision.ACCEPT),
        ({"slots": 0}, None),
    ],
)
def test_machine_is_added_new_unpaid_and_for_nothing(
    pair: Pair, changed: dict[str, int], decision: Decision | None
) -> None:
    assert judged(pair, **changed) is decision


# -------------------------------------------------------------------------------------- said again


def test_withdraw_without_an_answer_is_said_again(pair: Pair) -> None:
    what = WithdrawOffer(Withdraw(pair.channel, 0, Wei(5), Wei(0), FAR), SIGNED, proposer=True)
    for offer, again in ((what, True), (replace(what, peer=SIGNED), False)):
        draft = at(pair.alice)
        offers.resend(draft, put(draft, pair.alice.channel(pair.bob), withdraws=(offer,)))
        assert [type(message) for message in said(draft)] == ([OfferWithdraw] if again else [])


def asked(pair: Pair, **fields: object) -> int:
    """How many signatures Alice asks for when she has met Bob after a start."""
    draft = at(pair.alice)
    view = put(draft, pair.alice.channel(pair.bob), met=False, **fields)
    meeting._meet(draft, view)
    return sum(len(made.items) for made in draft.step().effects if hasattr(made, "items"))


def test_what_our_signer_had_not_signed_is_asked_for_again_once_the_peer_is_met(
    pair: Pair,
) -> None:
    close = CloseOffer(Close(pair.channel, Wei(0), FAR, 0))
    permit = OpenOffer(Open(pair.channel, Wei(1), Wei(2), FAR))
    assert asked(pair) == 0
    assert asked(pair, close=close) == asked(pair, opens=(permit,)) == 1
    assert asked(pair, close=replace(close, own=SIGNED)) == 0


def test_payment_that_came_with_a_removal_is_acknowledged(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.world.network.lose(Pay)
    pair.alice.do(CommandPay(machine, Wei(5)))
    pair.world.settle()
    assert pair.alice.told(PaymentDelivered) == []
    pair.alice.do(CommandRemove(machine))
    pair.world.settle()
    assert pair.alice.told(PaymentDelivered) == [PaymentDelivered(machine, Wei(5))]


def paid(pair: Pair, amount: int = 30) -> MachineId:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(amount)))
    pair.world.settle()
    return machine


def test_older_total_is_answered_by_the_highest(pair: Pair) -> None:
    machine = paid(pair)
    step = payments.on_pay(pair.bob.node.books, pair.alice.peer, Pay(machine, Wei(10), SIGNED))
    assert [made.message for made in step.effects] == [Paid(machine, Wei(30))]  # type: ignore[union-attr]


def test_signature_of_a_total_that_has_left_changes_nothing(pair: Pair) -> None:
    machine = paid(pair)
    for total in (29, 30, 31):
        done = payments.on_statement_signed(
            pair.alice.node.books, Statement(machine, Wei(total)), SIGNED
        )
        assert (done.writes, done.effects) == ((), ())


def test_what_our_signer_has_not_signed_covers_no_payment(pair: Pair) -> None:
    machine = paid(pair)
    books = pair.bob.node.books
    totals = replace(books.totals[machine], asked=Wei(50))
    with pytest.raises(StatementRefused, match="covers"):
        payments.check(books, books.instances[machine], totals, Pay(machine, Wei(301), SIGNED))


# -------------------------------------------------------------------------------- ends of a machine


def new_machine(trio: Trio, party: Party, channel: bytes) -> tuple[MachineId, ChannelView]:
    if not trio.alice.node.books.instances:
        add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    (instance,) = party.node.books.instances.values()
    view = party.node.books.channels[channel]  # type: ignore[index]
    return MachineId(instance.id), view


@pytest.mark.parametrize(
    ("name", "fee", "late", "refuses"),
    [
        ("alice", 1, 0, False),
        ("alice", 10**6, 0, False),
        ("alice", 10**6 + 1, 0, True),
        ("alice", 0, 1, True),
        ("bob", 0, 0, False),
        ("bob", 1, 0, True),
    ],
)
def test_grant_is_taken_in_time_and_at_a_fee_that_is_ours_to_pay(
    trio: Trio, name: str, fee: int, late: int, refuses: bool
) -> None:
    party, channel = (trio.alice, trio.left) if name == "alice" else (trio.bob, trio.right)
    machine, view = new_machine(trio, party, channel)
    draft = at(party)
    instance = draft.instance(machine)
    draft.put(replace(instance, legs=(replace(instance.legs[0], status=LegStatus.NEW),)))
    grant = GrantInstance(channel, machine, Wei(fee), UnixTime(draft.now - late))
    ends.on_grant(draft, put(draft, view, agreed=None), grant)
    refused = [made.reason for made in said(draft) if isinstance(made, RefuseInstance)]
    why = "grant is over" if late else "above"
    assert any(why in reason for reason in refused) is refuses


def leave(trio: Trio, alice: int, bob: int, signature: Signature) -> Leave:
    machine, _ = new_machine(trio, trio.bob, trio.right)
    return Leave(machine, Wei(alice), Wei(bob), signature, None)


def test_leave_names_what_was_paid_and_no_more(trio: Trio) -> None:
    machine, _ = new_machine(trio, trio.bob, trio.right)
    with pytest.raises(UnexpectedMessage, match="more than we have paid"):
        leaving.on_leave(at(trio.bob), trio.alice.peer, leave(trio, 0, 1, SIGNED))
    draft = at(trio.bob)
    leaving.on_leave(draft, trio.alice.peer, leave(trio, 5, 0, SIGNED))
    assert not draft.instance(machine).leave_sent
    draft = at(trio.bob)
    leaving.on_leave(draft, trio.alice.peer, leave(trio, 0, 0, Signature(b"")))
    assert draft.instance(machine).leave_sent


def test_leave_that_knows_less_than_we_have_paid_is_answered_again(trio: Trio) -> None:
    machine, _ = new_machine(trio, trio.bob, trio.right)
    trio.bob.do(CommandPay(machine, Wei(9)))
    trio.world.settle()
    for known, again in ((8, True), (9, False)):
        draft = at(trio.bob)
        draft.put(replace(draft.instance(machine), leave_sent=True))
        leaving.on_leave(draft, trio.alice.peer, leave(trio, 0, known, Signature(b"")))
        assert (Leave in map(type, said(draft))) is again


def test_successor_is_given_up_after_its_patience(trio: Trio) -> None:
    machine, _ = new_machine(trio, trio.alice, trio.left)
    draft = at(trio.alice)
    old = draft.instance(machine)
    patience = trio.alice.limits.patience
    new = replace(
        old,
        id=MachineId(b"\x05" * 32),
        replaces=machine,
        legs=(replace(old.legs[0], status=LegStatus.NEW),),
    )
    for waited, gives_up in ((31 * patience, False), (31 * patience + 1, True)):
        draft = at(trio.alice)
        going = replace(old, leave_sent=True, successor=new.id, left_at=draft.chain.clock)
        draft.put(new)
        draft.put(going)
        draft.chain = replace(draft.chain, clock=UnixTime(going.left_at + waited))
        leaving.remind(draft, going)
        assert (InstanceRefused in map(type, told(draft))) is gives_up
        assert (Leave in map(type, said(draft))) is not gives_up
