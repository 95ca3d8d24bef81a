"""The shell: group commit, write before you send, crashes between any two writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perun.core.inputs import CommandPay, CommandRemove, CommandTransfer
from perun.core.notices import PaymentDelivered
from perun.encoding.messages import MalformedMessage, Over, Paid, Pay, Propose, decode, encode
from perun.errors import BrokenInvariant
from perun.store import MemoryStore, SqliteStore, WriteFailed
from perun.testing.parties import Party, World
from perun.testing.stories import OPEN_HANDED, add_machine, hub_policy, open_channel
from perun.types import MachineId, Wei


def turn(world: World) -> None:
    """Turns everybody; whoever's write fails is restarted on what its store kept."""
    for _ in range(2_000):
        busy = [party for party in world.parties if party.node.busy]
        if not busy:
            return
        for party in busy:
            try:
                party.node.turn()
            except WriteFailed:
                party.store.crash_before = None  # type: ignore[attr-defined]
                party.restart()
    raise AssertionError("never at rest")


def play(world: World, *moves: Callable[[], object]) -> None:
    for move in moves:
        move()
        turn(world)
        for _ in range(3):
            world.ledger.advance(6)
            turn(world)


def contradictions(world: World) -> list[str]:
    """Signatures of one party that were seen outside and exclude each other."""
    states: dict[tuple[bytes, bytes, int], object] = {}
    found = []
    for sender, _, frame in world.network.seen:
        message = decode(frame)
        if isinstance(message, Propose):
            key = (sender, message.state.channel, message.state.version)
            if states.setdefault(key, message.state) != message.state:
                found.append(f"two states of version {message.state.version}")
    return found


def story(crash_of: str, crash_at: int) -> tuple[World, bool]:
    """A machine and a virtual channel, with one crash before the n-th write of one party."""
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    ingrid = world.party("ingrid", hub_policy())
    world.advance()
    left = open_channel(world, alice, ingrid, 1_000, 1_000)
    right = open_channel(world, bob, ingrid, 1_000, 1_000)
    party = {"alice": alice, "bob": bob, "ingrid": ingrid}[crash_of]
    store = party.store
    assert isinstance(store, MemoryStore)
    store.crash_before = crash_at
    ours: list[MachineId] = []
    virtual: list[MachineId] = []

    def post(party: Party, *commands: object) -> Callable[[], object]:
        return lambda: party.node.post(commands)  # type: ignore[arg-type]

    def machines(end: Party | None, into: list[MachineId]) -> Callable[[], object]:
        def move() -> None:
            try:
                into.append(add_machine(world, alice, left, 300, 200, end))
            except (WriteFailed, ValueError):
                store.crash_before = None
                for one in world.parties:
                    if one.node.failed is not None:
                        one.restart()

        return move

    play(world, machines(None, ours))
    for machine in ours:
        play(
            world,
            post(alice, *[CommandPay(machine, Wei(2))] * 3),
            post(ingrid, CommandPay(machine, Wei(1))),
        )
    play(world, machines(bob, virtual))
    for machine in virtual:
        play(
            world, post(alice, CommandPay(machine, Wei(5))), post(bob, CommandPay(machine, Wei(2)))
        )
        play(world, post(bob, CommandRemove(machine)))
    for machine in ours:
        play(world, post(alice, CommandRemove(machine)))
    play(world, post(bob, CommandTransfer(right, Wei(4))))
    crashed = store.crash_before is None
    return world, crashed


@pytest.mark.parametrize("party", ["alice", "bob", "ingrid"])
def test_crash_before_any_write_contradicts_nothing_and_the_story_goes_on(party: str) -> None:
    for crash_at in range(60):
        world, crashed = story(party, crash_at)
        assert contradictions(world) == []
        alice, bob, ingrid = world.parties
        for one, other in ((alice, ingrid), (bob, ingrid)):
            mine, theirs = one.channel(other).agreed, other.channel(one).agreed
            assert mine is not None
            assert theirs is not None
            assert mine.state == theirs.state, (party, crash_at)
            assert one.channel(other).proposals == (), (party, crash_at)
            assert not one.node.books.exit_only
        if not crashed:
            assert crash_at > 5
            return


def test_nothing_leaves_when_the_write_fails() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    id = open_channel(world, alice, bob, 100, 100)
    assert isinstance(alice.store, MemoryStore)
    alice.store.crash_before = 0
    sent = len(world.network.seen)
    alice.node.post([CommandTransfer(id, Wei(1))])
    with pytest.raises(WriteFailed):
        alice.node.turn()

    assert len(world.network.seen) == sent
    with pytest.raises(BrokenInvariant):
        alice.node.turn()


def test_one_write_for_everything_that_has_come_in() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    machines = [
        add_machine(world, alice, open_channel(world, alice, bob, 100, 0), 100, 0) for _ in range(5)
    ]
    assert isinstance(alice.store, MemoryStore)
    assert isinstance(bob.store, MemoryStore)
    before = (alice.store.writes, bob.store.writes)
    alice.node.post([CommandPay(machine, Wei(1)) for machine in machines for _ in range(10)])
    world.settle()

    assert (alice.store.writes, bob.store.writes) == (before[0] + 1, before[1] + 1)
    # One word for all payments in a machine.
    assert alice.told(PaymentDelivered) == [
        PaymentDelivered(machine, Wei(10)) for machine in machines
    ]


def test_garbage_is_reported_and_changes_nothing() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    open_channel(world, alice, bob, 100, 100)
    assert isinstance(bob.store, MemoryStore)
    before = dict(bob.store._rows)
    for garbage in (b"", b"\x01", b"\x01\x92\x01", b"\x02abc", b"\x01" + b"\x91" * 9_000):
        bob.node.receive(alice.peer, (garbage,))
    world.settle()

    assert len(bob.faults) == 5
    assert bob.store._rows == before


def test_ten_thousand_payments_restart_and_go_on(tmp_path: Path) -> None:
    world = World()
    alice = world.party("alice", OPEN_HANDED, store=SqliteStore(tmp_path / "alice.db"))
    bob = world.party("bob", OPEN_HANDED, store=SqliteStore(tmp_path / "bob.db"))
    world.advance()
    id = open_channel(world, alice, bob, 20_000, 0)
    machine = add_machine(world, alice, id, 20_000, 0)
    for _ in range(20):
        alice.node.post([CommandPay(machine, Wei(1))] * 500)
        world.settle()
    for party in (alice, bob):
        path = party.store.path  # type: ignore[attr-defined]
        party.store.close()
        party.restart(SqliteStore(path))
    world.advance()
    alice.do(CommandPay(machine, Wei(5)))
    world.settle()

    assert bob.node.books.totals[machine].received == 10_005
    assert not alice.node.books.exit_only
    assert (tmp_path / "bob.db").stat().st_size < 200_000
    for party in (alice, bob):
        party.store.close()


def test_nothing_is_heard_over_a_hub_that_is_none() -> None:
    world = World()
    alice, ingrid = world.party("alice", OPEN_HANDED), world.party("ingrid", hub_policy())
    world.advance()
    machine = add_machine(world, alice, open_channel(world, alice, ingrid, 100, 100), 50, 0)
    pay = encode(Paid(machine, Wei(1)))
    for hub, inner in (
        (ingrid, pay),
        (alice, pay),
        (world.party("bob"), encode(Over(b"\x02" * 33, pay))),
    ):
        faults = len(alice.faults)
        alice.node.receive(ingrid.peer, (encode(Over(hub.peer, inner)),))
        world.settle([alice])
        assert isinstance(alice.faults[faults][1], MalformedMessage)


def test_payment_message_is_the_only_one_per_payment() -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    world.advance()
    machine = add_machine(world, alice, open_channel(world, alice, bob, 100, 0), 100, 0)
    world.network.seen.clear()
    alice.do(CommandPay(machine, Wei(1)))
    world.settle()

    assert [type(decode(frame)).__name__ for _, _, frame in world.network.seen] == ["Pay", "Paid"]
    assert world.network.said(Pay)
