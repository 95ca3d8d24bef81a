"""Channels as people have them: opened with consent, topped up, emptied, closed, left."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from perun.app.errors import (
    AccountTooPoor,
    BadParams,
    Forbidden,
    KeyReused,
    NoSuch,
    SpendLimit,
)
from perun.app.indexes import Spent
from perun.app.methods import (
    AddContact,
    Answer,
    Claim,
    Close,
    GetChannels,
    GetContacts,
    GetExposure,
    GetNetworks,
    GetOffers,
    GetPayments,
    GetProofs,
    GetStatus,
    Leave,
    Open,
    Pay,
    RemoveContact,
    Scope,
    TopUp,
    Withdraw,
)
from perun.app.work import Caller
from perun.core.config import Policy
from perun.core.faults import NotEnoughMoney
from perun.core.signing import Checker
from perun.encoding.addresses import BadNodeId
from perun.encoding.messages import OfferWithdraw
from perun.errors import Misuse
from perun.testing.people import SETTINGS, Person, Town
from perun.testing.stories import OPEN_HANDED
from perun.types import ETH, ChannelId, Seconds, Signature, UnixTime, Wei


@pytest.fixture
def town() -> Town:
    return Town(lag=2)


@pytest.fixture
def alice(town: Town) -> Person:
    return town.person("alice", OPEN_HANDED)


@pytest.fixture
def bob(town: Town) -> Person:
    return town.person("bob", OPEN_HANDED)


def opened(town: Town, alice: Person, bob: Person, own: int = 1_000, peer: int = 500) -> str:
    plan = alice.ask("open", _open(bob, own, peer, consent=True))
    assert plan.state in ("offered", "funding")
    town.until(lambda: channel(alice).phase == "open" and int(channel(bob).free) == peer, 12)
    return str(plan.channel)


def _open(bob: Person, own: int, peer: int = 0, key: str = "open", **more: Any) -> Open:
    return Open(idempotency_key=key, peer=bob.id, amount=str(own), peer_amount=str(peer), **more)


def channel(person: Person) -> Any:
    (found,) = person.ask("channels", GetChannels())
    return found


def states(person: Person) -> list[str]:
    return [row.state for row in person.app.shelf.errands.values()]


def test_without_consent_nothing_happens_and_all_is_said(alice: Person, bob: Person) -> None:
    plan = alice.ask("open", _open(bob, 1_000))
    assert (plan.state, plan.channel, plan.amount, plan.worst) == ("plan", None, "1000", "0")
    assert plan.gas > 50_000
    assert "a final block shows it" in plan.counts_after
    assert alice.party.node.books.channels == {}
    assert alice.app.shelf.errands == {}


def test_with_consent_one_transaction_opens_it(town: Town, alice: Person, bob: Person) -> None:
    opened(town, alice, bob)
    assert states(alice) == ["open"]
    kinds = [type(t).__name__ for t in town.world.ledger.log]
    assert kinds == ["OpenChannel", "DepositMoney"]


def test_the_same_key_opens_one_channel(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    again = alice.ask("open", _open(bob, 1_000, 500, consent=True))
    assert (again.channel, again.state) == (id, "open")
    with pytest.raises(KeyReused):
        alice.ask("open", _open(bob, 999, 500, consent=True))
    with pytest.raises(KeyReused):
        alice.ask("pay", Pay(idempotency_key="open", to=bob.id, amount="5"))
    assert len(alice.party.node.books.channels) == 1


def test_what_the_account_has_is_asked_last_and_not_of_a_wish_that_is_known(
    town: Town, alice: Person, bob: Person
) -> None:
    poor = Caller(outside=Wei(100))
    wish = _open(bob, 1_000, 500, consent=True)
    with pytest.raises(NoSuch, match="write a node's address"):
        alice.ask("open", replace(wish, peer="nonsense"), poor)
    with pytest.raises(AccountTooPoor, match="are needed"):
        alice.ask("open", wish, poor)
    assert alice.party.node.books.channels == {}
    id = opened(town, alice, bob)
    assert alice.ask("open", wish, poor).channel == id
    with pytest.raises(AccountTooPoor):
        alice.ask("topUp", TopUp(idempotency_key="t", channel=id, amount="170"), poor)


def test_a_refusal_is_said(town: Town, alice: Person) -> None:
    carol = town.person("carol", Policy(assets=()))
    alice.ask("open", _open(carol, 1_000, consent=True))
    assert states(alice) == ["refused"]
    assert "not on our list" in next(iter(alice.app.shelf.errands.values())).text


def test_what_the_policy_leaves_to_the_user_waits_for_a_word(town: Town, alice: Person) -> None:
    carol = town.person("carol", Policy())
    alice.ask("open", _open(carol, 1_000, 500, consent=True))
    (offer,) = carol.ask("offers", GetOffers())
    assert (offer.kind, offer.own_amount, offer.peer_amount) == ("channel", "500", "1000")
    assert carol.ask("answer", Answer(offer=offer.id, accept=True)).accepted
    town.until(lambda: channel(alice).phase == "open", 12)
    assert carol.ask("offers", GetOffers()) == ()
    with pytest.raises(NoSuch):
        carol.ask("answer", Answer(offer=offer.id, accept=True))


def test_topping_up_adds_once(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    params = TopUp(idempotency_key="t", channel=id, amount="70")
    first = alice.ask("topUp", params)
    assert alice.ask("topUp", params) == first
    town.until(lambda: channel(alice).free == "1070", 12)
    assert alice.ask("topUp", params).state == "done"
    town.world.advance(12, 5)
    assert channel(alice).free == "1070"


def test_withdrawing_pays_our_account(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    with pytest.raises(NotEnoughMoney, match=r"0\.000000000000001 available"):
        alice.ask("withdraw", Withdraw(idempotency_key="w", channel=id, amount="1001"))
    params = Withdraw(idempotency_key="w", channel=id, amount="300")
    alice.ask("withdraw", params)
    town.until(lambda: channel(alice).free == "700" and states(alice)[-1] == "done", 12)
    assert town.world.ledger.paid[alice.party.account.address] == 300
    alice.ask("withdraw", params)
    town.world.advance(12, 5)
    assert channel(alice).free == "700"


def test_a_withdrawal_that_lapsed_is_no_success(town: Town, alice: Person, bob: Person) -> None:
    """Both have signed, and the transaction of whoever wanted it never comes."""
    id = opened(town, alice, bob)
    alice.party.chain.mining = False
    alice.ask("withdraw", Withdraw(idempotency_key="w", channel=id, amount="300"))
    town.world.settle()
    assert states(alice)[-1] == "mining"
    town.until(lambda: states(alice)[-1] not in ("mining", "asked"), 60, 10_000)
    assert states(alice)[-1] == "refused"
    assert channel(alice).free == "1000"


def test_a_withdrawal_that_nobody_answers_ends_in_words(
    town: Town, alice: Person, bob: Person
) -> None:
    id = opened(town, alice, bob)
    town.world.network.lose(OfferWithdraw)
    alice.ask("withdraw", Withdraw(idempotency_key="w", channel=id, amount="300"))
    town.until(lambda: states(alice)[-1] != "asked", 60, 10_000)
    assert states(alice)[-1] == "refused"
    assert channel(alice).doing == ""
    assert channel(alice).free == "1000"


def test_nothing_at_all_costs_no_transaction(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    with pytest.raises(BadParams, match="amount is 0"):
        alice.ask("topUp", TopUp(idempotency_key="t", channel=id, amount="0"))
    with pytest.raises(BadParams, match="amount is 0"):
        alice.ask("withdraw", Withdraw(idempotency_key="w", channel=id, amount="0"))
    with pytest.raises(BadParams, match="nothing would be in"):
        alice.ask("open", replace(_open(bob, 0, consent=True), idempotency_key="none"))


def test_closing_takes_machines_out_first(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))
    bob.ask("pay", Pay(idempotency_key="p", to=alice.id, amount="30"))
    alice.ask("close", Close(idempotency_key="c", channel=id))
    town.until(lambda: states(alice)[-1] == "done", 12)
    paid = town.world.ledger.paid
    assert paid[alice.party.account.address] == 930
    assert paid[bob.party.account.address] == 570
    assert alice.ask("channels", GetChannels()) == ()
    assert len(alice.ask("channels", GetChannels(ended=True))) == 1


def test_closing_waits_for_a_peer_that_is_away(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))
    town.world.network.leave(bob.party.peer)
    alice.ask("close", Close(idempotency_key="c", channel=id))
    town.world.advance(12, 3)
    alice.party.restart()
    town.world.advance(12, 3)
    bob.party.restart()
    town.until(lambda: states(alice)[-1] == "done", 12)
    assert town.world.ledger.paid[bob.party.account.address] == 600


def test_leaving_needs_nobody(town: Town, alice: Person, bob: Person) -> None:
    id = opened(town, alice, bob)
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))
    town.world.network.leave(bob.party.peer)
    left = alice.ask("leave", Leave(idempotency_key="l", channel=id))
    assert left.state == "leaving"
    town.until(lambda: states(alice)[-1] == "done", 60)
    assert town.world.ledger.paid[alice.party.account.address] >= 900


def test_no_payment_begins_a_machine_in_a_channel_that_is_being_closed(
    town: Town, alice: Person, bob: Person
) -> None:
    id = opened(town, alice, bob)
    town.world.network.leave(bob.party.peer)
    alice.ask("close", Close(idempotency_key="c", channel=id))
    with pytest.raises(Misuse, match="being closed"):
        alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))


def spender(eth: int, name: str = "till") -> Caller:
    return Caller(name, Scope.SPEND, {ETH: Wei(eth)})


def test_a_token_spends_up_to_its_limit_in_24_hours(town: Town, alice: Person, bob: Person) -> None:
    opened(town, alice, bob)

    def pay(key: str, amount: int, who: Caller) -> Any:
        params = Pay(idempotency_key=key, to=bob.id, amount=str(amount))
        return alice.ask("pay", params, who)

    # The fee that a hub may take counts while no machine is there.
    alice.ask("pay", Pay(idempotency_key="0", to=bob.id, amount="1"))
    assert pay("1", 60, spender(100)).step == "done"
    assert pay("1", 60, spender(100)).step == "done"
    with pytest.raises(SpendLimit, match="41 wanted, 60 spent"):
        pay("2", 41, spender(100))
    assert pay("3", 40, spender(100)).step == "done"
    assert pay("4", 50, spender(100, "other")).step == "done"
    alice.party.restart()
    town.world.settle()
    with pytest.raises(SpendLimit):
        pay("5", 1, spender(100))
    with pytest.raises(SpendLimit):
        alice.ask("open", _open(bob, 1, key="o", consent=True), spender(100))
    town.world.advance(86_401, 10)


def test_spent_money_counts_for_a_day() -> None:
    spent = Spent()
    spent.add(UnixTime(1_000), 60)
    spent.add(UnixTime(2_000), 40)
    assert spent.since(UnixTime(1_000 + 86_399)) == 100
    assert spent.since(UnixTime(1_000 + 86_400)) == 40
    spent.add(UnixTime(2_000), -40)
    assert spent.since(UnixTime(3_000)) == 0


@pytest.mark.parametrize(
    ("scope", "method", "params"),
    [
        (Scope.READ, "pay", Pay(idempotency_key="k", to="x", amount="1")),
        (Scope.RECEIVE, "pay", Pay(idempotency_key="k", to="x", amount="1")),
        (Scope.RECEIVE, "close", Close(idempotency_key="k", channel="0x")),
        (Scope.SPEND, "addContact", AddContact(name="x", node="y")),
        (Scope.SPEND, "answer", Answer(offer="0x", accept=True)),
    ],
)
def test_scopes(alice: Person, scope: Scope, method: str, params: Any) -> None:
    with pytest.raises(Forbidden):
        alice.ask(method, params, Caller("t", scope))


def test_credit_goes_elsewhere_with_a_token_for_all_only(alice: Person) -> None:
    params = Claim(idempotency_key="k", amount="5", to="0x" + "ab" * 20)
    with pytest.raises(Forbidden, match="another account"):
        alice.ask("claim", params, spender(10**6))
    with pytest.raises(NotEnoughMoney):
        alice.ask("claim", params)


def test_contacts_are_names_for_nodes(town: Town, alice: Person, bob: Person) -> None:
    added = alice.ask("addContact", AddContact(name="Bob", node=f"{bob.id}@bob.example:8443"))
    assert (added.name, added.host) == ("Bob", "bob.example:8443")
    assert alice.reached == [(bob.party.peer, "bob.example:8443", b"", True)]
    opened(town, alice, bob)
    assert alice.ask("pay", Pay(idempotency_key="p", to="Bob", amount="5")).step == "done"
    assert alice.ask("contacts", GetContacts())[0].channels == 1
    assert channel(alice).name == "Bob"
    alice.party.restart()
    town.world.settle()
    assert alice.reached[-1] == (bob.party.peer, "bob.example:8443", b"", True)
    alice.ask("removeContact", RemoveContact(name="Bob"))
    assert alice.ask("contacts", GetContacts()) == ()
    for name in ("Bob", "Carol"):
        with pytest.raises(NoSuch):
            alice.ask("pay", Pay(idempotency_key="q", to=name, amount="5"))
    with pytest.raises(BadParams):
        alice.ask("addContact", AddContact(name="perun1abc", node=bob.id))


def test_a_name_is_not_given_to_somebody_else(town: Town, alice: Person, bob: Person) -> None:
    """Attack by mistake: whoever pays "Bob" from then on would pay Carol."""
    carol = town.person("carol", OPEN_HANDED)
    alice.ask("addContact", AddContact(name="Bob", node=bob.id))
    with pytest.raises(BadParams, match="remove that name first"):
        alice.ask("addContact", AddContact(name="Bob", node=carol.id))
    alice.ask("addContact", AddContact(name="Bob", node=f"{bob.id}@bob.example"))
    (contact,) = alice.ask("contacts", GetContacts())
    assert (contact.node, contact.host) == (bob.id, "bob.example")


def test_a_mistyped_payee_is_refused(alice: Person, bob: Person) -> None:
    wrong = bob.id[:-1] + ("q" if bob.id[-1] != "q" else "p")
    with pytest.raises(BadNodeId):
        alice.ask("pay", Pay(idempotency_key="p", to=wrong, amount="5"))


def test_opening_with_a_host_remembers_where(alice: Person, bob: Person) -> None:
    params = replace(_open(bob, 1_000, consent=True), peer=f"{bob.id}@hub.example")
    alice.ask("open", params)
    (contact,) = alice.ask("contacts", GetContacts())
    assert (contact.name, contact.host, contact.node) == ("hub.example", "hub.example", bob.id)
    assert contact.account is None
    account = "0x" + 20 * "ab"
    alice.ask("open", replace(params, idempotency_key="again", account=account))
    (contact,) = alice.ask("contacts", GetContacts())
    assert contact.account is not None
    assert contact.account.lower() == account


def test_status_says_what_is_there_and_what_is_wrong(
    town: Town, alice: Person, bob: Person
) -> None:
    opened(town, alice, bob)
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))
    status = alice.ask("status", GetStatus())
    assert (status.node, status.problems, status.exit_only) == (alice.id, (), False)
    (balance,) = status.balances
    assert int(balance.free) + int(balance.locked) == 900
    assert balance.guaranteed == "900"
    assert status.network.caip2 == "eip155:31337"
    assert alice.ask("networks", GetNetworks()) == (status.network,)
    id = bytes.fromhex(channel(alice).id[2:])
    bob.ask("leave", Leave(idempotency_key="l", channel="0x" + id.hex()))
    town.world.advance(12, 2)
    (problem,) = alice.ask("status", GetStatus()).problems
    assert problem.code == "disputed"


def test_a_stale_view_is_a_problem_with_an_answer(town: Town, alice: Person) -> None:
    alice.party.clock.ahead = 10_000
    alice.ask("status", GetStatus())
    (problem,) = alice.ask("status", GetStatus()).problems
    assert problem.code == "noFreshBlock"
    assert "RPC" in problem.do
    assert "its newest block is" in problem.text
    assert "this device's clock" in problem.do


def test_exposure_is_what_the_chain_would_pay_alone_and_by_when(
    town: Town, alice: Person, bob: Person
) -> None:
    opened(town, alice, bob)
    before = alice.ask("exposure", GetExposure())
    assert before.online_by is None, "nothing was signed that could be taken back"
    alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100"))
    (alices,) = alice.ask("exposure", GetExposure()).channels
    (bobs,) = bob.ask("exposure", GetExposure()).channels
    now = town.world.ledger.time
    assert (alices.have, alices.alone) == ("900", "900")
    assert (bobs.have, bobs.alone) == ("600", "600")
    assert bobs.online_by is not None
    assert bobs.online_by <= now + 600
    assert bobs.alone_gas > 100_000
    assert bobs.watchers == ()
    assert bobs.alone_by > now


def test_machines_are_renewed_before_their_end_if_they_are_used(town: Town) -> None:
    settings = replace(SETTINGS, life=Seconds(1_000))
    alice = town.person("alice", OPEN_HANDED, settings)
    bob = town.person("bob", OPEN_HANDED, settings)
    opened(town, alice, bob)
    first = alice.ask("pay", Pay(idempotency_key="p", to=bob.id, amount="100")).machine
    for _ in range(250):
        town.world.advance(12)
    kinds = {type(t).__name__ for t in town.world.ledger.log}
    assert kinds == {"OpenChannel", "DepositMoney"}, "nothing had to go to the chain"
    second = alice.ask("pay", Pay(idempotency_key="q", to=bob.id, amount="100"))
    assert second.step == "done"
    assert second.machine != first


def test_what_was_signed_is_shown_as_the_chain_would_be_shown_it(
    town: Town, alice: Person, bob: Person
) -> None:
    id = opened(town, alice, bob)
    alice.ask("pay", Pay(idempotency_key="1", to=bob.id, amount="70"))
    town.until(lambda: alice.ask("payments", GetPayments())[0].step == "done", 12)
    ours, theirs = (one.ask("proofs", GetProofs(channel=id)) for one in (alice, bob))
    (lock,), (mirrored,) = ours.locks, theirs.locks
    assert (ours.role, theirs.role) == ("alice", "bob")
    assert (ours.version, ours.net, ours.nanos) == (theirs.version, theirs.net, theirs.nanos)
    assert (ours.own_signature, ours.peer_signature) == (
        theirs.peer_signature,
        theirs.own_signature,
    )
    assert lock.sent == mirrored.received == "70"
    assert lock.sent_signature == mirrored.received_signature
    checker = Checker(alice.party.node.books.config.deployment)
    view = alice.party.node.books.channels[ChannelId(bytes.fromhex(id[2:]))]
    assert view.agreed is not None
    checker.check(
        view.agreed.state,
        Signature(bytes.fromhex(ours.peer_signature[2:])),
        view.channel.bob_key,
    )
    with pytest.raises(NoSuch):
        alice.ask("proofs", GetProofs(channel="0x" + "00" * 32))
