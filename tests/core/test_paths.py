"""Payments over several hubs: locked from the payer on, removed from the payee on, or neither."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TypeVar

import pytest
from msgspec.structs import replace

from perun.core.books import Draft
from perun.core.faults import BadProposal, InstanceRejected, NotAllowedNow
from perun.core.hub import paths
from perun.core.hub.judge import half_in
from perun.core.inputs import CommandAddMachine, CommandPay, CommandRemove, Signed
from perun.core.nanocontracts.instances import nano_of
from perun.core.notices import InstanceRefused, ProposalRefused, VirtualReady
from perun.core.state import ChannelView, HubStage, Intent, LegStatus, Purpose, Role
from perun.core.states.proposing import want
from perun.core.states.verdict import Decision, Half
from perun.encoding.messages import (
    GrantInstance,
    Leave,
    Propose,
    RefuseInstance,
    RequestInstance,
    decode,
    encode,
)
from perun.testing.network import Letter, Rule
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, hub_policy, machine_command, open_channel
from perun.types import (
    ChannelId,
    InstanceId,
    Machine,
    MachineId,
    MachineRecord,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)

from .crafted import carry_out, said

T = TypeVar("T")

FUNDS = 1_000
LIFE = 3_000


@dataclass
class Row:
    """Alice, some hubs, and Bob, in a row: each with a channel to the next."""

    world: World
    parties: list[Party]
    channels: list[ChannelId]
    """Of each with the next; the one that comes first is its Alice, except in the last."""

    @property
    def alice(self) -> Party:
        return self.parties[0]

    @property
    def bob(self) -> Party:
        return self.parties[-1]

    @property
    def hubs(self) -> list[Party]:
        return self.parties[1:-1]

    def command(self, lock: int, peer_lock: int = 0) -> CommandAddMachine:
        plain = machine_command(self.alice, self.channels[0], lock, peer_lock, self.bob, LIFE)
        return replace(plain, route=tuple(hub.peer for hub in self.hubs[1:]))

    def open(self, lock: int = 300) -> MachineId:
        before = set(self.alice.node.books.instances)
        self.alice.do(self.command(lock))
        self.world.settle()
        (id,) = set(self.alice.node.books.instances) - before
        return MachineId(id)

    def leave(self, machine: MachineId) -> None:
        self.alice.do(CommandRemove(machine))
        self.world.settle()

    def gains(self) -> list[int]:
        """What each has won since its channels were opened."""
        won = [0] * len(self.parties)
        for number, id in enumerate(self.channels):
            state = self.parties[number].node.books.channels[id].agreed
            net = 0 if state is None else state.state.net
            first_is_alice = self.parties[number].node.books.channels[id].role == 0
            moved = net if first_is_alice else -net
            won[number] -= moved
            won[number + 1] += moved
        return won

    def listed(self) -> list[int]:
        """How many instances each channel lists."""
        states = [
            party.node.books.channels[id].agreed
            for party, id in zip(self.parties, self.channels, strict=False)
        ]
        return [0 if state is None else len(state.state.nanos) for state in states]


def new_row(hubs: int, base_fee: int = 0) -> Row:
    world = World()
    alice = world.party("alice", OPEN_HANDED)
    bob = world.party("bob", OPEN_HANDED)
    between = [
        world.party(name, hub_policy(base_fee=Wei(base_fee)))
        for name in ("ingrid", "ida", "irma")[:hubs]
    ]
    world.advance()
    parties = [alice, *between, bob]
    channels = [
        open_channel(world, one, other, FUNDS, FUNDS) for one, other in pairwise(parties[:-1])
    ]
    channels.append(open_channel(world, bob, parties[-2], FUNDS, FUNDS))
    return Row(world, parties, channels)


@pytest.fixture(params=(2, 3))
def row(request: pytest.FixtureRequest) -> Row:
    return new_row(request.param)


def test_a_payment_crosses_several_hubs_and_each_is_where_it_was(row: Row) -> None:
    machine = row.open()
    assert row.listed() == [1] * len(row.channels)
    assert row.alice.told(VirtualReady)
    for _ in range(3):
        row.alice.do(CommandPay(machine, Wei(20)))
        row.world.settle()
    assert row.bob.node.books.totals[machine].received == 60

    row.leave(machine)
    assert row.listed() == [0] * len(row.channels)
    assert row.gains() == [-60, *(0 for _ in row.hubs), 60]
    assert all(not hub.node.books.hub_instances for hub in row.hubs)


def test_every_hub_is_paid_its_fee_by_whoever_comes_before_it() -> None:
    row = new_row(3, base_fee=7)
    machine = row.open()
    assert row.gains() == [-21, 7, 7, 7, 0]
    row.alice.do(CommandPay(machine, Wei(50)))
    row.world.settle()
    row.leave(machine)
    assert row.gains() == [-71, 7, 7, 7, 50]


# --------------------------------------------------------------------- whatever stops, at any point


def live(row: Row) -> int:
    """A whole life, as far as what goes wrong lets it; what Bob's node has said it was paid."""
    row.alice.do(row.command(300))
    row.world.settle()
    for instance in list(row.alice.node.books.instances.values()):
        if instance.ready and instance.legs[0].status is LegStatus.LISTED:
            row.alice.do(CommandPay(MachineId(instance.id), Wei(40)))
            row.world.settle()
    row.world.advance(12, 3)
    for instance in list(row.alice.node.books.instances.values()):
        if instance.legs[0].status is LegStatus.LISTED:
            with suppress(NotAllowedNow):
                row.alice.do(CommandRemove(instance.id))
    row.world.settle()
    return sum(totals.received for totals in row.bob.node.books.totals.values())


def losing_one(number: int) -> Rule:
    """Loses this letter, counted from now."""
    numbers = count()
    return lambda letter: () if next(numbers) == number else (letter,)


def losing_all(dead: Party, since: int) -> Rule:
    """Nothing reaches or leaves somebody from this letter on."""
    numbers = count()
    return lambda letter: () if next(numbers) >= since and dead.peer in letter[:2] else (letter,)


def let_time_pass(row: Row) -> None:
    """Half a margin at a time: whoever must submit something has a block to do it in."""
    for _ in range(160):
        row.world.advance(30)
        if not any(row.listed()) and not any(hub.node.books.hub_instances for hub in row.hubs):
            return


def assert_nobody_lost(row: Row, owed: int, where: str) -> None:
    gains = row.gains()
    assert row.listed() == [0] * len(row.channels), where
    assert sum(gains) == 0, where
    assert all(gain >= 0 for gain in gains[1:-1]), f"{where}: a hub has lost, {gains}"
    assert gains[-1] >= owed, f"{where}: Bob was paid {owed} and has {gains}"
    assert -gains[0] <= 40, f"{where}: Alice paid 40 and has {gains}"


def letters_of_a_life(hubs: int, live: Callable[[Row], T]) -> int:
    row = new_row(hubs)
    before = len(row.world.network.seen)
    live(row)
    return len(row.world.network.seen) - before


def lives_with_a_loss(hubs: int, live: Callable[[Row], T]) -> Iterator[tuple[Row, T, str]]:
    """One for each message of a life, which is lost in it; its result, and which one it was."""
    for lost in range(letters_of_a_life(hubs, live)):
        row = new_row(hubs)
        row.world.network.rule = losing_one(lost)
        result = live(row)
        row.world.network.rule = None
        yield row, result, f"message {lost}"


def lives_with_a_stop(
    hubs: int, who: int, live: Callable[[Row], T]
) -> Iterator[tuple[Row, T, str]]:
    """One for each message of a life, from which on a party is away; then it has come back."""
    for at in range(letters_of_a_life(hubs, live)):
        row = new_row(hubs)
        network, dead = row.world.network, row.parties[who]
        network.rule = losing_all(dead, at)
        result = live(row)
        network.rule = None
        dead.restart()
        row.world.settle()
        yield row, result, f"{dead.name} stops at message {at}"


@pytest.mark.parametrize("hubs", [2, 3])
def test_any_one_lost_message_costs_nobody_anything(hubs: int) -> None:
    for row, owed, where in lives_with_a_loss(hubs, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)


@pytest.mark.parametrize("who", range(4))
def test_any_party_may_stop_at_any_message_and_come_back(who: int) -> None:
    for row, owed, where in lives_with_a_stop(2, who, live):
        let_time_pass(row)
        assert_nobody_lost(row, owed, where)


# ----------------------------------------------------------------------- what nobody can make of it


def test_what_does_not_go_on_comes_back_to_the_payer() -> None:
    row = new_row(2, base_fee=7)
    first, second = row.hubs
    row.world.network.lose(Propose, by=second.peer)
    # So Bob has not been asked yet when he changes his mind.
    row.alice.do(row.command(300))
    row.world.settle()
    assert row.listed() == [1, 1, 0]
    row.world.network.lose()
    books = row.bob.node.books
    (instance,) = books.instances.values()
    books.load(replace(instance, far=False))
    for _ in range(20):
        row.world.advance(30)
    assert row.listed() == [0, 0, 0]
    # Each has what it was paid for the lock, nobody anything else.
    assert row.gains() == [-14, 7, 7, 0]
    refused = row.alice.told(InstanceRefused)
    assert refused
    assert "did not take it" in refused[-1].reason
    assert not first.node.books.hub_instances


def test_a_payer_gets_nothing_back_that_may_still_go_on() -> None:
    row = new_row(2)
    first = row.hubs[0]
    row.world.network.lose(Propose, by=first.peer)
    row.alice.do(row.command(300))
    row.world.settle()
    assert row.listed() == [1, 0, 0]  # The first hub has signed it towards the second.
    (id,) = first.node.books.hub_instances

    draft = Draft(row.alice.node.books)
    want(draft, row.channels[0], Intent(Purpose.REMOVE, removes=id))
    carry_out(row.alice, draft)
    row.world.settle()
    assert row.listed() == [1, 0, 0]
    # The second has not waited for it: so it comes back, by a state that nobody can undo.
    row.world.network.lose()
    let_time_pass(row)
    assert row.listed() == [0, 0, 0]
    assert row.gains() == [0, 0, 0, 0]
    assert any("on its way" in notice.reason for notice in row.alice.told(ProposalRefused))


def test_only_what_its_payer_alone_can_lose_by_crosses_several_hubs() -> None:
    row = new_row(2)
    with pytest.raises(InstanceRejected, match="only the inviter can pay"):
        row.alice.do(row.command(300, 100))


def new_terms(row: Row, peer_lock: int = 0) -> Machine:
    return Machine(
        row.alice.key.address,
        row.bob.key.address,
        Wei(300),
        Wei(peer_lock),
        UnixTime(row.world.ledger.time + LIFE),
        Seconds(600),
        row.alice.random(),
    )


def ask(row: Row, **fields: object) -> tuple[Party, list[RefuseInstance]]:
    """Alice asks the first hub for what she should not; its answers."""
    first, terms = row.hubs[0], new_terms(row)
    onward = (row.hubs[1].peer, row.bob.peer)
    message = replace(RequestInstance(row.channels[0], terms, True, onward=onward), **fields)
    network = row.world.network
    del network.seen[:]
    network.inject(row.alice.peer, first.peer, message)
    row.world.settle()
    return first, [one for one in network.said(RefuseInstance) if isinstance(one, RefuseInstance)]


def test_a_path_that_turns_back_or_ends_nowhere_is_refused_in_words() -> None:
    row = new_row(2)
    first, second = row.hubs
    for onward, why in (
        ((row.alice.peer,), "no channel with the one after us"),
        ((row.bob.peer,), "no channel with the one after us"),
        ((second.peer, first.peer, row.alice.peer), "no channel with the one after us"),
        ((second.peer, b"\x02" * 33), "no channel with the one after us"),
    ):
        hub, refusals = ask(row, onward=onward)
        assert refusals, onward
        assert why in refusals[-1].reason
        assert not hub.node.books.hub_instances
        assert not hub.node.books.instances


def test_a_path_does_not_turn_back_through_another_channel_with_the_payer() -> None:
    row = new_row(2)
    open_channel(row.world, row.alice, row.hubs[0], FUNDS, FUNDS)
    _, refusals = ask(row, onward=(row.alice.peer,))
    assert "no channel with the one after us" in refusals[-1].reason


def test_a_hub_that_hears_nothing_from_the_next_says_no() -> None:
    row = new_row(2)
    row.world.network.lose(GrantInstance, by=row.hubs[1].peer)
    hub, refusals = ask(row)
    assert hub.node.books.hub_instances
    assert not refusals
    row.world.advance(12)
    assert not hub.node.books.hub_instances
    said = [one.reason for one in row.world.network.said(RefuseInstance)]  # type: ignore[attr-defined]
    assert any("kept us waiting" in reason for reason in said)


def test_one_machine_takes_one_path() -> None:
    row = new_row(2)
    terms = new_terms(row)
    hub, refusals = ask(row, terms=terms)
    assert not refusals
    _, refusals = ask(row, terms=terms, onward=(row.hubs[1].peer, row.hubs[0].peer))
    assert "it crosses us elsewhere" in refusals[-1].reason
    assert len(hub.node.books.hub_instances) == 1


def test_a_two_way_machine_is_not_taken_for_one_way() -> None:
    row = new_row(2)
    terms = new_terms(row, peer_lock=1)
    _, refusals = ask(row, terms=terms)
    assert "its Alice alone" in refusals[-1].reason
    _, refusals = ask(row, terms=replace(terms, alice_lock=Wei(0), bob_lock=Wei(300)))
    assert "its Alice alone" in refusals[-1].reason


def test_requests_that_nobody_follows_up_are_bounded_and_forgotten() -> None:
    row = new_row(2)
    for _ in range(70):
        hub, _ = ask(row)
    assert len(hub.node.books.hub_instances) <= 64
    assert len(hub.node.books.channels[row.channels[0]].waiting) <= 64
    row.world.advance(30, 4)
    assert not hub.node.books.hub_instances
    assert not hub.node.books.instances
    assert not hub.node.books.channels[row.channels[0]].waiting


def test_a_hub_takes_nothing_that_was_not_granted_or_whose_fee_is_short() -> None:
    row = new_row(2, base_fee=7)
    first = row.hubs[0]
    row.world.network.rule = _pay_less
    row.alice.do(row.command(300))
    row.world.settle()
    assert row.listed() == [0, 0, 0]
    assert any("the fee is 14" in notice.reason for notice in row.alice.told(ProposalRefused))
    assert row.gains() == [0, 0, 0, 0]
    assert not any(view.proposals for view in first.node.books.channels.values())


def _pay_less(letter: Letter) -> tuple[Letter, ...]:
    message = decode(letter[2])
    if isinstance(message, GrantInstance) and message.fee == 14:
        return ((letter[0], letter[1], encode(replace(message, fee=Wei(13)))),)
    return (letter,)


def test_hubs_are_neutral_when_the_payer_registers_an_old_state() -> None:
    row = new_row(2)
    machine = row.open()
    row.alice.do(CommandPay(machine, Wei(100)))
    row.world.settle()
    channel = row.alice.node.books.channels[row.channels[0]].channel
    assert row.world.register(
        channel, State(row.channels[0], Version(0), Wei(0)), row.alice.account.address
    )
    let_time_pass(row)
    assert row.world.ledger.instances[machine].paid_by_alice == 100
    kept = [worth(row, party) for party in row.parties]
    assert kept == [FUNDS - 100, 2 * FUNDS, 2 * FUNDS, FUNDS + 100]


def worth(row: Row, party: Party) -> int:
    """What it was paid out, and what stands to its name in channels that have not ended."""
    found = row.world.ledger.paid.get(party.account.address, 0)
    for view in party.node.books.channels.values():
        if not view.final.ended:
            net = view.agreed.state.net if view.agreed is not None else 0
            found += FUNDS + (net if view.role is Role.BOB else -net)
    return found


def test_a_state_that_is_signed_too_late_to_be_registered_does_not_go_on() -> None:
    """Attack: the payer disputes with an old state while the hub's signer is still at work; what it
    then signs can never be shown, and the hub would have locked its own for nothing."""
    row = new_row(2)
    first = row.hubs[0]
    first.signer.slow = []
    row.alice.do(row.command(300))
    row.world.settle()
    assert first.signer.slow
    channel = row.alice.node.books.channels[row.channels[0]].channel
    old = State(row.channels[0], Version(0), Wei(0))
    assert row.world.register(channel, old, row.alice.account.address)
    row.world.advance(700)
    slow, first.signer.slow = first.signer.slow, None
    for asked in slow:
        first.node.post([Signed(asked, first.signer.sign_now(asked))])
    row.world.settle()
    assert first.node.books.hub_instances
    out = first.node.books.channels[row.channels[1]]
    assert (out.agreed, out.proposals, out.intents) == (None, (), ())
    let_time_pass(row)
    assert worth(row, first) >= 2 * FUNDS


def test_a_payer_that_names_other_totals_keeps_no_payee_from_its_money() -> None:
    """Attack: she proposes the removal at less than she has paid, again and again."""
    row = new_row(2)
    first = row.hubs[0]
    machine = row.open()
    row.alice.do(CommandPay(machine, Wei(100)))
    row.world.settle()
    books = row.alice.node.books
    books.load(replace(books.totals[machine], sent=Wei(60)))
    row.world.network.lose(Leave)
    draft = Draft(books)
    want(draft, row.channels[0], Intent(Purpose.REMOVE, removes=machine))
    carry_out(row.alice, draft)
    row.world.settle()
    assert first.node.books.channels[row.channels[0]].held is not None

    draft = Draft(row.bob.node.books)
    want(draft, row.channels[-1], Intent(Purpose.REMOVE, removes=machine))
    carry_out(row.bob, draft)
    row.world.settle()
    assert row.listed() == [1, 0, 0]
    assert row.gains()[2:] == [0, 100]


def test_a_request_in_a_full_queue_takes_no_place_of_what_was_granted() -> None:
    row = new_row(2)
    row.world.network.lose(Propose, by=row.alice.peer)
    row.alice.do(row.command(300))
    row.world.settle()
    (id,) = row.hubs[0].node.books.hub_instances
    for _ in range(70):
        ask(row)
    row.world.network.lose()
    assert id in row.hubs[0].node.books.hub_instances


# ---------------------------------------------------------------- each condition, on crafted halves


def half_at(row: Row, id: InstanceId, **crossing: object) -> tuple[Draft, ChannelView, Half]:
    """What the first hub finds of a machine in its channel with Alice."""
    books = row.hubs[0].node.books
    books.load(replace(books.hub_instances[id], **crossing))  # type: ignore[arg-type]
    draft = Draft(books)
    view = draft.channel(row.channels[0])
    half = half_in(draft, view, id)
    assert half is not None
    return draft, view, half


def granted(row: Row) -> InstanceId:
    """A machine that the first hub has granted, and nobody has proposed."""
    hub, _ = ask(row)
    (id,) = hub.node.books.hub_instances
    return InstanceId(id)


def test_only_the_nano_of_the_machine_is_added_and_only_once() -> None:
    row = new_row(2)
    draft, view, half = half_at(row, granted(row))
    nano = nano_of(draft.config.deployment, half.instance.id, half.instance.terms, half.leg.swapped)
    assert paths.judge_adding(draft, view, half, nano, 0).decision is Decision.ACCEPT
    for wrong in (
        replace(nano, alice_lock=Wei(nano.alice_lock - 1)),
        replace(nano, expiry=UnixTime(nano.expiry + 1)),
        replace(nano, swapped=not nano.swapped),
    ):
        with pytest.raises(BadProposal, match="other locks, time or contract"):
            paths.judge_adding(draft, view, half, wrong, 0)
    record = MachineRecord(Wei(1), Wei(0), UnixTime(1))
    touched = dataclasses.replace(half, instance=replace(half.instance, head=record))
    with pytest.raises(BadProposal, match="locked or submitted before"):
        paths.judge_adding(draft, view, touched, nano, 0)


@pytest.mark.parametrize("stage", [stage for stage in HubStage if stage is not HubStage.RETURNING])
def test_it_is_given_back_only_when_it_never_goes_on(stage: HubStage) -> None:
    row = new_row(2)
    _, _, half = half_at(row, granted(row), stage=stage)
    removal = Intent(Purpose.REMOVE, removes=half.instance.id)
    with pytest.raises(BadProposal, match="on its way"):
        paths.judge_leaving(half, removal, 0)


@pytest.mark.parametrize("late", [0, 1])
def test_what_nobody_has_taken_back_is_given_back_again_after_patience(late: int) -> None:
    row = new_row(2)
    id = granted(row)
    draft, _, half = half_at(row, id, stage=HubStage.RETURNING)
    into, out = half.instance.legs
    draft.put(replace(half.instance, legs=(replace(into, status=LegStatus.LISTED), out)))
    since = draft.chain.clock - draft.config.limits.patience - late
    crossing = replace(half.crossing, since=UnixTime(since))
    assert paths.overdue(draft, crossing)
    assert [type(one) for one in said(draft)] == [RefuseInstance] * late


def test_nothing_is_paid_by_giving_it_back() -> None:
    row = new_row(2)
    _, _, half = half_at(row, granted(row), stage=HubStage.RETURNING)
    removal = Intent(Purpose.REMOVE, removes=half.instance.id)
    assert paths.judge_leaving(half, removal, 0).decision is Decision.ACCEPT
    for moved in (1, -1):
        with pytest.raises(BadProposal, match="nothing was paid"):
            paths.judge_leaving(half, removal, moved)


def test_a_payer_grants_nothing_to_itself() -> None:
    """Attack: it answers for the next hub, at a fee of its own."""
    row = new_row(2, base_fee=7)
    first, network = row.hubs[0], row.world.network
    network.lose(GrantInstance, by=row.hubs[1].peer)
    ask(row)
    (id,) = first.node.books.hub_instances
    fake = GrantInstance(row.channels[0], id, Wei(0), UnixTime(row.world.ledger.time + 60))
    network.inject(row.alice.peer, first.peer, fake)
    row.world.settle()
    assert first.node.books.hub_instances[id].stage is HubStage.REQUESTED
    assert first.node.books.hub_instances[id].passed is None


def test_only_the_payer_asks() -> None:
    row = new_row(2)
    hub, _ = ask(row, from_alice=False)
    assert not hub.node.books.hub_instances
    assert "only its payer asks" in str(hub.faults[-1][1])
