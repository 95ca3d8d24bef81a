"""A guest's rows are on disk with the turn that they belong to, or neither is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from perun.core.effects import SignItem
from perun.core.inputs import CommandPay, Connected, Input
from perun.core.notices import Notice, PaymentReceived
from perun.core.state import PeerId
from perun.encoding.messages import GuestMessage, Note, Noted
from perun.encoding.records import Extra, NumberedExtra
from perun.encoding.requests import PaymentRequest, memo_hash
from perun.errors import Misuse
from perun.node.guest import Desk
from perun.store import MemoryStore, SqliteStore, WriteFailed
from perun.testing.parties import DEPLOYMENT, Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, open_channel
from perun.types import ETH, InstanceId, MachineId, Signature, UnixTime, Wei


class Page(Extra, frozen=True, array_like=True):
    """A row with a name."""

    table: ClassVar[str] = "app_pages"
    name: bytes
    text: str = ""

    @property
    def row_key(self) -> bytes:
        return self.name


class Line(NumberedExtra, frozen=True, array_like=True):
    """One of very many."""

    table: ClassVar[str] = "app_lines"
    text: str = ""


class Scribe:
    """Carries out what it is asked, and writes down everything."""

    kinds = (Page, Line)

    def __init__(self) -> None:
        self.pages: dict[bytes, Page] = {}
        self.heard_of: list[object] = []
        self.calls: list[str] = []

    def load(self, row: Extra) -> None:
        assert isinstance(row, Page)
        self.pages[row.name] = row

    def asked(self, desk: Desk, item: object) -> None:
        assert callable(item)
        item(desk)

    def heard(self, desk: Desk, sender: PeerId, via: PeerId, message: GuestMessage) -> None:
        self.heard_of.append(message)
        if isinstance(message, Note):
            desk.send(sender, Noted(message.machine, message.last), via)

    def noticed(self, desk: Desk, notice: Notice) -> None:
        self.heard_of.append(notice)

    def signed(self, desk: Desk, item: SignItem, signature: Signature) -> None:
        self.heard_of.append((item.message, signature))

    def passed(self, desk: Desk, input: Input) -> None:
        self.heard_of.append(input)

    def ended(self, desk: Desk) -> None:
        if self.heard_of and isinstance(self.heard_of[-1], PaymentReceived):
            desk.put(Page(b"last", "money"))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def scribes() -> dict[str, Scribe]:
    """By party, the newest of each."""
    return {}


@pytest.fixture
def enter(world: World, scribes: dict[str, Scribe]) -> Callable[[str], Party]:
    def guest(party: Party) -> Scribe:
        scribes[party.name] = Scribe()
        return scribes[party.name]

    return lambda name: world.party(name, OPEN_HANDED, guest=guest)


@pytest.fixture
def pair(world: World, enter: Callable[[str], Party]) -> tuple[Party, Party, MachineId]:
    alice, bob = enter("alice"), enter("bob")
    channel = open_channel(world, alice, bob, 1_000, 1_000)
    return alice, bob, add_machine(world, alice, channel, 300, 300)


def pay_and_write(machine: MachineId, amount: int) -> Callable[[Desk], None]:
    def act(desk: Desk) -> None:
        desk.do(CommandPay(machine, Wei(amount)))
        desk.put(Page(b"paid", str(desk.books.totals[machine].asked)))

    return act


def test_a_row_and_its_payment_are_one_write(
    world: World, pair: tuple[Party, Party, MachineId], scribes: dict[str, Scribe]
) -> None:
    alice, bob, machine = pair
    assert isinstance(alice.store, MemoryStore)
    before = alice.store.writes
    alice.node.ask(pay_and_write(machine, 5))
    alice.node.turn()
    assert alice.store.writes == before + 1
    world.settle()
    assert bob.node.books.totals[machine].received == 5
    assert any(isinstance(one, PaymentReceived) for one in scribes["bob"].heard_of)
    bob.restart()
    assert scribes["bob"].pages == {b"last": Page(b"last", "money")}
    alice.restart()
    assert scribes["alice"].pages == {b"paid": Page(b"paid", "5")}


def test_a_crash_before_the_write_leaves_neither(
    world: World, pair: tuple[Party, Party, MachineId], scribes: dict[str, Scribe]
) -> None:
    alice, bob, machine = pair
    assert isinstance(alice.store, MemoryStore)
    calls: list[str] = []

    def act(desk: Desk) -> None:
        pay_and_write(machine, 5)(desk)
        desk.after(lambda: calls.append("told"))

    alice.store.crash_before = 0
    alice.node.ask(act)
    with pytest.raises(WriteFailed):
        alice.node.turn()
    assert calls == []
    alice.store.crash_before = None
    alice.restart()
    world.settle()
    assert scribes["alice"].pages == {}
    assert machine not in bob.node.books.totals


def test_a_refused_command_changes_nothing(
    world: World, pair: tuple[Party, Party, MachineId]
) -> None:
    alice, _, machine = pair
    refusals: list[Misuse] = []

    def act(desk: Desk) -> None:
        try:
            desk.do(CommandPay(machine, Wei(301)))
        except Misuse as error:
            refusals.append(error)

    alice.node.ask(act)
    world.settle()
    assert len(refusals) == 1
    assert machine not in alice.node.books.totals


def test_messages_and_signatures_of_guests_pass_by_the_core(
    world: World, pair: tuple[Party, Party, MachineId], scribes: dict[str, Scribe]
) -> None:
    alice, bob, machine = pair
    note = Note(machine, Wei(0), Wei(5), bytes(32), text="for bread")
    request = PaymentRequest(
        bytes(alice.peer),
        bytes(32),
        DEPLOYMENT.contract.contract,
        ETH,
        Wei(5),
        bytes(32),
        UnixTime(9),
        memo_hash(""),
        b"",
    )

    def act(desk: Desk) -> None:
        desk.sign(SignItem(alice.key.address, request))
        desk.send(bob.peer, note)

    alice.node.ask(act)
    world.settle()
    assert note in scribes["bob"].heard_of
    assert Noted(machine, Wei(5)) in scribes["alice"].heard_of
    (signed,) = [one for one in scribes["alice"].heard_of if isinstance(one, tuple)]
    assert signed[0] == request
    assert len(signed[1]) == 65
    assert alice.faults == bob.faults == []


def test_a_node_without_guest_refuses_their_messages_and_goes_on(world: World) -> None:
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    note = Note(MachineId(InstanceId(bytes(32))), Wei(0), Wei(5), bytes(32))
    world.network.inject(alice.peer, bob.peer, note)
    world.settle()
    assert len(bob.faults) == 1
    open_channel(world, alice, bob, 5, 5)


def test_what_passes_by_is_told(
    world: World, pair: tuple[Party, Party, MachineId], scribes: dict[str, Scribe]
) -> None:
    alice, bob, _ = pair
    alice.node.meet(bob.peer)
    world.advance()
    kinds = {type(one).__name__ for one in scribes["alice"].heard_of}
    assert {"Connected", "ChainBlock", "Tick"} <= kinds
    assert Connected(bob.peer) in scribes["alice"].heard_of


def test_rows_of_a_guest_survive_in_a_file_and_numbered_ones_are_read_in_pieces(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "node.db", (Page, Line))
    lines = [Line(number, str(number)) for number in range(1, 11)]
    store.write([Page(b"a", "x"), Page(b"b"), *lines, Page(b"a", "y")])
    store.write([Line(3, "three")], [Page(b"b"), Line(1), Line(2)])
    store.close()
    without = SqliteStore(tmp_path / "node.db")
    assert list(without.records()) == []
    without.close()
    again = SqliteStore(tmp_path / "node.db", (Page, Line))
    assert list(again.records()) == [Page(b"a", "y")]
    assert again.bounds(Line) == (3, 10)
    assert again.numbered(Line, 2, 3) == [Line(3, "three"), lines[3], lines[4]]
    assert again.numbered(Line, 10, 3) == []
    again.close()


def test_memory_and_file_give_the_same_numbered_rows(tmp_path: Path) -> None:
    file, memory = SqliteStore(tmp_path / "node.db", (Page, Line)), MemoryStore()
    for store in (file, memory):
        assert store.bounds(Line) == (1, 0)
        store.write([Line(300, "c"), Line(2, "b"), Page(b"a")])
        assert store.bounds(Line) == (2, 300)
        assert store.numbered(Line, 1, 9) == [Line(2, "b"), Line(300, "c")]
        assert list(store.records()) == [Page(b"a")]
    file.close()
