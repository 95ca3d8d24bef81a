"""Payments to somebody with whom we share nothing but a hub."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.app.methods import Close, GetChannels, Leave, Pay
from perun.app.texts import show_account
from perun.app.values import Payment
from perun.core.config import Policy, Worth
from perun.core.notices import InstanceRefused, VirtualReady
from perun.store import MemoryStore, WriteFailed
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import ETH, MAX_AMOUNT, Address, Asset, InstanceId, Seconds, Wei


class Trio:
    """Alice and Bob, each with a channel to Ingrid."""

    def __init__(
        self,
        alice: Policy = OPEN_HANDED,
        money: int = 1_000,
        assets: Policy = OPEN_HANDED,
        **fees: object,
    ) -> None:
        """Args:
        assets: which all deal in, and at which prices; the channels are in the last one.
        """
        self.town = Town()
        about = {name: getattr(assets, name) for name in ("assets", "worths", "unpriced")}
        self.asset = assets.assets[-1]
        self.alice = self.town.person("alice", replace(alice, **about))
        self.bob = self.town.person("bob", replace(OPEN_HANDED, **about))
        self.ingrid = self.town.person("ingrid", replace(hub_policy(**fees), **about))
        if self.asset != ETH:
            for one in (self.alice, self.bob, self.ingrid):
                self.town.world.ledger.mint(self.asset, one.party.account.address, 2 * money)
        for one in (self.alice, self.bob):
            open_channel(self.town.world, one.party, self.ingrid.party, money, money, self.asset)

    def pay(self, amount: int, key: str = "one", wait: int = 600) -> Pay:
        asset = show_account(self.asset)
        return Pay(idempotency_key=key, to=self.bob.id, amount=str(amount), wait=wait, asset=asset)

    def pay_in_vain(self, amount: int) -> Payment:
        """Refused, and tried again for a few seconds."""
        answer = self.alice.begin("pay", self.pay(amount, "in vain"))
        began = self.town.world.ledger.time
        self.town.until(lambda: answer.came)
        assert self.town.world.ledger.time - began <= 5
        paid: Payment = answer.value
        return paid

    @property
    def received(self) -> int:
        return sum(row.received for row in self.bob.party.node.books.totals.values())


@pytest.fixture
def trio() -> Trio:
    return Trio()


def test_a_first_payment_opens_a_virtual_channel_and_the_next_needs_no_hub(trio: Trio) -> None:
    assert trio.alice.ask("pay", trio.pay(5)).step == "done"
    said = len(trio.town.world.network.seen)
    assert trio.alice.ask("pay", trio.pay(6, "two")).step == "done"
    # Payment, note and their answers.
    assert len(trio.town.world.network.seen) - said == 4
    assert trio.received == 11


def test_it_is_resized_when_it_runs_dry(trio: Trio) -> None:
    first = trio.alice.ask("pay", trio.pay(50))
    second = trio.alice.ask("pay", trio.pay(800, "two"))
    assert (first.step, second.step) == ("done", "done")
    assert first.machine != second.machine
    assert trio.received == 850


def test_a_fee_is_paid_up_to_what_the_policy_allows() -> None:
    trio = Trio(base_fee=Wei(7))
    assert trio.alice.ask("pay", trio.pay(5)).step == "done"


def test_a_machine_leaves_room_for_the_fee() -> None:
    """Eight payments ahead would take all the money there is, and the hub would have to refuse."""
    trio = Trio(money=50, base_fee=Wei(1))
    assert trio.alice.ask("pay", trio.pay(10)).step == "done"
    assert not [one for one in trio.alice.party.notices if isinstance(one, InstanceRefused)]


def test_a_half_that_the_hub_refuses_keeps_nobody_waiting() -> None:
    """The fee is more than the room left for it: refused, and tried smaller at once."""
    trio = Trio(money=50, base_fee=Wei(10))
    before = trio.town.world.ledger.time
    assert trio.alice.ask("pay", trio.pay(10)).step == "done"
    assert trio.town.world.ledger.time == before


def test_a_fee_beyond_the_policy_is_said_in_words() -> None:
    trio = Trio(Policy(greatest_deposit=Wei(10**30)), base_fee=Wei(7))
    paid = trio.pay_in_vain(5)
    assert paid.step == "failed"
    assert "fee 7 above 0" in paid.why
    assert "agreeing on a machine" in paid.why
    assert trio.received == 0


TOKEN = Asset(Address(b"\x09" * 20))
DOLLAR = 10**6
PRICED = Policy(assets=(ETH, TOKEN), worths=(Worth(TOKEN, 3_000 * DOLLAR, Wei(10**18)),))


def test_a_fee_in_a_token_is_what_the_policy_allows_is_worth() -> None:
    """Attack: a wallet that gives a hub a thousandth of an ether, asked for that many millionths of
    a dollar: ten million dollars, or all it has."""
    policy = Policy(greatest_deposit=Wei(10**30), greatest_fee=Wei(10**15))
    greedy = Trio(policy, 1_000 * DOLLAR, PRICED, base_fee=Wei(10**15 + 10**12))
    paid = greedy.pay_in_vain(DOLLAR)
    assert paid.step == "failed"
    assert "fee 3003000 above 3000000" in paid.why

    fair = Trio(policy, 1_000 * DOLLAR, PRICED, base_fee=Wei(10**15))
    free = fair.alice.ask("channels", GetChannels())[0].free
    paid = fair.alice.ask("pay", fair.pay(DOLLAR))
    assert paid.step == "done"
    (channel,) = fair.alice.ask("channels", GetChannels())
    assert int(channel.free) + int(channel.locked) == int(free) - DOLLAR - 3 * DOLLAR


def test_a_token_without_a_price_costs_no_fee() -> None:
    unpriced = Policy(assets=(ETH, TOKEN), unpriced=(TOKEN,))
    policy = Policy(greatest_deposit=MAX_AMOUNT, greatest_fee=Wei(10**15))
    free = Trio(policy, 1_000 * DOLLAR, unpriced, base_fee=Wei(10**15))
    assert free.alice.ask("pay", free.pay(DOLLAR)).step == "done"
    rates = Trio(policy, 1_000 * DOLLAR, unpriced, amount_ppm=1)
    assert "above 0" in rates.pay_in_vain(DOLLAR).why


def test_what_the_hub_finds_too_large_is_tried_smaller() -> None:
    trio = Trio(greatest_lock=Wei(60))
    assert trio.alice.ask("pay", trio.pay(50)).step == "done"
    paid = trio.pay_in_vain(70)
    assert paid.step == "failed"
    assert "more than 60 locked by the hub" in paid.why


def test_a_hub_that_sees_its_money_a_moment_later_is_asked_again() -> None:
    """Right after a channel was opened one end's final block may not be the hub's yet."""
    trio = Trio(greatest_lock=Wei(1))
    answer = trio.alice.begin("pay", trio.pay(5))
    trio.town.world.settle()
    assert not answer.came
    books = trio.ingrid.party.node.books
    books.config = replace(books.config, policy=hub_policy())
    trio.town.until(lambda: answer.came)
    assert answer.value.step == "done", answer.value.why


def test_another_hub_is_tried_when_one_refuses() -> None:
    trio = Trio(greatest_lock=Wei(10))
    igor = trio.town.person("igor", hub_policy())
    open_channel(trio.town.world, trio.alice.party, igor.party, 500, 500)
    open_channel(trio.town.world, trio.bob.party, igor.party, 500, 500)
    paid = trio.alice.ask("pay", trio.pay(50))
    assert paid.step == "done"
    via = trio.alice.party.node.books.instances[bytes.fromhex(paid.machine[2:])].via  # type: ignore[index]
    assert via == igor.party.peer


def test_a_hub_that_is_away_is_named(trio: Trio) -> None:
    trio.town.world.network.leave(trio.ingrid.party.peer)
    answer = trio.alice.begin("pay", trio.pay(5))
    trio.town.world.settle()
    trio.town.until(lambda: answer.came)
    assert answer.value.step == "failed"
    assert "waiting for others" in answer.value.why


def test_a_payee_that_returns_in_time_is_paid(trio: Trio) -> None:
    trio.town.world.network.leave(trio.bob.party.peer)
    answer = trio.alice.begin("pay", trio.pay(5))
    trio.town.world.settle()
    trio.bob.party.restart()
    trio.town.until(lambda: answer.came)
    assert answer.value.step == "done"


@pytest.mark.parametrize("who", ["alice", "bob", "ingrid"])
def test_a_crash_between_any_two_writes_never_pays_twice_or_never(who: str) -> None:
    for write in range(14):
        trio = Trio()
        person: Person = getattr(trio, who)
        store = person.party.store
        assert isinstance(store, MemoryStore)
        store.crash_before = write
        answer = trio.alice.begin("pay", trio.pay(5))
        try:
            trio.town.world.settle()
        except WriteFailed:
            store.crash_before = None
            person.party.restart()
            if who == "alice":
                answer = trio.alice.begin("pay", trio.pay(5))
        store.crash_before = None
        trio.town.until(lambda answer=answer: answer.came)  # type: ignore[misc]
        trio.town.world.settle()
        paid = {"done": 5, "delivered": 5, "failed": 0}[answer.value.step]
        assert trio.received == paid, (write, answer.value)
        # Whatever became of it, the next one goes through.
        trio.town.world.advance(12, 3)
        later = trio.alice.begin("pay", trio.pay(6, "two"))
        trio.town.world.settle()
        trio.town.until(lambda later=later: later.came)  # type: ignore[misc]
        assert later.value.step == "done", (write, later.value)
        assert trio.received == paid + 6


def test_sizes_are_modest_over_a_hub(trio: Trio) -> None:
    alice = trio.town.person("carol", OPEN_HANDED, replace(SETTINGS, ahead=4))
    open_channel(trio.town.world, alice.party, trio.ingrid.party, 1_000, 1_000)
    paid = alice.ask("pay", trio.pay(5))
    machine = alice.party.node.books.instances[bytes.fromhex(paid.machine[2:])].machine  # type: ignore[index]
    assert machine is not None
    assert (machine.alice_lock, machine.bob_lock) == (20, 0)


def _kinds(trio: Trio) -> set[str]:
    return {type(one).__name__ for one in trio.town.world.ledger.log}


@pytest.mark.parametrize("used", [True, False])
def test_before_its_end_a_virtual_channel_is_renewed_or_closed_without_the_chain(
    used: bool,
) -> None:
    trio = Trio()
    settings = replace(SETTINGS, life_over_hub=Seconds(1_000))
    dora = trio.town.person("dora", OPEN_HANDED, settings)
    open_channel(trio.town.world, dora.party, trio.ingrid.party, 1_000, 1_000)
    if used:
        id = bytes.fromhex(dora.ask("pay", trio.pay(100)).machine[2:])
    else:
        view = dora.party.channel(trio.ingrid.party)
        id = add_machine(trio.town.world, dora.party, view.id, 100, 0, trio.bob.party, 1_000)
    for _ in range(200):
        trio.town.world.advance(12)
    assert _kinds(trio) == {"OpenChannel", "DepositMoney"}
    second = dora.ask("pay", trio.pay(100, "two"))
    assert second.step == "done"
    assert bytes.fromhex(second.machine[2:]) != id
    assert dora.party.node.books.instances.get(InstanceId(id)) is None


def test_closing_with_a_hub_takes_virtual_channels_out(trio: Trio) -> None:
    trio.alice.ask("pay", trio.pay(100))
    (channel,) = trio.alice.ask("channels", GetChannels())
    trio.alice.ask("close", Close(idempotency_key="c", channel=channel.id))
    trio.town.until(lambda: trio.alice.ask("channels", GetChannels()) == (), 12)
    paid = trio.town.world.ledger.paid
    assert paid[trio.alice.party.account.address] == 900
    assert _kinds(trio) == {"OpenChannel", "DepositMoney", "CloseChannel"}


def test_leaving_a_hub_gets_everything_alone(trio: Trio) -> None:
    trio.alice.ask("pay", trio.pay(100))
    (channel,) = trio.bob.ask("channels", GetChannels())
    trio.town.world.network.leave(trio.ingrid.party.peer)
    trio.bob.ask("leave", Leave(idempotency_key="l", channel=channel.id))
    trio.town.until(lambda: trio.bob.ask("channels", GetChannels()) == (), 60)
    assert trio.town.world.ledger.paid[trio.bob.party.account.address] == 1_100


def test_a_machine_as_one_that_was_refused_is_paid_in_once_the_chain_has_told() -> None:
    """Asked for in the same block, it has the same lock and end; and it is not paid in at once."""
    trio = Trio(greatest_lock=Wei(1))
    world, alice = trio.town.world, trio.alice.party
    answer = trio.alice.begin("pay", trio.pay(5))
    world.settle()
    assert alice.told(InstanceRefused)
    books = trio.ingrid.party.node.books
    books.config = replace(books.config, policy=hub_policy())
    told, alice.chain.inbox = alice.chain.inbox, lambda _inputs: None
    world.advance(1)
    alice.node.turn()  # her clock goes on, though no block comes
    world.settle()
    assert alice.told(VirtualReady)
    assert not answer.came
    alice.chain.inbox = told
    trio.town.until(lambda: answer.came)
    assert answer.value.step == "done", answer.value.why
