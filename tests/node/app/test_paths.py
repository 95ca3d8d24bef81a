"""Payments to somebody behind another hub than ours, and how a path to it is found."""

from __future__ import annotations

from itertools import pairwise

import pytest
from msgspec.structs import replace

from perun.app.methods import Answer as AnswerOffer
from perun.app.methods import (
    Close,
    Draw,
    GetEvents,
    GetGames,
    GetLocks,
    GetOffers,
    LockMoney,
    Move,
    Pay,
    Play,
    ShowSecret,
)
from perun.app.routes import Search, path_to
from perun.app.texts import hexed
from perun.app.values import Game, HashLock
from perun.core.config import Policy
from perun.core.faults import InstanceRejected
from perun.core.state import LegStatus
from perun.crypto.hashing import keccak
from perun.encoding.addresses import NodeAddress, show_node_id
from perun.encoding.cards import Card, CardAsset
from perun.encoding.messages import Gathered
from perun.testing.parties import key_of
from perun.testing.people import Person, Town
from perun.testing.stories import OPEN_HANDED, hub_policy, open_channel
from perun.types import ETH, Wei

SECRET = b"\x07" * 32

# ----------------------------------------------------------------------------------- by cards alone


def peer(name: str) -> bytes:
    data = key_of(name).public_key.data
    return bytes((2 + (data[63] & 1),)) + data[:32]


def where(name: str) -> str:
    return str(NodeAddress(peer(name), f"{name}.example"))


def card(name: str, *neighbours: str, fee: int = 0) -> Card:
    asset = CardAsset("0x" + 40 * "0", "ETH", 18, "1", "1", base_fee=str(fee))
    return Card(
        "eip155:1",
        "0x",
        {},
        show_node_id(peer(name)),
        f"{name}.example",
        1,
        1,
        assets=(asset,),
        neighbours=tuple(where(one) for one in neighbours),
    )


def found(cards: list[Card], *ours: str, to: str = "z") -> list[str]:
    names = {peer(name): name for name in "abcdefghxyz"}
    by_peer = {one.peer: one for one in cards}
    return [names[hub] for hub in path_to(by_peer, [peer(one) for one in ours], peer(to), ETH)]


def test_the_shortest_path_is_taken_and_of_two_the_cheaper() -> None:
    z = card("z", "x", "y", "b")
    assert found([z], "y") == ["y", "z"]
    assert found([z, card("x", "a", fee=5), card("y", "a", fee=3)], "a") == ["a", "y", "z"]
    assert found([z, card("b", "c"), card("c", "a"), card("x", "a", fee=9)], "a") == ["a", "x", "z"]


def test_a_hub_that_is_ours_too_is_no_path_and_none_is_none() -> None:
    assert found([card("z", "x")], "z", "x") == ["z"]
    assert found([card("z", "x"), card("x", "z")], "a") == []
    assert found([], "a") == []


def test_a_path_is_not_longer_than_a_request_may_say() -> None:
    names = "zyxhgfedcb"
    cards = [card(one, other) for one, other in pairwise(names)]
    assert found(cards, "d") == ["d", "e", "f", "g", "h", "x", "y", "z"]
    assert found(cards, "c") == []


def test_cards_are_read_nearest_first_and_no_more_than_needed() -> None:
    cards = {"x": card("x", "a"), "y": card("y"), "z": card("z", "y", "x")}
    search, read = Search([peer("a")], ETH, cards["z"]), []
    while (next := search.next()) is not None:
        name = next.host[0]
        read.append(name)
        if name in cards:
            search.read(cards[name])
    assert read in (["x"], ["y", "x"])
    assert search.path == (peer("a"), peer("x"), peer("z"))


def test_a_hub_that_names_many_is_not_followed_for_ever() -> None:
    search, count = Search([peer("a")], ETH, card("z", *(f"n{n}" for n in range(50)))), 0
    while search.next() is not None:
        count += 1
    assert count == 16
    assert search.path == ()


def test_what_is_no_address_in_a_card_is_left_out() -> None:
    odd = replace(card("z"), neighbours=("nonsense", "perun1x@y", where("x")))
    assert found([odd], "x") == ["x", "z"]


# ---------------------------------------------------------------------------------------- by nodes


class Two:
    """Alice at Ingrid, Bob at Ida; the two hubs have a channel."""

    def __init__(self, alice: Policy = OPEN_HANDED, **fees: object) -> None:
        self.town = Town()
        self.alice = self.town.person("alice", alice)
        self.bob = self.town.person("bob", OPEN_HANDED)
        self.ingrid = self.town.person("ingrid", hub_policy(**fees))
        self.ida = self.town.person("ida", hub_policy(**fees))
        for one, hub in ((self.alice, self.ingrid), (self.bob, self.ida), (self.ingrid, self.ida)):
            open_channel(self.town.world, one.party, hub.party, 1_000, 1_000)
        path = (self.ingrid.party.peer, self.ida.party.peer)
        self.alice.paths.know(self.bob.party.peer, path)

    def pay(self, amount: int, key: str) -> Pay:
        return Pay(idempotency_key=key, to=self.bob.id, amount=str(amount), wait=600)

    def paid_by_alice(self) -> int:
        return self.net(self.alice, self.ingrid)

    def paid_to_bob(self) -> int:
        return -self.net(self.bob, self.ida)

    def net(self, one: Person, other: Person) -> int:
        view = one.party.channel(other.party)
        assert view.agreed is not None
        return view.agreed.state.net


def test_a_payment_finds_its_way_over_two_hubs_and_more_of_them_need_no_hub() -> None:
    two = Two()
    assert two.alice.ask("pay", two.pay(5, "one")).step == "done"
    said = len(two.town.world.network.seen)
    assert two.alice.ask("pay", two.pay(6, "two")).step == "done"
    assert len(two.town.world.network.seen) - said == 4
    # A second machine beside the first, since none over several hubs is made larger.
    assert two.alice.ask("pay", two.pay(100, "three")).step == "done"
    assert sum(row.received for row in two.bob.party.node.books.totals.values()) == 111


def locked(two: Two, amount: int, seconds: int = 30_000) -> HashLock:
    until = two.alice.party.node.books.chain.head_time + seconds
    wish = LockMoney(idempotency_key="lock", to=two.bob.id, amount=str(amount),
                     hash=hexed(keccak(SECRET)), until=until)  # fmt: skip
    made = two.alice.ask("lock", wish)
    assert two.alice.ask("lock", wish).id == made.id
    two.town.world.settle()
    return made


def state(person: Person, lock: HashLock) -> str:
    (found,) = person.ask("locks", GetLocks(id=lock.id))
    return str(found.state)


@pytest.mark.parametrize("fee", [0, 2])
def test_a_lock_goes_over_two_hubs_and_is_taken_by_its_secret(fee: int) -> None:
    two = Two(base_fee=fee)
    lock = locked(two, 50)
    assert [state(person, lock) for person in (two.alice, two.bob)] == ["open", "open"]
    show = ShowSecret(idempotency_key="show", id=lock.id, secret=hexed(SECRET))
    two.bob.ask("showSecret", show)
    two.town.world.settle()
    assert [state(person, lock) for person in (two.alice, two.bob)] == ["over", "over"]
    assert two.paid_to_bob() == 50
    assert two.paid_by_alice() == 50 + 2 * fee


def test_a_lock_over_two_hubs_that_nobody_takes_comes_back() -> None:
    two = Two()
    lock = locked(two, 50)
    two.town.until(lambda: state(two.alice, lock) == "over", 4_000)
    assert (two.paid_by_alice(), two.paid_to_bob()) == (0, 0)


def test_a_lock_over_several_hubs_that_would_not_be_worth_its_gas_is_not_begun() -> None:
    """What is below dust no hub pays out by itself."""
    two = Two()
    books = two.alice.party.node.books
    books.config = replace(books.config, limits=replace(books.config.limits, dust=Wei(60)))
    with pytest.raises(InstanceRejected, match="over several hubs it must be"):
        locked(two, 50)


def test_closing_a_channel_ends_what_crosses_several_hubs_with_all_money_where_it_belongs() -> None:
    two = Two(base_fee=2)
    assert two.alice.ask("pay", two.pay(50, "one")).step == "done"
    channel = two.alice.party.channel(two.ingrid.party).id
    answer = two.alice.begin("close", Close(idempotency_key="close", channel="0x" + channel.hex()))
    two.town.until(lambda: answer.came)
    legs = [
        leg.status
        for one in (two.alice, two.bob, two.ingrid, two.ida)
        for instance in one.party.node.books.instances.values()
        for leg in instance.legs
    ]
    assert legs == [LegStatus.REMOVED] * 6
    assert two.net(two.alice, two.ingrid) == 54
    assert two.net(two.ingrid, two.ida) == 52
    assert two.net(two.bob, two.ida) == -50


def test_a_fee_of_both_hubs_beyond_the_policy_is_said_in_words() -> None:
    two = Two(Policy(greatest_deposit=Wei(10**30), greatest_fee=Wei(5)), base_fee=3)
    answer = two.alice.begin("pay", two.pay(50, "one"))
    two.town.until(lambda: answer.came)
    assert answer.value.step == "failed"
    assert "fee 6 above 5" in answer.value.why


# ------------------------------------------------------------------------------------------- games


def invited(two: Two, **more: object) -> Game:
    params = {"to": two.bob.id, "game": "tic-tac-toe", "amount": "50"} | more
    game: Game = two.alice.ask("play", Play(idempotency_key="game", **params))  # type: ignore[arg-type]
    return game


def seen(one: Person, game: Game) -> Game:
    (found,) = one.ask("games", GetGames(id=game.id))
    assert isinstance(found, Game)
    return found


def test_a_game_with_somebody_behind_another_hub_is_like_any_other() -> None:
    two = Two(base_fee=2)
    game = invited(two)
    assert (game.state, game.amount) == ("invited", "50")
    (offer,) = two.bob.ask("offers", GetOffers())
    assert (offer.id, offer.kind, offer.own_amount) == (game.id, "game", "50")
    assert "tic-tac-toe" in offer.text
    two.bob.ask("answer", AnswerOffer(offer=offer.id, accept=True))
    assert (seen(two.alice, game).state, seen(two.alice, game).turn) == ("playing", "you")
    for index, cell in enumerate("14253"):
        mover = (two.alice, two.bob)[index % 2]
        mover.ask("move", Move(idempotency_key=cell, id=game.id, move=cell))
    ends = [seen(person, game) for person in (two.alice, two.bob)]
    assert [(end.state, end.turn, end.gain) for end in ends] == [
        ("over", "nobody", "50"),
        ("over", "nobody", "-50"),
    ]
    # Each hub has its fee, from whoever comes before it.
    assert two.net(two.alice, two.ingrid) == 4 - 50
    assert two.net(two.ingrid, two.ida) == 2 - 50
    assert two.net(two.bob, two.ida) == 50
    events = two.bob.ask("events", GetEvents(since=0))
    assert {"game"} <= {event.kind for event in events}
    assert all(event.kind != "machine" for event in events)


def test_a_draw_over_two_hubs_gives_each_its_stake_again() -> None:
    two = Two()
    game = invited(two)
    two.bob.ask("answer", AnswerOffer(offer=game.id, accept=True))
    two.alice.ask("move", Move(idempotency_key="m", id=game.id, move="5"))
    two.alice.ask("draw", Draw(idempotency_key="d", id=game.id))
    assert [seen(one, game).draw for one in (two.alice, two.bob)] == ["you", "them"]
    two.bob.ask("draw", Draw(idempotency_key="d", id=game.id))
    ends = [seen(one, game) for one in (two.alice, two.bob)]
    assert [(end.state, end.gain) for end in ends] == [("over", "0")] * 2
    assert (two.paid_by_alice(), two.paid_to_bob()) == (0, 0)


def test_a_game_whose_hubs_cannot_be_joined_is_refused_in_words() -> None:
    two = Two(base_fee=2)
    two.alice.paths.know(two.bob.party.peer, (two.ingrid.party.peer,))
    game = invited(two)
    two.town.until(lambda: seen(two.alice, game).state == "over")
    assert "no channel with that hub" in seen(two.alice, game).why


def test_what_is_not_open_yet_is_shown_as_opening_and_then_as_over() -> None:
    two = Two()
    two.town.world.network.lose(Gathered)
    game = invited(two)
    two.bob.ask("answer", AnswerOffer(offer=game.id, accept=True))
    assert [seen(one, game).state for one in (two.alice, two.bob)] == 2 * ["opening"]
    two.town.world.network.lose()
    two.town.until(lambda: seen(two.alice, game).state == "playing")
