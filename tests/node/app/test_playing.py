"""Games and flips by the methods that people and programs call."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from perun.app.errors import BadParams, KeyReused, NoSuch, NoWay, SpendLimit
from perun.app.methods import (
    Answer,
    CallClock,
    Draw,
    Flip,
    GetContacts,
    GetEvents,
    GetGames,
    GetOffers,
    GetRules,
    Move,
    Play,
    Resign,
    Scope,
    Throw,
)
from perun.app.texts import hexed
from perun.app.values import Game
from perun.app.work import Caller
from perun.core.faults import NotAllowedNow
from perun.core.inputs import ChainBlock
from perun.encoding.addresses import node_id
from perun.encoding.messages import Invite
from perun.errors import Misuse
from perun.games import BadMove
from perun.testing.network import Letter, meant
from perun.testing.people import Person
from perun.testing.stories import GAMBLER, open_channel
from perun.types import ETH, UnixTime, Wei
from tests.node.app.trio import OverAHub


class Trio(OverAHub):
    def __init__(self) -> None:
        super().__init__(policy=GAMBLER)

    def invite(self, key: str = "one", **more: object) -> Game:
        params = {"to": self.bob.id, "game": "tic-tac-toe", "amount": "50"} | more
        game: Game = self.alice.ask("play", Play(idempotency_key=key, **params))  # type: ignore[arg-type]
        return game

    def begin(self, **more: object) -> Game:
        game = self.invite(**more)
        self.bob.ask("answer", Answer(offer=game.id, accept=True))
        return self.of(self.alice, game)

    def of(self, person: Person, game: Game) -> Game:
        (found,) = person.ask("games", GetGames(id=game.id))
        assert isinstance(found, Game)
        return found

    def play(self, game: Game, cells: str) -> None:
        for index, cell in enumerate(cells):
            mover = (self.alice, self.bob)[index % 2]
            key = f"{cell} {index}"
            mover.ask("move", Move(idempotency_key=key, id=game.id, move=cell))


@pytest.fixture
def trio() -> Trio:
    return Trio()


def test_game_is_offered_answered_played_and_paid(trio: Trio) -> None:
    invited = trio.invite()
    assert (invited.state, invited.game, invited.amount) == ("invited", "TicTacToe", "50")
    (offer,) = trio.bob.ask("offers", GetOffers())
    assert (offer.id, offer.kind, offer.own_amount) == (invited.id, "game", "50")
    assert "tic-tac-toe" in offer.text
    assert trio.of(trio.bob, invited).state == "asked"

    trio.bob.ask("answer", Answer(offer=offer.id, accept=True))
    begun = trio.of(trio.alice, invited)
    assert (begun.state, begun.turn, begun.gain) == ("playing", "you", None)
    assert trio.of(trio.bob, invited).turn == "them"
    trio.play(begun, "1425")
    middle = trio.of(trio.alice, begun)
    assert middle.grid is not None
    cells = [(cell.name, cell.owner, cell.types) for cell in middle.grid.cells[:4]]
    assert cells == [("1", "you", ""), ("2", "you", ""), ("3", "nobody", "3"), ("4", "them", "")]
    assert middle.board.splitlines()[0] == " X | X | 3"
    trio.play(begun, "3")
    ends = [trio.of(person, begun) for person in (trio.alice, trio.bob)]
    assert [(end.state, end.turn, end.gain) for end in ends] == [
        ("over", "nobody", "50"),
        ("over", "nobody", "-50"),
    ]


def test_link_to_a_game_lets_in_whoever_follows_it(trio: Trio) -> None:
    token = "0x" + 32 * "07"
    trio.invite(to=f"{trio.bob.id}@hub.example", invitation=token)
    assert trio.alice.reached[-1] == (node_id(trio.bob.id), "hub.example", 32 * b"\x07", True)
    (contact,) = trio.alice.ask("contacts", GetContacts())
    assert contact.name == f"friend {trio.bob.id[-6:]}"


def test_rules_say_what_can_be_played(trio: Trio) -> None:
    (rules,) = trio.alice.ask("rules", GetRules())
    assert (rules.game, rules.title, rules.moves) == ("TicTacToe", "tic-tac-toe", 9)


def test_events_tell_what_has_become_of_a_game(trio: Trio) -> None:
    game = trio.begin()
    trio.play(game, "14253")
    for person in (trio.alice, trio.bob):
        events = person.ask("events", GetEvents(since=0))
        kinds = [(one.kind, one.data["notice"]) for one in events if one.about == game.id]
        assert ("game", "GameBegan") in kinds
        assert kinds.count(("game", "GameMoved")) == 5


def test_who_is_not_reached_is_named_with_what_to_do_and_hears_of_it_later(trio: Trio) -> None:
    trio.town.world.network.leave(trio.bob.party.peer)
    trio.alice.party.restart()
    trio.town.world.settle()
    game = trio.invite()
    assert (game.state, game.reached) == ("invited", False)
    assert trio.bob.id in game.why
    assert f"perun contacts add NAME {trio.alice.id}" in game.why

    def said() -> int:
        return sum(isinstance(meant(frame), Invite) for _, _, frame in trio.town.world.network.seen)

    before = said()
    trio.town.until(lambda: said() > before)
    trio.bob.party.restart()
    trio.town.world.settle()
    there = trio.of(trio.alice, game)
    assert (there.reached, there.why) == (True, f"{trio.bob.id} has not answered yet")
    (offer,) = trio.bob.ask("offers", GetOffers())
    trio.bob.ask("answer", Answer(offer=offer.id, accept=True))
    assert trio.of(trio.alice, game).state == "playing"


def test_an_invitation_to_a_flip_that_was_lost_is_said_again(trio: Trio) -> None:
    """As when a session ends in the moment: nobody would ever have answered."""
    lost: list[bytes] = []

    def rule(letter: Letter) -> tuple[Letter, ...]:
        if not lost and isinstance(meant(letter[2]), Invite):
            lost.append(letter[2])
            return ()
        return (letter,)

    trio.town.world.network.rule = rule
    game = trio.alice.ask("flip", Flip(idempotency_key="f", to=trio.bob.id, amount="30"))
    assert lost
    assert trio.of(trio.alice, game).state == "invited"
    trio.town.until(lambda: trio.of(trio.alice, game).state == "over")


def test_whoever_is_declined_hears_by_whom_and_why(trio: Trio) -> None:
    game = trio.invite()
    trio.bob.ask("answer", Answer(offer=game.id, accept=False))
    told = trio.of(trio.alice, game)
    assert (told.state, told.gain, told.turn) == ("over", None, "nobody")
    assert told.why.startswith(f"{trio.bob.id} did not agree: ")
    assert told.why.endswith("Nothing is locked; ask again.")
    assert trio.invite() == told
    assert trio.alice.ask("games", GetGames()) == (told,)
    with pytest.raises(NoSuch):
        trio.of(trio.bob, game)


@pytest.mark.parametrize("name", ["alice", "bob", "ingrid"])
def test_game_is_opened_though_a_view_of_the_chain_is_old_for_a_moment(name: str) -> None:
    """Whoever it is, and at whichever message of the opening."""
    for turns in range(1, 8):
        trio = Trio()
        world, party = trio.town.world, getattr(trio, name).party
        game = trio.invite()
        trio.bob.begin("answer", Answer(offer=game.id, accept=True))
        for _ in range(turns):
            busy = [one for one in world.parties if one.node.busy]
            if busy:
                busy[0].node.turn()
        true = party.chain.block
        party.chain.block = lambda true=true: ahead(true())
        party.node.post([party.chain.block()])
        world.settle()
        for _ in range(5):
            world.advance(1)
        party.chain.block = true
        trio.town.until(lambda trio=trio, game=game: trio.of(trio.alice, game).state == "playing")  # type: ignore[misc]


def ahead(block: ChainBlock) -> ChainBlock:
    """Of a time that is not to be believed."""
    return replace(block, head_time=UnixTime(block.head_time + 100))


def test_refusal_is_told_for_a_day(trio: Trio) -> None:
    game = trio.invite()
    trio.bob.ask("answer", Answer(offer=game.id, accept=False))
    trio.town.world.advance(86_401)
    assert trio.alice.ask("games", GetGames()) == ()
    assert trio.invite(key="two").id != game.id


def test_whose_view_of_the_chain_is_old_flips_once_it_is_not(trio: Trio) -> None:
    trio.bob.party.clock.ahead = 1_000
    game = trio.alice.ask("flip", Flip(idempotency_key="f", to=trio.bob.id, amount="30"))
    trio.town.world.advance()
    assert trio.of(trio.alice, game).state == "invited"
    trio.bob.party.clock.ahead = 0
    trio.town.until(lambda: trio.of(trio.alice, game).gain is not None)


def test_whoever_asks_again_with_its_key_invites_and_moves_once(trio: Trio) -> None:
    game = trio.begin()
    assert trio.invite().id == game.id
    again = [
        trio.alice.ask("move", Move(idempotency_key="m", id=game.id, move="1")) for _ in range(2)
    ]
    assert again[0].id == again[1].id
    with pytest.raises(KeyReused):
        trio.alice.ask("move", Move(idempotency_key="m", id=game.id, move="2"))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"game": "chess"}, BadParams),
        ({"amount": "5000"}, NoWay),
        ({"bank": 100}, Misuse),
        ({"amount": "0"}, Misuse),
    ],
)
def test_what_cannot_be_is_refused_with_words(
    trio: Trio, more: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        trio.invite(**more)


def test_moves_are_read_and_judged(trio: Trio) -> None:
    game = trio.begin()
    with pytest.raises(BadMove, match="upper left"):
        trio.alice.ask("move", Move(idempotency_key="a", id=game.id, move="10"))
    with pytest.raises(NotAllowedNow, match="other side"):
        trio.bob.ask("move", Move(idempotency_key="b", id=game.id, move="1"))
    trio.play(game, "1")
    with pytest.raises(Misuse, match="cell taken"):
        trio.bob.ask("move", Move(idempotency_key="c", id=game.id, move="1"))


def test_token_with_a_limit_stakes_no_more_than_that(trio: Trio) -> None:
    caller = Caller("shop", Scope.SPEND, {ETH: Wei(60)})
    params = Play(idempotency_key="x", to=trio.bob.id, game="TicTacToe", amount="50")
    trio.alice.ask("play", params, caller)
    more = Play(idempotency_key="y", to=trio.bob.id, game="TicTacToe", amount="50")
    with pytest.raises(SpendLimit):
        trio.alice.ask("play", more, caller)


def test_resignation_pays_the_stake(trio: Trio) -> None:
    game = trio.begin()
    trio.bob.ask("resign", Resign(idempotency_key="r", id=game.id))
    assert trio.of(trio.alice, game).gain == "50"


def test_draw_is_offered_shown_and_taken(trio: Trio) -> None:
    game = trio.begin()
    trio.alice.ask("draw", Draw(idempotency_key="d", id=game.id))
    assert (trio.of(trio.alice, game).draw, trio.of(trio.bob, game).draw) == ("you", "nobody")
    trio.play(game, "5")
    ends = [trio.of(person, game) for person in (trio.alice, trio.bob)]
    assert [(end.draw, end.why) for end in ends] == [("you", ""), ("them", "")]
    events = trio.bob.ask("events", GetEvents(since=0))
    assert "DrawOffered" in [one.data.get("notice") for one in events if one.kind == "game"]

    taken = trio.bob.ask("draw", Draw(idempotency_key="e", id=game.id))
    assert trio.bob.ask("draw", Draw(idempotency_key="e", id=game.id)).id == taken.id
    ends = [trio.of(person, game) for person in (trio.alice, trio.bob)]
    assert [(end.state, end.gain, end.draw) for end in ends] == [("over", "0", "nobody")] * 2


def test_draw_that_nobody_took_is_shown_until_they_move(trio: Trio) -> None:
    game = trio.begin()
    trio.play(game, "5")
    trio.alice.ask("draw", Draw(idempotency_key="d", id=game.id))
    trio.bob.ask("move", Move(idempotency_key="m", id=game.id, move="1"))
    ends = [trio.of(person, game) for person in (trio.alice, trio.bob)]
    assert [(end.draw, end.turn) for end in ends] == [("nobody", "you"), ("nobody", "them")]
    trio.bob.ask("resign", Resign(idempotency_key="r", id=game.id))
    with pytest.raises(NotAllowedNow, match="is over"):
        trio.alice.ask("draw", Draw(idempotency_key="f", id=game.id))


@pytest.mark.parametrize("begin", [True, False])
def test_who_makes_the_first_move_is_told_and_swapped_in_a_rematch(trio: Trio, begin: bool) -> None:
    """Whoever of the two asks for it."""
    game = trio.begin(begin=begin)
    assert (trio.of(trio.alice, game).began, trio.of(trio.bob, game).began) == (begin, not begin)
    trio.bob.ask("resign", Resign(idempotency_key="r", id=game.id))
    past = trio.of(trio.bob, game)
    again = trio.bob.ask("play", Play(idempotency_key="again", to=trio.alice.id, game=past.game,
                                      amount=past.amount, begin=not past.began))  # fmt: skip
    trio.alice.ask("answer", Answer(offer=again.id, accept=True))
    for person, first in ((trio.alice, not begin), (trio.bob, begin)):
        found = trio.of(person, again)
        assert (found.began, found.turn) == (first, "you" if first else "them")


def test_who_lets_us_wait_for_long_has_to_move_on_chain(trio: Trio) -> None:
    """By itself: Bob has gone, and the user does nothing."""
    game = trio.begin()
    trio.play(game, "1")
    trio.bob.party.node.books.instances.clear()
    trio.town.world.network.rule = lambda _letter: ()
    trio.town.until(lambda: trio.of(trio.alice, game).state == "onChain", 12)
    assert trio.of(trio.alice, game).gain is None
    trio.town.until(lambda: trio.of(trio.alice, game).state == "finished", 12)
    assert trio.of(trio.alice, game).gain == "50"


def test_game_is_taken_to_the_chain_and_played_there(trio: Trio) -> None:
    game = trio.begin()
    trio.play(game, "14")
    trio.town.world.network.rule = lambda _letter: ()
    trio.bob.ask("callClock", CallClock(idempotency_key="c", id=game.id))
    for _ in range(60):
        trio.town.world.advance(12)
    assert trio.of(trio.alice, game).turn == "you"
    trio.alice.ask("resign", Resign(idempotency_key="r", id=game.id))
    trio.town.world.advance(12)
    trio.town.world.advance(12)
    assert trio.of(trio.alice, game).gain == "-50"


def test_coin_is_flipped_with_who_allows_it(trio: Trio) -> None:
    params = Flip(idempotency_key="f", to=trio.bob.id, amount="30", peer_amount="60")
    game = trio.alice.ask("flip", params)
    ends = [trio.of(person, game) for person in (trio.alice, trio.bob)]
    assert [end.state for end in ends] == ["over", "over"]
    gains = [int(end.gain or 0) for end in ends]
    assert gains in ([-30, 30], [60, -60])
    assert (ends[0].game, ends[0].title) == ("flip", "a coin flip")


def test_own_channel_in_which_they_have_too_little_is_passed_by(trio: Trio) -> None:
    own = open_channel(trio.town.world, trio.alice.party, trio.bob.party, 100, 20)
    channels = trio.alice.party.node.books.channels
    assert trio.begin(amount="50").state == "playing"
    assert channels[own].agreed is None
    small = trio.begin(key="small", amount="20")
    agreed = channels[own].agreed
    assert agreed is not None
    assert [hexed(nano.id) for nano in agreed.state.nanos] == [small.instance]


def test_game_for_which_the_other_has_no_money_left_is_gone(trio: Trio) -> None:
    open_channel(trio.town.world, trio.alice.party, trio.bob.party, 100, 60)
    first, second = (trio.invite(key=key, amount="40") for key in ("one", "two"))
    for game in (first, second):
        trio.bob.ask("answer", Answer(offer=game.id, accept=True))
    assert trio.of(trio.alice, first).state == "playing"
    told = trio.of(trio.alice, second)
    assert (told.state, told.gain) == ("over", None)
    assert told.why.startswith("it cannot be: free money of the channel's BOB: 40 wanted")
    with pytest.raises(NoSuch):
        trio.of(trio.bob, second)


@pytest.mark.parametrize(
    ("mine", "theirs", "gain"),
    [("rock", "scissors", "50"), ("rock", "paper", "-50"), ("rock", "rock", "0")],
)
def test_hands_are_thrown_blindly_and_paid(trio: Trio, mine: str, theirs: str, gain: str) -> None:
    params = Throw(idempotency_key="one", to=trio.bob.id, hand=mine, amount="50")  # type: ignore[arg-type]
    game = trio.alice.ask("throw", params)
    assert trio.alice.ask("throw", params).id == game.id
    asked = trio.of(trio.bob, game)
    assert (asked.game, asked.state, asked.title) == ("throw", "asked", "rock, paper, scissors")
    trio.bob.ask("answer", Answer(offer=game.id, accept=True, hand=theirs))  # type: ignore[arg-type]
    for person, won in ((trio.alice, int(gain)), (trio.bob, -int(gain))):
        shown = trio.of(person, game)
        assert (shown.state, shown.gain) == ("over", str(won))
