"""The stories of which every order of events is explored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from proofs import beginnings
from proofs.beginnings import Beginning
from proofs.holding import RULES
from proofs.interleavings import Found, Game, Player, Point, disk_of, explore
from proofs.rows import Row

__all__ = ["CROOKED", "NOT_EXPLORED", "STORIES", "Story", "report", "run"]


@dataclass(frozen=True)
class Story:
    """A beginning, what the users say, and how much goes wrong."""

    about: str
    begin: Callable[[], Beginning]
    crashes: int = 1
    repeats: int = 0
    crooked: int | None = None
    """The number of a party that keeps no rule."""
    tricks: int = 0
    """How often it sends what no rule allows."""
    given: tuple[int, ...] = ()
    """What each has put at stake before it begins, and may lose, in wei."""


def run(story: Story, most: int = 10**9) -> Found:
    """Explores it."""
    parties, commands = story.begin()
    players, chain = [], {}
    given = story.given or (0,) * len(parties)
    hub = parties[1] if len(parties) == 3 else None
    for number, party in enumerate(parties):
        views = list(party.node.books.channels.values())
        chain.update({view.id: view.head for view in views})
        other = range(len(parties)) if hub in (None, party) else (1,)
        players.append(
            Player(
                party.node.books.config,
                {key.address: key for key in (party.key, party.account)},
                tuple(n for n in other if n != number),
                sum((view.final.alice, view.final.bob)[view.role] for view in views)
                - given[number],
            )
        )
    game = Game(players, parties[0].chain.block(), chain, story.crooked)
    start = Point(
        tuple(disk_of(party.node.books) for party in parties),
        (),
        tuple(commands),
        story.crashes,
        story.repeats,
        spent=(0,) * len(parties),
        owned_up=(0,) * len(parties),
        tricks=story.tricks,
    )
    return explore(game, start, RULES, most)


NOT_EXPLORED = {
    "Gathered": "of a game over two hubs: four parties are too many orders to explore",
    "Note": "of the program above the core",
    "Noted": "of the program above the core",
    "Over": "the envelope of what is said over a hub",
}
"""Messages that no story says, and why."""

STORIES = {
    "transfers": Story("two transfers cross", beginnings.crossing_transfers, 1, 1),
    "close": Story("a transfer crosses a Close", beginnings.close_and_transfer),
    "closes": Story("two Closes cross, after a transfer", beginnings.two_closes),
    "withdraw": Story("a Withdraw crosses a transfer", beginnings.withdraw_and_transfer),
    "machine": Story("adding a machine crosses a transfer", beginnings.machine_and_transfer),
    "payments": Story("payments in a machine that is removed", beginnings.pay_and_remove),
    "hub": Story("a virtual channel is opened over a hub", beginnings.over_a_hub, 1),
    "leave": Story(
        "a virtual channel is paid in and closed over a hub", beginnings.close_over_a_hub, 1
    ),
    "lock": Story(
        "a hash lock is cashed while a transfer crosses", beginnings.reveal, 1, given=(30, 0)
    ),
    "flip": Story("a coin is flipped", beginnings.flip, 1, given=(40, 40)),
    "hands": Story("two hands are chosen and shown", beginnings.hands, 1, given=(40, 40)),
    "game": Story("moves in a game that is given up", beginnings.game, 1, given=(40, 40)),
    "deal": Story("a deal is let go at shifts that cross", beginnings.deal, 1, given=(40, 40)),
    "stream": Story("a stream ticks while it is removed", beginnings.stream),
    "bet": Story("a bet is decided by a price", beginnings.bet, 1, given=(40, 40)),
    "join": Story("three channels are offered, and one is refused", beginnings.joining, 1),
}


def _crooked(name: str, who: int, tricks: int) -> Story:
    story = STORIES[name]
    about = f"{story.about}; number {who} keeps no rule"
    return replace(story, about=about, crashes=0, repeats=0, crooked=who, tricks=tricks)


CROOKED = {
    f"{name}-{who}": _crooked(name, who, tricks)
    for name, parties, tricks in (
        ("transfers", (0, 1), 2),
        ("close", (0, 1), 2),
        ("closes", (0, 1), 2),
        ("withdraw", (0, 1), 2),
        ("machine", (0, 1), 2),
        ("payments", (0, 1), 2),
        ("lock", (0, 1), 2),
        ("flip", (0, 1), 1),
        ("game", (0, 1), 1),
        ("deal", (0, 1), 1),
        ("stream", (0, 1), 1),
        ("hub", (0, 1, 2), 1),
        ("leave", (0, 1, 2), 1),
    )
    for who in parties
}
"""The same with one party that sends whatever it likes, so many times (`lies`)."""


def report(most: int) -> list[Row]:
    """Explores every story up to so many points."""
    rows = []
    for name, story in (STORIES | CROOKED).items():
        started = time.monotonic()
        found = run(story, most)
        whole = "all of them" if found.complete else "the nearest"
        print(f"{name:12} {story.about:65} {found.points:8,} points, {whole}", flush=True)
        for line in found.wrong:
            print(f"    {line}")
        kind, note = "every order of events", f"{found.points:,} points, {whole}"
        seconds = time.monotonic() - started
        rows.append(Row(story.about, kind, not found.wrong, seconds, note))
    return rows
