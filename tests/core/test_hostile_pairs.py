"""Attacks by the other side of a channel of two: offers, proposals, deposits, late words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.core.config import HubPolicy, Policy
from perun.core.effects import Sign, SignItem, SubmitEvidence
from perun.core.faults import NotAllowedNow
from perun.core.inputs import (
    CommandAnswer,
    CommandClose,
    CommandOffer,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.notices import ChannelOffered, ProposalHeld
from perun.core.states import content
from perun.encoding.machine import (
    statements_evidence,
)
from perun.encoding.messages import (
    AnswerClose,
    DeclineInvite,
    Invite,
    Invited,
    Message,
    OfferClose,
    Pay,
    Propose,
    ShowState,
    decode,
)
from perun.testing.parties import DEPLOYMENT, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, open_channel
from perun.types import (
    ETH,
    MAX_AMOUNT,
    Close,
    Lock,
    Salt,
    Seconds,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
)

from .conftest import Pair

TEN = Policy(greatest_deposit=Wei(10))
FIFTEEN = replace(TEN, greatest_deposits=Wei(15))
TWENTY = replace(TEN, greatest_deposits=Wei(20))
HUB = replace(TEN, hub=HubPolicy())


def signature(party: Party, message: State | Close | Statement) -> Signature:
    return party.signer.sign_now(Sign((SignItem(party.key.address, message),)))[0]


def test_close_that_another_took_the_place_of_is_alive_until_it_lapses(pair: Pair) -> None:
    """Bob's Close lives for an hour; Alice answers by one of her own that lives a minute. After
    that she could buy from him, and bring his to the chain, at the net from before."""
    pair.world.network.lose(OfferClose, AnswerClose)
    pair.bob.do(CommandClose(pair.channel))
    kept = pair.bob.node.books.channels[pair.channel].close
    assert kept is not None
    short = replace(kept.close, valid_until=UnixTime(pair.world.ledger.time + 12))
    pair.world.network.lose()
    said = OfferClose(short, signature(pair.alice, short))
    pair.world.network.inject(pair.alice.peer, pair.bob.peer, said)
    pair.world.settle([pair.bob])
    pair.world.advance(24)
    pair.world.advance(24)
    assert pair.world.ledger.time < kept.close.valid_until
    with pytest.raises(NotAllowedNow, match="closing"):
        pair.bob.do(CommandTransfer(pair.channel, Wei(1)))
    pair.world.advance(300)
    pair.bob.do(CommandTransfer(pair.channel, Wei(1)))


def test_what_was_held_falls_with_the_state_it_was_made_for(pair: Pair) -> None:
    """Bob proposes a transfer while Alice's removal is open, and answers the removal only when hers
    is held: her user would agree to a transfer, and sign the machine back into the list."""
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 100)
    alice, bob = pair.alice, pair.bob
    pair.world.network.held = []
    alice.do(CommandRemove(machine))
    before = bob.node.books.channels[pair.channel]
    assert before.agreed is not None
    proposal = alice.node.books.channels[pair.channel].proposals[0]
    version = Version(proposal.state.version + 1)
    state = State(pair.channel, version, Wei(5), before.agreed.state.nanos)
    said = Propose(state, signature(bob, state), 0)
    pair.world.network.inject(bob.peer, alice.peer, said)
    pair.world.settle([alice])
    assert alice.told(ProposalHeld)
    answer = signature(bob, proposal.state)
    full = ShowState(proposal.state, proposal.signature, answer)
    pair.world.network.inject(bob.peer, alice.peer, full)
    pair.world.settle([alice])
    with pytest.raises(NotAllowedNow):
        alice.do(CommandAnswer(pair.channel, version, accept=True))
    # Said again, it is judged by the state that stands now.
    pair.world.network.inject(bob.peer, alice.peer, said)
    pair.world.settle([alice])
    view = alice.node.books.channels[pair.channel]
    assert view.held is None
    assert view.proposals[-1].state.nanos == ()


def test_bob_does_not_deposit_again_what_was_withdrawn(pair: Pair) -> None:
    pair.bob.do(CommandWithdraw(pair.channel, Wei(1_000)))
    pair.world.settle()
    for _ in range(4):
        pair.world.advance()
    view = pair.bob.node.books.channels[pair.channel]
    assert (view.final.withdrawals, view.final.bob, view.deposits) == (1, 0, ())


def test_state_shown_with_a_refusal_proves_the_store_old(pair: Pair) -> None:
    """The mark must stay, although the refusal itself cannot be taken up any more."""
    alice, bob = pair.alice, pair.bob
    unknown = State(pair.channel, Version(2), Wei(7))
    base = ShowState(unknown, signature(alice, unknown), signature(bob, unknown))
    refusal = State(pair.channel, Version(3), Wei(7))
    said = Propose(refusal, signature(bob, refusal), 4, base=base)
    pair.world.network.inject(bob.peer, alice.peer, said)
    pair.world.settle([alice])
    assert alice.node.books.exit_only


def test_outcome_is_not_what_an_old_snapshot_shows(pair: Pair) -> None:
    """Alice's chain is silent from her submission until the machine is over. The first block that
    she hears of is later than its final time, and she has not heard yet what it says of it: by what
    she knew before, nobody had submitted, and she would have signed her money away."""
    world, alice = pair.world, pair.alice
    machine = add_machine(world, alice, pair.channel, 100, 100, life=1_000)
    pair.bob.do(CommandPay(machine, Wei(50)))
    world.settle()
    inbox, alice.chain.inbox = alice.chain.inbox, None
    terms = alice.node.books.instances[machine].machine
    assert terms is not None
    held = alice.node.books.totals[machine]
    evidence = statements_evidence(
        terms, Wei(0), Signature(b""), held.received, held.received_signature
    )
    statement = SubmitEvidence(DEPLOYMENT.vpm.contract, machine, evidence)
    assert world.ledger.apply(statement, alice.account.address)
    for _ in range(20):
        world.ledger.advance(120)
    alice.chain.inbox = inbox
    world.network.held = []
    alice.chain.tell_all()
    world.settle([alice])
    world.ledger.advance(12)
    world.settle([alice])
    (proposal,) = alice.node.books.channels[pair.channel].proposals
    assert (proposal.state.net, proposal.state.nanos) == (-50, ())


def test_losses_that_policy_allows_add_up(pair: Pair) -> None:
    """Ten are lost unasked, however many messages ask for them, and whatever the user agrees to."""
    alice, bob = pair.alice, pair.bob
    config = alice.node.books.config
    alice.node.books.config = replace(config, policy=replace(config.policy, greatest_loss=Wei(10)))

    def take(amount: int) -> int:
        view = alice.node.books.channels[pair.channel]
        net = view.agreed.state.net if view.agreed is not None else 0
        version = max(view.signed, view.seen) + 1
        state = State(pair.channel, Version(version + (version % 2 == 0)), Wei(net + amount))
        said = Propose(state, signature(bob, state), 0)
        pair.world.network.inject(bob.peer, alice.peer, said)
        pair.world.settle([alice])
        after = alice.node.books.channels[pair.channel]
        return after.agreed.state.net if after.agreed is not None else 0

    pair.world.network.rule = lambda letter: ()  # noqa: ARG005
    assert [take(6), take(4), take(1)] == [6, 10, 10]
    held = alice.node.books.channels[pair.channel].held
    assert held is not None
    alice.do(CommandAnswer(pair.channel, held.state.version, accept=True))
    assert [take(-1), take(1)] == [10, 10]


def test_locks_that_we_pay_add_up(pair: Pair) -> None:
    """Each for a secret of Alice, each within what Bob lets her take, and not all together."""
    alice, bob = pair.alice, pair.bob
    config = bob.node.books.config
    policy = replace(config.policy, greatest_loss=Wei(10), greatest_lock=Wei(10))
    bob.node.books.config = replace(config, policy=policy)
    deadline = UnixTime(pair.world.ledger.time + 5_000)

    def invite(number: int, amount: int) -> list[Message]:
        lock = Lock(Wei(amount), True, bytes(32), deadline, Salt(bytes([number]) * 32))
        said = Invite(lock, pair.channel, ETH)
        pair.world.network.inject(alice.peer, bob.peer, said)
        pair.world.settle([bob])
        return [decode(letter[2]) for letter in pair.world.network.held or ()]

    pair.world.network.held = []
    for number, amount in ((1, 6), (2, 5), (1, 6), (3, 4), (4, 1)):
        invite(number, amount)
    kinds = [type(message) for message in invite(5, 1)]
    assert kinds == [Invited, DeclineInvite, Invited, Invited, DeclineInvite, DeclineInvite]


@pytest.mark.parametrize("builds", [True, False])
def test_locks_that_no_register_takes_are_not_signed(
    monkeypatch: pytest.MonkeyPatch, builds: bool
) -> None:
    """Each lock is in range, and Alice has twice as much: together they would not fit what a first
    settle leaves, so `register` reverts, and whoever is paid in them holds nothing."""
    world = World()
    rich = replace(OPEN_HANDED, greatest_deposit=MAX_AMOUNT)
    alice, bob = world.party("alice", rich), world.party("bob", rich)
    world.advance()
    id = open_channel(world, alice, bob, MAX_AMOUNT, MAX_AMOUNT)
    bob.do(CommandTransfer(id, MAX_AMOUNT))
    world.settle()
    add_machine(world, alice, id, MAX_AMOUNT, 0)
    if builds:
        monkeypatch.setattr(content, "locks_fit", lambda nanos: True)  # noqa: ARG005
    add_machine(world, alice, id, 1, 0)
    for party in (alice, bob):
        full = party.node.books.channels[id].agreed
        assert full is not None
        assert [nano.alice_lock for nano in full.state.nanos] == [MAX_AMOUNT]


@pytest.mark.parametrize(("policy", "joined"), [(TEN, 1), (FIFTEEN, 1), (TWENTY, 2), (HUB, 3)])
def test_deposits_that_policy_allows_add_up(policy: Policy, joined: int) -> None:
    """Ten in each channel that Alice opens with one unit of her own; all of Bob's money in many."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", policy)
    world.advance()
    for _ in range(3):
        alice.do(
            CommandOffer(
                bob.peer, bob.account.address, ETH, Seconds(600), alice.nonce(), Wei(1), Wei(10)
            )
        )
        world.settle()
    for _ in range(3):
        world.advance()
    put_in = [view.final.bob for view in bob.node.books.channels.values()]
    assert sorted(put_in, reverse=True) == [10] * joined + [0] * (3 - joined)
    assert bool(bob.told(ChannelOffered)) is (joined < 3)


@pytest.mark.parametrize("late", [False, True])
def test_offers_are_good_until_their_last_second_and_no_longer(pair: Pair, late: bool) -> None:
    """At `validUntil` itself the contract takes a Close, a second later not."""
    alice, bob = pair.alice, pair.bob
    close = Close(pair.channel, Wei(0), UnixTime(pair.world.ledger.time - late), 0)
    said = OfferClose(close, signature(alice, close))
    pair.world.network.held = []
    pair.world.network.inject(alice.peer, bob.peer, said)
    pair.world.settle([bob])
    kept = bob.node.books.channels[pair.channel].close
    assert (kept is None) is late
    # Said again, and again with another end, it adds nothing.
    other = replace(close, valid_until=UnixTime(close.valid_until + 9))
    for again in (said, OfferClose(other, signature(alice, other))):
        pair.world.network.inject(alice.peer, bob.peer, again)
    pair.world.settle([bob])
    now = bob.node.books.channels[pair.channel].close
    assert now is not None
    assert now.close == (other if late else close)


@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_statement_counts_until_a_margin_before_the_end(pair: Pair, beyond: int) -> None:
    machine = add_machine(pair.world, pair.alice, pair.channel, 100, 100, life=1_000)
    terms = pair.bob.node.books.instances[machine].machine
    assert terms is not None
    limits = pair.bob.node.books.config.limits
    end = terms.validity - limits.margin + beyond
    pair.world.ledger.advance(end - pair.world.ledger.time)
    pair.world.settle()
    paid = Statement(machine, Wei(5))
    said = Pay(machine, Wei(5), signature(pair.alice, paid))
    for _ in range(2):
        pair.world.network.inject(pair.alice.peer, pair.bob.peer, said)
        pair.world.settle([pair.bob])
    for _ in range(2):
        pair.world.advance(1)  # One to see that it is time, one to have it mined.
    totals = pair.bob.node.books.totals.get(machine)
    assert (totals.received if totals else 0) == (5 if beyond <= 0 else 0)
    # What counted is cashed in before the end.
    on = pair.world.ledger.instances.get(machine)
    assert (on.paid_by_alice if on else 0) == (5 if beyond <= 0 else 0)
