"""Transactions of a dispute, and those to the nanocontracts; honest ones and others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from perun.spec.properties import (
    Role,
)
from perun.types import (
    Address,
    InstanceId,
    Nano,
    Settlement,
    UnixTime,
    Version,
    Wei,
)
from tests.games.stateful.arena import Call
from tests.games.stateful.cast import CROOKS
from tests.games.stateful.forgery import spoiled, too_large
from tests.games.stateful.instances import NOTHING
from tests.games.stateful.money_calls import MoneyCalls
from tests.games.stateful.rooms import Entry, Room
from tests.games.stateful.table import MOST


class DisputeCalls(MoneyCalls):
    def _calls(self) -> Sequence[Call]:
        """What somebody wants to send now."""
        makers: list[tuple[int, Callable[[], Sequence[Call]]]] = [
            (14, self._open),
            (8, self._deposit),
            (5, self._open_both),
            (4, self._fund),
            (8, self._close),
            (8, self._withdraw),
            (5, self._claim),
            (22, self._register),
            (16, self._settle),
            (5, self._settle_many),
            (14, self._submit),
            (6, self._reveal),
            (4, self._again),
        ]
        weights = [weight for weight, _ in makers]
        return self.rng.choices([make for _, make in makers], weights)[0]()

    def _registration(
        self, room: Room, entry: Entry | None, caller: Address, evidence: Sequence[bytes] = ()
    ) -> Call:
        """`register` of an entry with both signatures, or of version 0."""
        if entry is None:
            args: tuple[Any, ...] = (room.channel, 0, 0, (), NOTHING, NOTHING, ())
        else:
            state = entry.state
            signatures = [entry.signatures.get(role, NOTHING) for role in Role]
            args = (
                room.channel,
                state.version,
                state.net,
                state.nanos,
                *signatures,
                tuple(evidence),
            )
        return Call("MSContract", "register", args, caller)

    def _register(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        honest = [role for role in room.honest if rng.random() < 0.3]
        if honest and not room.ended:
            role = honest[0]
            return [self._registration(room, room.newest(role), role.account(room.channel))]
        if rng.random() < 0.15 or not room.book:
            who = self._dishonest(room)
            args = (room.channel, 0, rng.choice((0, 0, 1)), (), NOTHING, NOTHING, ())
            return [Call("MSContract", "register", args, who)]
        entry = rng.choice(room.book[-4:])
        caller, signatures = self._hand_over(room, entry.signatures)
        if caller not in (room.channel.alice, room.channel.bob) and rng.random() < 0.6:
            caller = self._dishonest(room)
        if caller in {role.account(room.channel) for role in room.honest} | {
            room.key_of(role) for role in room.honest
        }:
            return [self._registration(room, room.newest(next(iter(room.honest))), caller)]
        state = entry.state
        version, net, nanos = state.version, state.net, state.nanos
        if rng.random() < 0.04:
            version = Version(version + 1)
        if rng.random() < 0.03:
            net = Wei(net - 1)
        if rng.random() < 0.03:
            nanos = nanos[::-1]
        evidence = [self.things.evidence(nano) for nano in nanos] if rng.random() < 0.4 else []
        if rng.random() < 0.08:
            evidence.append(b"")
        if len(nanos) > 60:
            evidence = []
        args = (room.channel, version, net, nanos, *signatures, tuple(evidence))
        return [Call("MSContract", "register", args, caller)]

    def _settlement(self, room: Room) -> Settlement:
        net, nanos = self.current.get(room.key[1], (Wei(0), ()))
        if self.rng.random() < 0.06 and abs(net) < MOST:
            net = Wei(net + 1)
        if nanos and self.rng.random() < 0.04:
            nanos = nanos[1:]
        return Settlement(room.channel, net, nanos)

    def _settle(self) -> Sequence[Call]:
        disputed = [r for r in self.rooms if r.key in self.arena.world.ms_contract.disputes]
        room = self.rng.choice(disputed) if disputed and self.rng.random() < 0.9 else self._room()
        item = self._settlement(room)
        args = (item.channel, item.net, item.nanos)
        return [Call("MSContract", "settle", args, self._tower(room))]

    def _settle_many(self) -> Sequence[Call]:
        rooms = self.rng.sample(self.rooms, min(len(self.rooms), 4))
        items = tuple(self._settlement(room) for room in rooms)
        if self.rng.random() < 0.3:
            items += items[:1]
        return [Call("MSContract", "settleMany", (items,), self._tower(rooms[0]))]

    def _settle_now(self, room: Room) -> None:
        net, nanos = self.current[room.key[1]]
        self.perform(Call("MSContract", "settle", (room.channel, net, nanos), CROOKS[0].address))

    def _submit(self) -> Sequence[Call]:
        rng = self.rng
        if not self.things.machines:
            return ()
        identity = rng.choice(list(self.things.machines)[-8:])
        running = list(self.arena.world.vpm.records)[-3:]
        if running and rng.random() < 0.4:
            identity = InstanceId(rng.choice(running))
        caller = rng.choice(self.arena.stage.people)
        if rng.random() < 0.4:
            nano = Nano(
                self.arena.stage.addresses["VPM"], identity, Wei(0), Wei(0), UnixTime(0), False
            )
            return [Call("VPM", "submit", (self.things.evidence(nano),), caller)]
        arguments = self.things.submission(identity)
        if rng.random() < 0.08:
            arguments = (*arguments[:2], spoiled(arguments[2], rng), *arguments[3:])
        return [Call("VPM", "submitStatements", arguments, caller)]

    def _reveal(self) -> Sequence[Call]:
        rng = self.rng
        if not self.things.locks or rng.random() < 0.1:
            self.things.new_lock(20)
        identity = rng.choice(list(self.things.locks)[-6:])
        lock, preimage = self.things.locks[identity]
        caller = rng.choice(self.arena.stage.people)
        if rng.random() < 0.2:
            preimage = preimage[::-1]  # type: ignore[assignment]
        if rng.random() < 0.5:
            nano = Nano(
                self.arena.stage.addresses["HashTimeLock"],
                identity,
                Wei(0),
                Wei(0),
                UnixTime(0),
                False,
            )
            return [Call("HashTimeLock", "submit", (self.things.evidence(nano),), caller)]
        if rng.random() < 0.06:
            lock = too_large(lock)
        return [Call("HashTimeLock", "reveal", (lock, preimage), caller)]

    def _again(self) -> Sequence[Call]:
        """An old transaction, byte for byte, from somebody else."""
        if not self.sent:
            return ()
        old = self.rng.choice(self.sent)
        if old.function in ("open", "openBoth", "deposit", "fund", "claim", "register"):
            return [old] if old.function == "deposit" else ()
        return [Call(old.contract, old.function, old.args, self.rng.choice(CROOKS).address)]
