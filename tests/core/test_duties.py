"""What goes to the chain, and what does not: crafted snapshots, each a second or a wei apart."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.chain_view import Dispute, OnChain
from perun.core.channel import closing, disputes, funding, offers, withdrawing
from perun.core.effects import CloseChannel, Register, Settle, SubmitEvidence, WithdrawMoney
from perun.core.faults import NotAllowedNow
from perun.core.inputs import CommandClose, CommandPay, CommandTransfer, CommandWithdraw
from perun.core.nanocontracts import evidence
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.core.nanocontracts.machine import MACHINE
from perun.core.notices import ChannelDisputed, ChannelEnded, ChannelFunded
from perun.core.rules.accounting import reliable_holdings
from perun.core.rules.phases import Phase, lapsed, phase
from perun.core.state import (
    CloseOffer,
    Held,
    Intent,
    LegStatus,
    Purpose,
    Totals,
    WithdrawOffer,
)
from perun.core.states.valuation import balance, payable
from perun.crypto.hashing import keccak
from perun.encoding.messages import AnswerState
from perun.testing.parties import Party
from perun.testing.stories import SECRET, add_lock, add_machine
from perun.types import (
    Close,
    LockRecord,
    MachineRecord,
    Nano,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

from .conftest import Pair, Trio
from .crafted import at, put, sent, told

END = UnixTime(2_000_000_000)
SIGNED = Signature(b"\x01" * 65)


def dispute(
    version: int = 0, net: int = 0, nanos: tuple[Nano, ...] = (), **more: object
) -> Dispute:
    return Dispute(Version(version), Wei(net), nanos, END, **more)  # type: ignore[arg-type]


def on(alice: int, bob: int, **more: object) -> OnChain:
    return OnChain(Wei(alice), Wei(bob), **more)  # type: ignore[arg-type]


def paid_machine(pair: Pair, amount: int = 30) -> object:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    pair.alice.do(CommandPay(machine, Wei(amount)))
    pair.world.settle()
    return machine


# ----------------------------------------------------------------------------- register and settle


def test_dispute_is_open_in_its_last_second_and_decided_after_it(pair: Pair) -> None:
    view = replace(pair.alice.channel(pair.bob), head=on(1_000, 1_000, dispute=dispute()))
    chain = pair.alice.node.books.chain
    assert phase(view, replace(chain, head_time=END)) is Phase.DISPUTED
    assert phase(view, replace(chain, head_time=UnixTime(END + 1))) is Phase.DECIDED


def test_nothing_is_payable_in_the_last_second_of_a_dispute(pair: Pair) -> None:
    view = replace(pair.alice.channel(pair.bob), head=on(1_000, 1_000, dispute=dispute()))
    assert payable(at(pair.alice, END), view) == 0
    assert payable(at(pair.alice, END + 1), view) == 1_000


def test_lock_of_what_nobody_submitted_is_free_after_its_expiry(pair: Pair) -> None:
    add_machine(pair.world, pair.alice, pair.channel, 300, 200)
    view = pair.alice.channel(pair.bob)
    assert view.agreed is not None
    (nano,) = view.agreed.state.nanos
    early = replace(dispute(2, 0, (nano,), settling=True), deadline=UnixTime(nano.expiry - 1))
    view = replace(view, head=on(300, 200, dispute=early))
    assert payable(at(pair.alice, nano.expiry), view) == 0
    assert payable(at(pair.alice, nano.expiry + 1), view) == 300


def test_offer_has_lapsed_when_a_later_block_is_final(pair: Pair) -> None:
    chain = pair.alice.node.books.chain
    assert not lapsed(END, replace(chain, final_time=END))
    assert lapsed(END, replace(chain, final_time=UnixTime(END + 1)))


@pytest.mark.parametrize(("ours", "settles"), [(0, False), (1, True)])
def test_settle_is_sent_for_a_wei_and_not_for_nothing(pair: Pair, ours: int, settles: bool) -> None:
    draft = at(pair.alice, END + 1)
    head = on(ours, 2_000 - ours, dispute=dispute())
    view = put(draft, pair.alice.channel(pair.bob), head=head)
    disputes.duties(draft, view)
    assert [type(made) for made in sent(draft)] == ([Settle] if settles else [])


def test_channel_without_money_is_not_registered(pair: Pair) -> None:
    for head, registers in ((on(0, 0), False), (on(0, 1), True), (on(-5, 5), False)):
        draft = at(pair.alice)
        view = put(draft, pair.alice.channel(pair.bob), leaving=True, head=head)
        disputes.duties(draft, view)
        assert [type(made) for made in sent(draft)] == ([Register] if registers else [])


@pytest.mark.parametrize(("version", "answers"), [(1, True), (2, False), (3, False)])
def test_only_an_older_registration_is_answered(pair: Pair, version: int, answers: bool) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    draft = at(pair.bob, END - 100)
    head = on(1_000, 1_000, dispute=dispute(version))
    disputes.duties(draft, put(draft, pair.bob.channel(pair.alice), head=head))
    assert [type(made) for made in sent(draft)] == ([Register] if answers else [])


def test_dispute_is_told_once_though_its_blocks_become_final(pair: Pair) -> None:
    draft = at(pair.alice, END - 100)
    head, view = on(1_000, 1_000, dispute=dispute()), pair.alice.channel(pair.bob)
    view = disputes.on_snapshot(draft, view, head, view.final)
    disputes.on_snapshot(draft, view, head, head)
    assert [type(said) for said in told(draft)] == [ChannelDisputed]


def test_end_and_deposits_are_told_as_final_blocks_have_them(pair: Pair) -> None:
    draft, view = at(pair.alice), pair.alice.channel(pair.bob)
    view = disputes.on_snapshot(draft, view, replace(view.head, ended=True), view.final)
    assert told(draft) == []
    draft = at(pair.alice)
    view = disputes.on_snapshot(draft, view, on(7, 9, ended=True), on(5, 6))
    assert told(draft) == [ChannelFunded(pair.channel, Wei(5), Wei(6))]
    draft = at(pair.alice)
    disputes.on_snapshot(draft, view, on(7, 9, ended=True), on(5, 6, ended=True))
    assert told(draft) == [ChannelEnded(pair.channel)]


# --------------------------------------------------------------------------------------- evidence


def test_register_and_evidence_are_not_sent_side_by_side(pair: Pair) -> None:
    """What the register carries is not submitted too; once the register is in, it is."""
    machine = paid_machine(pair)
    view, books = pair.bob.channel(pair.alice), pair.bob.node.books
    assert view.agreed is not None
    instance, soon = books.instances[machine], books.chain.head_time  # type: ignore[index]
    for head, leaving, submits in (
        (view.head, True, False),
        (on(1_000, 1_000, dispute=dispute()), False, False),
        (on(1_000, 1_000, dispute=dispute(view.agreed.state.version)), False, True),
        (view.head, False, False),
    ):
        draft = at(pair.bob, soon)
        put(draft, view, head=head, leaving=leaving)
        evidence.duties(draft, instance)
        assert [type(made) for made in sent(draft)] == ([SubmitEvidence] if submits else [])


def test_total_is_of_use_until_the_last_second_and_while_the_chain_has_less(pair: Pair) -> None:
    machine = paid_machine(pair)
    instance = pair.bob.node.books.instances[machine]  # type: ignore[index]
    terms = instance.machine
    assert terms is not None
    assert MACHINE.due(at(pair.bob, terms.validity), instance) is not None
    assert MACHINE.due(at(pair.bob, terms.validity + 1), instance) is None
    for recorded, due in ((29, True), (30, False), (31, False)):
        begun = replace(instance, head=MachineRecord(Wei(recorded), Wei(0), END))
        found = MACHINE.due(at(pair.bob, END), begun)
        assert (found is not None) is due
        assert found is None or (found.before, found.answers) == (END, True)
        assert MACHINE.due(at(pair.bob, END + 1), begun) is None


def test_secret_is_of_use_to_its_receiver_alone_and_until_the_deadline(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET))
    for party, gains in ((pair.alice, False), (pair.bob, True)):
        known = replace(party.node.books.instances[lock], preimage=SECRET)
        assert known.lock is not None
        deadline = known.lock.deadline
        assert (HASH_LOCK.due(at(party, deadline), known) is not None) is gains
        assert HASH_LOCK.due(at(party, deadline + 1), known) is None
        shown = replace(known, head=LockRecord(SECRET))
        assert HASH_LOCK.due(at(party, deadline), shown) is None
        assert HASH_LOCK.due(at(party, deadline), replace(known, preimage=None)) is None


def test_hub_submits_for_a_machine_only_once_it_has_paid_for_it(trio: Trio) -> None:
    """While both channels list it a hub has nothing to gain, whatever statements it holds."""
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 0, trio.bob)
    instance = trio.ingrid.node.books.instances[machine]
    draft = at(trio.ingrid)
    draft.put(Totals(machine, Wei(0), Wei(0), Signature(b""), Wei(40), _statement(trio, machine)))
    assert evidence.due(draft, instance) is None
    legs = tuple(
        replace(leg, status=LegStatus.REMOVED) if leg.channel == trio.right else leg
        for leg in instance.legs
    )
    half = replace(instance, legs=legs)
    found = evidence.due(draft, half)
    assert found is not None
    assert not found.answers


def _statement(trio: Trio, machine: object) -> Signature:
    trio.alice.do(CommandPay(machine, Wei(40)))  # type: ignore[arg-type]
    trio.world.settle()
    return trio.bob.node.books.totals[machine].received_signature  # type: ignore[index]


def test_instance_that_a_dispute_lists_counts_whatever_we_think_of_it(pair: Pair) -> None:
    machine = paid_machine(pair)
    view, books = pair.bob.channel(pair.alice), pair.bob.node.books
    assert view.agreed is not None
    listed = dispute(9, 0, view.agreed.state.nanos)
    for status, counts in ((LegStatus.NEW, True), (LegStatus.ADDING, True)):
        instance = books.instances[machine]  # type: ignore[index]
        instance = replace(instance, legs=(replace(instance.legs[0], status=status),))
        assert evidence.due(at(pair.bob), instance) is None
        draft = at(pair.bob)
        put_in(pair.bob, pair, listed)
        assert (evidence.due(draft, instance) is not None) is counts
        put_in(pair.bob, pair, None)


def put_in(party: Party, pair: Pair, found: Dispute | None) -> None:
    other = pair.alice if party is pair.bob else pair.bob
    view = party.channel(other)
    party.node.books.load(replace(view, head=replace(view.head, dispute=found)))


def test_payment_that_our_signer_is_asked_for_is_gone_at_the_worst(pair: Pair) -> None:
    machine = paid_machine(pair)
    books = pair.alice.node.books
    before = balance(books, books.channels[pair.channel]).guaranteed
    pair.alice.signer.slow = []
    pair.alice.do(CommandPay(machine, Wei(7)))  # type: ignore[arg-type]
    assert balance(books, books.channels[pair.channel]).guaranteed == before - 7


# --------------------------------------------------------------------------------- standing offers


def close_of(pair: Pair, until: int = END) -> Close:
    return Close(pair.channel, Wei(0), UnixTime(until), 0)


def test_close_goes_to_the_chain_from_its_proposer_until_its_last_second(pair: Pair) -> None:
    both = CloseOffer(close_of(pair), own=SIGNED, peer=SIGNED, proposer=True)
    for time, offer, goes in (
        (END, both, True),
        (END + 1, both, False),
        (END, replace(both, proposer=False), False),
        (END, replace(both, peer=Signature(b"")), False),
    ):
        draft = at(pair.alice, time)
        offers.submit(draft, put(draft, pair.alice.channel(pair.bob), close=offer))
        assert [type(made) for made in sent(draft)] == ([CloseChannel] if goes else [])


def test_withdraw_goes_to_the_chain_while_its_index_is_the_next(pair: Pair) -> None:
    what = Withdraw(pair.channel, 1, Wei(5), Wei(0), END)
    both = WithdrawOffer(what, own=SIGNED, peer=SIGNED, proposer=True)
    for time, done, goes in ((END, 1, True), (END + 1, 1, False), (END, 0, False), (END, 2, False)):
        draft = at(pair.alice, time)
        view = pair.alice.channel(pair.bob)
        head = replace(view.head, withdrawals=done)
        offers.submit(draft, put(draft, view, withdraws=(both,), head=head))
        assert [type(made) for made in sent(draft)] == ([WithdrawMoney] if goes else [])


def test_offers_are_let_go_of_after_their_last_second(pair: Pair) -> None:
    what = Withdraw(pair.channel, 0, Wei(5), Wei(0), END)
    view = pair.alice.channel(pair.bob)
    view = replace(view, close=CloseOffer(close_of(pair)), withdraws=(WithdrawOffer(what),))
    kept = offers.expire(at(pair.alice, END), view)
    gone = offers.expire(at(pair.alice, END + 1), view)
    assert (kept.close, kept.withdraws) == (view.close, view.withdraws)
    assert (gone.close, gone.withdraws) == (None, ())


def test_withdraw_that_is_mined_in_a_final_block_is_let_go_of(pair: Pair) -> None:
    what = Withdraw(pair.channel, 0, Wei(5), Wei(0), END)
    view = replace(pair.alice.channel(pair.bob), withdraws=(WithdrawOffer(what),))
    mined = replace(view, final=replace(view.final, withdrawals=1))
    assert offers.expire(at(pair.alice), view).withdraws
    assert not offers.expire(at(pair.alice), mined).withdraws


def test_offers_live_no_longer_than_a_challenge(pair: Pair) -> None:
    """A cheat must not outlast a dispute by an offer that is still alive after it."""
    view = pair.alice.node.books.channels[pair.channel]
    short = replace(view, channel=replace(view.channel, challenge=Seconds(100)))
    pair.alice.node.books.load(short)
    pair.alice.node.post([CommandClose(pair.channel)])
    pair.world.settle([pair.alice])
    offer = pair.alice.node.books.channels[pair.channel].close
    assert offer is not None
    assert offer.close.valid_until == pair.world.ledger.time + 100


def test_close_wants_a_margin_of_the_dispute_left(pair: Pair) -> None:
    margin = pair.alice.limits.margin
    view = replace(pair.alice.channel(pair.bob), head=on(1_000, 1_000, dispute=dispute()))
    assert closing.why_no_close(at(pair.alice, END - margin - 1), view) is None
    assert closing.why_no_close(at(pair.alice, END - margin), view) is not None


def test_live_withdraw_is_no_money_of_either_side(pair: Pair) -> None:
    what = Withdraw(pair.channel, 0, Wei(5), Wei(7), END)
    view = replace(pair.alice.channel(pair.bob), withdraws=(WithdrawOffer(what),))
    assert reliable_holdings(view) == (995, 993)


def test_withdraw_wants_the_one_before_in_a_final_block(pair: Pair) -> None:
    view = pair.alice.channel(pair.bob)
    for head, final, index, good in ((1, 1, 1, True), (1, 0, 1, False), (1, 0, 0, False)):
        counted = replace(
            view,
            head=replace(view.head, withdrawals=head),
            final=replace(view.final, withdrawals=final),
        )
        what = Withdraw(pair.channel, index, Wei(5), Wei(0), END)
        assert (withdrawing.why_no_withdraw(at(pair.alice), counted, what) is None) is good


def test_withdraw_leaves_money_for_the_state_that_our_user_looks_at(pair: Pair) -> None:
    """Held and not answered yet: it would be signed against money that has left."""
    state = State(pair.channel, Version(3), Wei(600))
    held = Held(state, SIGNED, Intent(Purpose.TRANSFER))
    view = pair.alice.channel(pair.bob)
    for net, good in ((600, False), (500, True)):
        kept = replace(held, state=replace(state, net=Wei(net)))
        what = Withdraw(pair.channel, 0, Wei(500), Wei(0), END)
        why = withdrawing.why_no_withdraw(at(pair.alice), replace(view, held=kept), what)
        assert (why is None) is good


def test_lost_answer_costs_the_user_of_a_withdraw_nothing_else(pair: Pair) -> None:
    pair.world.network.lose(AnswerState)
    pair.alice.do(CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle()
    pair.world.advance()
    assert pair.world.ledger.paid[pair.alice.account.address] == 100


# ---------------------------------------------------------------------------------------- deposits


def test_deposit_wants_the_peers_key_proved(pair: Pair) -> None:
    view = pair.alice.channel(pair.bob)
    with pytest.raises(NotAllowedNow, match="proved its key"):
        funding.deposit(at(pair.alice), replace(view, proven=False), Wei(1))


def test_bob_follows_a_final_deposit_and_no_other(pair: Pair) -> None:
    view = pair.bob.channel(pair.alice)
    fund = replace(view.funding, alice_amount=Wei(1_000), bob_amount=Wei(5))
    for head, final, follows in (
        (on(1_000, 0), on(1_000, 0), True),
        (on(1_000, 0), on(0, 0), False),
        (on(1_000, 0), on(999, 0), False),
        (on(1_000, 5), on(1_000, 5), False),
        (on(1_000, 0, withdrawals=1), on(1_000, 0, withdrawals=1), False),
    ):
        draft = at(pair.bob)
        changed = put(draft, view, head=head, final=final, funding=fund, deposits=())
        funding.fund_in_turn(draft, changed)
        assert len(sent(draft)) == follows
