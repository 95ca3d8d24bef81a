"""How far a reader walks: which files of the core the calls of one story go through, in order.

    python -m tests.tools.walk            what each story walks, in numbers
    python -m tests.tools.walk closing    the way itself

For each step of whoever the story is about: a *stay* is a run of calls in one file, a *room* a
file, a *return* a stay in a room that was left before. A call that calls nothing in another file
is a *question*: what a record holds, of which kind something is, what may be locked. Its answer is
all that its caller needs, so a reader may leave it out; what remains is the *way*. Whoever reads a
step follows it, so a long way with many returns is hard to read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType
from typing import Final

import perun.core
from perun.core.books import Books, Step
from perun.core.inputs import CommandAddMachine, CommandPay, CommandRemove, Input, Received, Signed
from perun.node import runtime
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import Seconds, UnixTime, Wei

CORE: Final = str(Path(perun.core.__file__).parent)


@dataclass
class Walk:
    """The calls of one step, file and function."""

    what: str
    """The input that was taken up."""
    calls: list[Call] = field(default_factory=list)

    @property
    def all(self) -> Stays:
        """With all questions."""
        return Stays(self.calls)

    @property
    def way(self) -> Stays:
        """Without them."""
        return Stays([call for call in self.calls if call.leads])

    def __str__(self) -> str:
        return f"{self.what:24} {self.all}; without questions {self.way}"


@dataclass
class Call:
    """One call of the core's."""

    file: str
    name: str
    leads: bool = False
    """Whether it calls something in another file, itself or by what it calls."""


class Stays(list[tuple[str, list[str]]]):
    """Runs of calls in one file."""

    def __init__(self, calls: Iterable[Call]) -> None:
        runs = groupby(calls, key=lambda call: call.file)
        super().__init__((file, [call.name for call in run]) for file, run in runs)

    @property
    def rooms(self) -> int:
        """How many files."""
        return len({file for file, _ in self})

    @property
    def returns(self) -> int:
        """How many come back to a file."""
        return len(self) - self.rooms

    def __str__(self) -> str:
        return f"{len(self):3} stays, {self.rooms:2} rooms, {self.returns:3} returns"


@contextmanager
def walking(party: Party) -> Iterator[list[Walk]]:
    """Notes the core's calls in every step of a party."""
    walks: list[Walk] = []
    step = runtime.step

    open_calls: list[Call] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if not code.co_filename.startswith(CORE) or code.co_name[0] == "<":
            return
        if event == "return":
            open_calls.pop()
        elif event == "call":
            call = Call(code.co_filename[len(CORE) + 1 :], code.co_name)
            walks[-1].calls.append(call)
            if open_calls and open_calls[-1].file != call.file:
                for caller in open_calls:
                    caller.leads = True
            open_calls.append(call)

    def noted(books: Books, input: Input) -> Step:
        if books is not party.node.books:
            return step(books, input)
        what = input.message if isinstance(input, Received) else input
        if isinstance(what, Signed):
            what = what.sign.items[0].message
        walks.append(Walk(f"{type(input).__name__} {type(what).__name__}"))
        open_calls.clear()
        sys.setprofile(note)
        try:
            return step(books, input)
        finally:
            sys.setprofile(None)

    runtime.step = noted
    try:
        yield walks
    finally:
        runtime.step = step


class _Stage:
    def __init__(self) -> None:
        self.world = World()
        self.alice = self.world.party("alice", OPEN_HANDED)
        self.bob = self.world.party("bob", OPEN_HANDED)
        self.ingrid = self.world.party("ingrid", hub_policy())
        self.world.advance()
        self.left = open_channel(self.world, self.alice, self.ingrid, 1_000, 1_000)
        open_channel(self.world, self.bob, self.ingrid, 1_000, 1_000)


def opening() -> list[Walk]:
    """A hub countersigns the pair that opens a virtual channel, brought by one request."""
    stage = _Stage()
    until = UnixTime(stage.world.ledger.time + 10_000)
    terms = (Wei(50), Wei(50), until, Seconds(600), stage.alice.random(), stage.bob.peer)
    with walking(stage.ingrid) as walks:
        stage.alice.do(CommandAddMachine(stage.left, *terms))
        stage.world.settle()
    return walks


def closing() -> list[Walk]:
    """A hub countersigns the pair that closes a virtual channel: both halves, one request."""
    stage = _Stage()
    machine = add_machine(stage.world, stage.alice, stage.left, 50, 50, stage.bob)
    with walking(stage.ingrid) as walks:
        stage.alice.do(CommandRemove(machine))
        stage.world.settle()
    return walks


def _paid() -> tuple[list[Walk], list[Walk]]:
    stage = _Stage()
    machine = add_machine(stage.world, stage.alice, stage.left, 50, 50, stage.bob)
    stage.alice.do(CommandPay(machine, Wei(1)))
    stage.world.settle()
    with walking(stage.alice) as payer, walking(stage.bob) as payee:
        stage.alice.do(CommandPay(machine, Wei(1)))
        stage.world.settle()
    return payer, payee


def paying() -> list[Walk]:
    """A payer signs a statement and hears that it was taken."""
    return _paid()[0]


def taking() -> list[Walk]:
    """A payee takes a statement."""
    return _paid()[1]


STORIES: Final[dict[str, Callable[[], list[Walk]]]] = {
    story.__name__: story for story in (opening, closing, paying, taking)
}


def main(names: list[str]) -> None:
    """Prints how long the ways of all stories are, or the ways themselves of these."""
    for name in names or STORIES:
        print(f"{name}: {STORIES[name].__doc__}")
        for walk in STORIES[name]():
            print(f"  {walk}")
            for file, functions in walk.all if names else ():
                print(f"    {file:32} {', '.join(functions)}")


if __name__ == "__main__":
    main(sys.argv[1:])
