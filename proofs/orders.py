"""The stories of which every order of events is explored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as changed

from perun.core.inputs import (
    Command,
    CommandClose,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.core.nanocontracts.coin_flip import CommandFlip
from perun.core.nanocontracts.hash_lock import CommandReveal
from perun.crypto.hashing import keccak
from perun.testing.parties import Party, World
from perun.testing.stories import (
    GAMBLER,
    OPEN_HANDED,
    add_lock,
    add_machine,
    hub_policy,
    machine_command,
    open_channel,
)
from perun.types import ChannelId, Preimage, Seconds, UnixTime, Wei
from proofs.holding import RULES
from proofs.interleavings import Found, Game, Player, Point, disk_of, explore
from proofs.rows import Row

__all__ = ["CROOKED", "NOT_EXPLORED", "STORIES", "Story", "report", "run"]

_SECRET = Preimage(b"\x07" * 32)

Beginning = tuple[list[Party], list[tuple[Command, ...]]]


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


def _two(world: World | None = None) -> tuple[Party, Party, ChannelId]:
    world = world or World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    return alice, bob, open_channel(world, alice, bob, 1_000, 1_000)


def _crossing_transfers() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandTransfer(id, Wei(10)),), (CommandTransfer(id, Wei(3)),)]


def _close_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandTransfer(id, Wei(10)),), (CommandClose(id),)]


def _two_closes() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandClose(id),), (CommandTransfer(id, Wei(3)), CommandClose(id))]


def _withdraw_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(CommandWithdraw(id, Wei(900)),), (CommandTransfer(id, Wei(3)),)]


def _machine_and_transfer() -> Beginning:
    alice, bob, id = _two()
    return [alice, bob], [(machine_command(alice, id, 100, 100),), (CommandTransfer(id, Wei(3)),)]


def _pay_and_remove() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    machine = add_machine(world, alice, id, 100, 100)
    pays = CommandPay(machine, Wei(5))
    return [alice, bob], [(pays, pays), (CommandRemove(machine),)]


def _over_a_hub() -> Beginning:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    hub = world.party("hub", hub_policy())
    id = open_channel(world, alice, hub, 1_000, 1_000)
    open_channel(world, bob, hub, 1_000, 1_000)
    return [alice, hub, bob], [(machine_command(alice, id, 100, 100, bob),), (), ()]


def _close_over_a_hub() -> Beginning:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    hub = world.party("hub", hub_policy())
    id = open_channel(world, alice, hub, 1_000, 1_000)
    open_channel(world, bob, hub, 1_000, 1_000)
    machine = add_machine(world, alice, id, 100, 100, bob)
    return [alice, hub, bob], [(CommandPay(machine, Wei(5)), CommandRemove(machine)), (), ()]


def _reveal() -> Beginning:
    world = World()
    alice, bob, id = _two(world)
    lock = add_lock(world, alice, id, 30, keccak(_SECRET))
    return [alice, bob], [(CommandTransfer(id, Wei(3)),), (CommandReveal(lock, _SECRET),)]


def _flip() -> Beginning:
    world = World()
    policy = changed(GAMBLER, greatest_loss=Wei(40))
    alice, bob = world.party("alice", policy), world.party("bob", policy)
    id = open_channel(world, alice, bob, 1_000, 1_000)
    until, odds = UnixTime(world.ledger.time + 5_000), 2**15
    flip = CommandFlip(
        id, Wei(40), Wei(40), odds, until, Seconds(600), alice.random(), Preimage(alice.random())
    )
    return [alice, bob], [(flip,), ()]


NOT_EXPLORED = {
    "OfferChannel": "channels are there from the beginning",
    "RefuseChannel": "channels are there from the beginning",
    "Play": "games are not played",
    "Played": "games are not played",
    "LetGo": "no deals in escrow",
    "Ticks": "no streams",
    "Ticked": "no streams",
    "ShowPrice": "no bets on prices",
    "Note": "of the program above the core",
    "Noted": "of the program above the core",
    "Over": "the envelope of what is said over a hub",
}
"""Messages that no story says, and why."""

STORIES = {
    "transfers": Story("two transfers cross", _crossing_transfers, 1, 1),
    "close": Story("a transfer crosses a Close", _close_and_transfer),
    "closes": Story("two Closes cross, after a transfer", _two_closes),
    "withdraw": Story("a Withdraw crosses a transfer", _withdraw_and_transfer),
    "machine": Story("adding a machine crosses a transfer", _machine_and_transfer),
    "payments": Story("payments in a machine that is removed", _pay_and_remove),
    "hub": Story("a virtual channel is opened over a hub", _over_a_hub, 1),
    "leave": Story("a virtual channel is paid in and closed over a hub", _close_over_a_hub, 1),
    "lock": Story("a hash lock is cashed while a transfer crosses", _reveal, 1, given=(30, 0)),
    "flip": Story("a coin is flipped", _flip, 1, given=(40, 40)),
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
