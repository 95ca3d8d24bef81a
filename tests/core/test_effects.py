"""What the core asks for, to the byte: who registers, with which evidence; what is said again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from perun.core.config import Policy
from perun.core.effects import (
    ClaimCredit,
    CloseChannel,
    Register,
    SubmitEvidence,
    WithdrawMoney,
)
from perun.core.faults import PeerNotAllowed
from perun.core.inputs import (
    CommandAddMachine,
    CommandClaim,
    CommandClose,
    CommandDispute,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
    Tick,
)
from perun.core.nanocontracts.hash_lock import (
    CommandReveal,
)
from perun.core.notices import (
    ChannelDisputed,
    ChannelFunded,
    CloseAgreed,
    ExitOnly,
    InstanceRefused,
    PaymentDelivered,
    PaymentRefused,
    PreimageLearnt,
    Stuck,
    VirtualReady,
    WithdrawAgreed,
)
from perun.core.state import Stage
from perun.crypto.hashing import keccak
from perun.encoding.messages import (
    AnswerClose,
    AnswerState,
    AnswerWithdraw,
    Message,
    OfferClose,
    OfferWithdraw,
    Over,
    Propose,
    ReadySigned,
    ShowState,
    decode,
)
from perun.errors import BadSignature
from perun.testing.network import Letter
from perun.testing.parties import Party
from perun.testing.stories import SECRET, add_lock, add_machine
from perun.types import (
    ETH,
    Address,
    Preimage,
    Ready,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

from .conftest import Pair, Trio


def pay(pair: Pair, payer: Party, machine: object, amount: int) -> None:
    payer.do(CommandPay(machine, Wei(amount)))  # type: ignore[arg-type]
    pair.world.settle()


def meet(pair: Pair) -> None:
    """The wire is back: what was not answered is said again."""
    pair.alice.node.meet(pair.bob.peer)
    pair.bob.node.meet(pair.alice.peer)
    pair.world.settle()


def done(pair: Pair, kind: type) -> list[Any]:
    """Transactions of a kind that changed something on chain."""
    return [made for made in pair.world.ledger.log if isinstance(made, kind)]


# --------------------------------------------------------------------------------------- disputes


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_each_side_registers_the_newest_state_with_both_signatures(pair: Pair, name: str) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    getattr(pair, name).do(CommandDispute(pair.channel))
    pair.world.ledger.advance()

    dispute = pair.world.ledger.channels[pair.channel].dispute
    assert dispute is not None
    assert (dispute.version, dispute.net) == (2, 100)


@pytest.mark.parametrize("paid", [(30, 0), (0, 20), (30, 20)])
def test_register_carries_the_evidence_of_each_nano_in_its_place(
    pair: Pair, paid: tuple[int, int]
) -> None:
    """Three machines, a lock: what Bob has received is on chain with the dispute, at once."""
    machines = [add_machine(pair.world, pair.alice, pair.channel, 50, 50) for _ in range(3)]
    lock = add_lock(pair.world, pair.alice, pair.channel, 7, keccak(SECRET))
    for machine, amount in zip(machines, (*paid, 5), strict=True):
        if amount:
            pay(pair, pair.alice, machine, amount)
    pair.world.network.leave(pair.alice.peer)
    pair.bob.do(CommandReveal(lock, SECRET))
    pair.bob.do(CommandDispute(pair.channel))
    pair.bob.chain.mine()

    ledger = pair.world.ledger
    assert [type(done) for done in ledger.log[-1:]] == [Register]
    assert not any(isinstance(done, SubmitEvidence) for done in ledger.log)
    known = [ledger.instances.get(machine) for machine in machines]
    assert [on.paid_by_alice if on else 0 for on in known] == [*paid, 5]
    assert ledger.instances[lock].preimage == SECRET


def test_register_without_anything_received_carries_no_evidence(pair: Pair) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 50, 50)
    pay(pair, pair.alice, machine, 5)
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.ledger.advance()

    (register,) = [done for done in pair.world.ledger.log if isinstance(done, Register)]
    assert register.evidence == ()


@pytest.mark.parametrize("payer", ["alice", "bob"])
def test_payee_submits_the_payers_total_in_the_payers_place(pair: Pair, payer: str) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 300, 200, life=1_000)
    pay(pair, getattr(pair, payer), machine, 30)
    for _ in range(90):
        pair.world.advance()

    on = pair.world.ledger.instances[machine]
    assert (on.paid_by_alice, on.paid_by_bob) == ((30, 0) if payer == "alice" else (0, 30))


def test_users_hear_of_a_dispute_with_both_versions_and_its_end(pair: Pair) -> None:
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    pair.alice.do(CommandDispute(pair.channel))
    pair.world.advance()

    dispute = pair.world.ledger.channels[pair.channel].dispute
    assert dispute is not None
    said = ChannelDisputed(pair.channel, Version(2), Version(2), dispute.deadline)
    assert pair.alice.told(ChannelDisputed) == pair.bob.told(ChannelDisputed) == [said]


def test_money_is_told_once_by_side(pair: Pair) -> None:
    """A block in which nothing of the channel changes is no news."""
    for _ in range(3):
        pair.world.advance()
    told = [ChannelFunded(pair.channel, Wei(1_000), Wei(0))]
    told.append(ChannelFunded(pair.channel, Wei(1_000), Wei(1_000)))
    assert pair.alice.told(ChannelFunded) == pair.bob.told(ChannelFunded) == told


# ----------------------------------------------------------------------------------------- credit


def test_claim_takes_exactly_that_much_credit_out(pair: Pair) -> None:
    account, to = pair.alice.account.address, Address(b"\xa7" * 20)
    pair.world.ledger.fund(account, 50)
    pair.alice.do(CommandClaim(ETH, Wei(20), to))
    pair.world.advance()

    assert pair.world.ledger.log[-1] == ClaimCredit(ETH, Wei(20), to)
    assert pair.world.ledger.credits[ETH, account] == 30
    assert pair.world.ledger.paid[to] == 20


# ----------------------------------------------------------------------------------------- offers


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_lost_answer_to_a_withdraw_is_said_again(pair: Pair, name: str) -> None:
    pair.world.network.lose(AnswerWithdraw)
    party: Party = getattr(pair, name)
    party.do(CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle()
    pair.world.network.lose()
    meet(pair)
    pair.world.advance()

    assert [d.withdraw.index for d in done(pair, WithdrawMoney)] == [0]
    assert pair.world.ledger.paid[party.account.address] == 100
    agreed = WithdrawAgreed(pair.channel, done(pair, WithdrawMoney)[0].withdraw.valid_until)
    for one in (pair.alice, pair.bob):
        assert one.told(WithdrawAgreed) == [agreed]


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_lost_answer_to_a_close_is_said_again(pair: Pair, name: str) -> None:
    pair.world.network.lose(AnswerClose)
    getattr(pair, name).do(CommandClose(pair.channel))
    pair.world.settle()
    pair.world.network.lose()
    meet(pair)
    pair.world.advance()

    (closed,) = done(pair, CloseChannel)
    agreed = CloseAgreed(pair.channel, closed.close.valid_until)
    for one in (pair.alice, pair.bob):
        assert one.told(CloseAgreed) == [agreed]


@pytest.mark.parametrize("lost", [AnswerClose, AnswerWithdraw])
def test_whoever_answered_says_it_again_by_itself(pair: Pair, lost: type) -> None:
    pair.world.network.lose(lost)
    close = CommandClose(pair.channel)
    pair.alice.do(close if lost is AnswerClose else CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle()
    pair.world.network.lose(OfferClose, OfferWithdraw)
    pair.bob.node.meet(pair.alice.peer)
    pair.world.settle()
    assert len(pair.alice.told(CloseAgreed)) + len(pair.alice.told(WithdrawAgreed)) == 1


def test_channel_into_which_its_opener_puts_nothing_is_joined(pair: Pair) -> None:
    (alice, bob), nonce = (pair.alice, pair.bob), pair.alice.nonce()
    alice.do(CommandOffer(bob.peer, bob.account.address, ETH, Seconds(600), nonce, Wei(0)))
    pair.world.settle()
    assert [view.stage for view in alice.node.books.channels.values()] == [Stage.JOINED] * 2


@pytest.mark.parametrize("lost", [OfferClose, OfferWithdraw])
def test_repeated_offer_is_answered_with_the_same_signature(pair: Pair, lost: type) -> None:
    command = (
        CommandClose(pair.channel)
        if lost is OfferClose
        else CommandWithdraw(pair.channel, Wei(100))
    )
    pair.alice.chain.mining = False
    pair.alice.do(command)
    pair.world.settle()
    (offer,) = pair.world.network.said(lost)
    before = len(pair.world.network.seen)
    asked = pair.bob.signer.asked
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, offer)
    pair.world.settle([pair.bob])

    answers = pair.world.network.said(AnswerClose if lost is OfferClose else AnswerWithdraw)
    assert answers[0] == answers[-1]
    assert (len(answers), len(pair.world.network.seen)) == (2, before + 1)
    assert pair.bob.signer.asked == asked


def test_withdraw_that_the_peer_did_not_sign_is_refused(pair: Pair) -> None:
    part = Withdraw(pair.channel, 0, Wei(5), Wei(0), UnixTime(pair.world.ledger.time + 60))
    for signature in (Signature(b""), pair.world.sign(pair.bob.key.address, part)):
        offer = OfferWithdraw(part, signature)
        pair.world.network.inject(pair.alice.peer, pair.bob.peer, offer)
        pair.world.settle([pair.bob])

    assert [type(error) for _, error in pair.bob.faults] == [BadSignature] * 2
    assert pair.bob.channel(pair.alice).withdraws == ()


def test_answer_to_another_withdraw_does_not_count(pair: Pair) -> None:
    pair.world.network.lose(AnswerWithdraw)
    pair.alice.do(CommandWithdraw(pair.channel, Wei(100)))
    pair.world.settle()
    (offer,) = pair.alice.channel(pair.bob).withdraws
    signature = pair.world.sign(pair.bob.key.address, offer.withdraw)
    answer = AnswerWithdraw(pair.channel, 1, signature)
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, answer)
    pair.world.settle([pair.alice])
    assert not pair.alice.told(WithdrawAgreed)


@pytest.mark.parametrize("command", ["close", "withdraw"])
def test_user_who_decides_is_asked(pair: Pair, command: str) -> None:
    config = pair.bob.node.books.config
    pair.bob.node.books.config = replace(config, policy=Policy(close=False, withdraw=False))
    what = CommandWithdraw(pair.channel, Wei(100))
    pair.alice.do(CommandClose(pair.channel) if command == "close" else what)
    pair.world.settle()

    (_, error) = pair.bob.faults[-1]
    assert isinstance(error, PeerNotAllowed)
    assert "our user has to decide" in str(error)


def test_close_that_both_have_signed_is_asked_for_until_it_is_final(pair: Pair) -> None:
    """The submitter may have forgotten it: its journal is not the node's store."""
    pair.alice.chain.mining = False
    pair.alice.do(CommandClose(pair.channel))
    pair.world.settle()
    pair.alice.chain.pool.clear()
    pair.alice.chain.mining = True
    pair.world.advance()
    pair.world.advance()

    assert len(done(pair, CloseChannel)) == 1


# ------------------------------------------------------------------------------------ over the hub


def apart(trio: Trio) -> None:
    """The ends hear nothing from each other but what names the hub."""
    ends = {trio.alice.peer, trio.bob.peer}

    def rule(letter: Letter) -> Iterable[Letter]:
        bare = {letter[0], letter[1]} == ends and not isinstance(decode(letter[2]), Over)
        return () if bare else (letter,)

    trio.world.network.rule = rule


def test_payments_over_a_hub_are_acknowledged_or_refused_over_the_hub(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    apart(trio)
    trio.alice.do(CommandPay(machine, Wei(40)))
    trio.world.settle()
    assert trio.alice.told(PaymentDelivered) == [PaymentDelivered(machine, Wei(40))]

    trio.bob.do(CommandDispute(trio.right))
    trio.alice.do(CommandPay(machine, Wei(2)))
    trio.world.settle()
    (refused,) = trio.alice.told(PaymentRefused)
    assert isinstance(refused, PaymentRefused)
    assert refused.total == 42


@pytest.mark.parametrize("signer", ["nobody", "ingrid"])
def test_a2_ready_that_the_other_end_did_not_sign_is_no_ready(trio: Trio, signer: str) -> None:
    trio.world.network.rule = lambda letter: () if _is_ready(decode(letter[2])) else (letter,)
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    trio.world.network.rule = None
    ready = Ready(machine)
    forged = trio.world.sign(trio.ingrid.key.address, ready)
    said = ReadySigned(machine, forged if signer == "ingrid" else Signature(b"\x01" * 65), False)
    trio.world.network.inject(trio.bob.peer, trio.alice.peer, said)
    trio.world.settle([trio.alice])

    assert isinstance(trio.alice.faults[-1][1], BadSignature)
    assert trio.alice.told(VirtualReady) == []


def _is_ready(message: Message) -> bool:
    inner = decode(message.message) if isinstance(message, Over) else message
    return isinstance(inner, ReadySigned)


def test_machine_over_a_hub_is_left_over_the_hub(trio: Trio) -> None:
    machine = add_machine(trio.world, trio.alice, trio.left, 300, 200, trio.bob)
    apart(trio)
    trio.alice.do(CommandRemove(machine))
    trio.world.settle()
    for party, channel in ((trio.alice, trio.left), (trio.bob, trio.right)):
        agreed = party.node.books.channels[channel].agreed
        assert agreed is not None
        assert agreed.state.nanos == ()


def test_invitation_over_a_hub_is_declined_over_the_hub(trio: Trio) -> None:
    config = trio.bob.node.books.config
    trio.bob.node.books.config = replace(config, policy=Policy(greatest_lock=Wei(10)))
    apart(trio)
    until = UnixTime(trio.world.ledger.time + 5_000)
    salt = trio.alice.random()
    trio.alice.do(
        CommandAddMachine(trio.left, Wei(5), Wei(11), until, Seconds(600), salt, trio.bob.peer)
    )
    trio.world.settle()
    (refused,) = trio.alice.told(InstanceRefused)
    assert isinstance(refused, InstanceRefused)
    assert "more of my money" in refused.reason


def test_secret_that_pays_a_lock_is_passed_to_the_payer(trio: Trio) -> None:
    lock = add_lock(trio.world, trio.alice, trio.left, 70, keccak(SECRET), trio.bob)
    trio.bob.do(CommandReveal(lock, Preimage(SECRET)))
    trio.world.settle()
    assert trio.alice.node.books.instances[lock].preimage == SECRET


# ---------------------------------------------------------------------------------------- warnings


def test_user_hears_of_a_proposal_that_stays_unanswered(pair: Pair) -> None:
    pair.world.network.lose(AnswerState)
    pair.alice.do(CommandTransfer(pair.channel, Wei(100)))
    pair.world.settle()
    (proposal,) = pair.alice.channel(pair.bob).proposals
    pair.world.advance(pair.alice.limits.patience + 1)
    now = pair.alice.clock.now()
    pair.alice.node.post([Tick(now, now)])
    pair.alice.node.turn()

    assert Stuck(pair.channel, Version(2), proposal.sent_at) in pair.alice.told(Stuck)


def test_payer_hears_the_secret_that_the_chain_has_learnt(pair: Pair) -> None:
    lock = add_lock(pair.world, pair.alice, pair.channel, 70, keccak(SECRET), life=1_000)
    pair.world.network.lose(Propose)
    pair.bob.do(CommandReveal(lock, SECRET))
    pair.bob.do(CommandDispute(pair.channel))
    pair.world.advance()
    pair.world.advance()

    assert pair.alice.told(PreimageLearnt) == [PreimageLearnt(lock, SECRET)]


def test_user_hears_that_the_store_is_old(pair: Pair) -> None:
    """By the chain, or by the peer that shows it."""
    state = State(pair.channel, Version(6), Wei(10))
    shown = ShowState(
        state, *(pair.world.sign(p.key.address, state) for p in (pair.alice, pair.bob))
    )
    pair.world.network.inject(pair.bob.peer, pair.alice.peer, shown)
    pair.world.settle([pair.alice])
    assert pair.alice.told(ExitOnly) == [ExitOnly(pair.channel, Version(6))]

    channel = pair.bob.channel(pair.alice).channel
    assert pair.world.register(channel, state, pair.alice.account.address)
    pair.world.advance()
    assert pair.bob.told(ExitOnly) == [ExitOnly(pair.channel, Version(6))]
