"""The stories of which every order of events is explored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from perun.core.inputs import (
    Command,
    CommandClose,
    CommandPay,
    CommandRemove,
    CommandTransfer,
    CommandWithdraw,
)
from perun.testing.parties import Party, World
from perun.testing.stories import (
    OPEN_HANDED,
    add_machine,
    hub_policy,
    machine_command,
    open_channel,
)
from perun.types import (
    ChannelId,
    Wei,
)
from proofs.holding import RULES
from proofs.interleavings import Found, Game, Player, Point, disk_of, explore

__all__ = ["NOT_EXPLORED", "STORIES", "Story", "report", "run"]

Beginning = tuple[list[Party], list[tuple[Command, ...]]]


@dataclass(frozen=True)
class Story:
    """A beginning, what the users say, and how much goes wrong."""

    about: str
    begin: Callable[[], Beginning]
    crashes: int = 1
    repeats: int = 0


def run(story: Story, most: int = 10**9) -> Found:
    """Explores it."""
    parties, commands = story.begin()
    players, chain = [], {}
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
                sum((view.final.alice, view.final.bob)[view.role] for view in views),
            )
        )
    game = Game(players, parties[0].chain.block(), chain)
    start = Point(
        tuple(disk_of(party.node.books) for party in parties),
        (),
        tuple(commands),
        story.crashes,
        story.repeats,
        spent=(0,) * len(parties),
        owned_up=(0,) * len(parties),
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


NOT_EXPLORED = {
    "OfferChannel": "channels are there from the beginning",
    "RefuseChannel": "channels are there from the beginning",
    "Play": "games are not played",
    "Played": "games are not played",
    "LetGo": "no deals in escrow",
    "RevealSecret": "no hash locks",
    "Leave": "virtual channels are opened, not closed",
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
}


def report(most: int) -> int:
    """Explores every story up to so many points; how many of them show something wrong."""
    wrong = 0
    for name, story in STORIES.items():
        found = run(story, most)
        wrong += bool(found.wrong)
        whole = "all of them" if found.complete else "the nearest"
        print(f"{name:10} {story.about:45} {found.points:8,} points, {whole}", flush=True)
        for line in found.wrong:
            print(f"    {line}")
    return wrong
