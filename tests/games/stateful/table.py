"""What all moves of a game share: who plays, what was sent, what the log says, what was paid.

Every call goes through `Table.perform`; every payout is held against P2, P3 and P4.
"""

from __future__ import annotations

from random import Random

from perun.spec import Funds, Payout, Resolved
from perun.spec.properties import (
    Role,
    balance_security,
    hub_neutrality,
    nothing_unsigned,
)
from perun.types import (
    ETH,
    Address,
    Asset,
    Close,
    Nano,
    State,
    UnixTime,
    Wei,
)
from tests.games.stateful.arena import Arena, Call
from tests.games.stateful.instances import Instances
from tests.games.stateful.rooms import Room

MOST = 2**111 - 1
"""Greatest amount."""


class Table:
    def __init__(self, rng: Random, arena: Arena | None = None) -> None:
        self.rng = rng
        self.arena = arena or Arena()
        self.arena.on_payout = self._paid
        self.things = Instances(self.arena, rng)
        self.rooms: list[Room] = []
        self.pairs: list[tuple[Room, Role, Room, Role, bytes]] = []
        self.sent: list[Call] = []
        self._read_log = 0
        self.current: dict[bytes, tuple[Wei, tuple[Nano, ...]]] = {}
        """Registered (net, nanos) of each channel in dispute, as anybody can read in the log."""

    def reseed(self, seed: int) -> None:
        """Draw the next moves from a new generator."""
        self.rng = self.things.rng = Random(seed)

    def perform(self, call: Call) -> bool:
        self._own_transaction(call)
        done = self.arena.perform(call)
        self.sent = [*self.sent[-30:], call]
        self._follow_log()
        return done.success

    def _own_transaction(self, call: Call) -> None:
        """What a party sends itself it has signed: put it into the book before it is paid out."""
        if call.contract != "MSContract" or call.function not in ("register", "close", "withdraw"):
            return
        room = next((room for room in self.rooms if room.channel == call.args[0]), None)
        if room is None:
            return
        for role in Role:
            if call.caller not in (role.account(room.channel), room.key_of(role)):
                continue
            if call.function == "register":
                _, version, net, nanos, *_ = call.args
                if version:
                    room.note_state(role, State(room.key[1], version, net, nanos))
            elif call.function == "close":
                room.note_offer(role, Close(room.key[1], *call.args[1:4]))

    def _follow_log(self) -> None:
        """Read the log as anybody does, to know what `settle` must be given."""
        log = self.arena.world.host.log
        for event in log[self._read_log :]:
            if event.name == "Registered":
                identity, _, net, nanos, _ = event.args
                self.current[identity] = (net, nanos)  # type: ignore[index,assignment]
            elif event.name == "Settled":
                identity, _, _, remaining = event.args
                self.current[identity] = (Wei(0), remaining)  # type: ignore[index,assignment]
        self._read_log = len(log)

    def _paid(self, payout: Payout) -> None:
        """A channel was paid out, wholly or in part: P2, P3, P4."""
        ms = self.arena.world.ms_contract
        identity = ms.channel_id(payout.channel)
        room = next(room for room in self.rooms if room.key[1] == identity)
        room.payouts.append(payout)
        nothing_unsigned(payout, room.has_agreed, self.things.most_paid)
        self.arena.checked["P3: payouts"] += 1
        if payout.remaining:
            return
        if not room.ended and payout.version is not None:
            for role, promises in room.promises.items():
                balance_security(self.arena.world, role, room.payouts, promises)
                self.arena.checked["P2: honest parties paid"] += 1
        room.ended = True
        for first, mine, second, other, machine in self.pairs:
            if room in (first, second) and first.ended and second.ended:
                hub_neutrality(_resolved(first, machine), mine, _resolved(second, machine), other)
                self.arena.checked["P4: hubs neutral"] += 1

    # ------------------------------------------------------------------------------ small choices

    def _room(self) -> Room:
        """A room, mostly a young one."""
        rooms = self.rooms[-6:] if self.rng.random() < 0.8 else self.rooms
        return self.rng.choice(rooms)

    def _funds(self, room: Room) -> Funds:
        return self.arena.world.ms_contract.funds.get(room.key, Funds())

    def _later(self, most: int) -> UnixTime:
        """A time limit: now, soon, or just over."""
        return UnixTime(self.arena.now + self.rng.choice((0, 1, most, most, most, -1)))

    def _amount(self) -> Wei:
        rng = self.rng
        if rng.random() < 0.04:
            return Wei(rng.choice((MOST, MOST + 1, 2**112 - 1)))
        return Wei(rng.choice((0, 1, 5, 10, 20, 50)))

    def _value(self, asset: Asset, amount: int) -> int:
        """The ETH that is due, or now and then what is not."""
        due = amount if asset == ETH else 0
        wrong = self.rng.random() < 0.05
        return min(due + wrong, 10**22)

    def _outsider(self, room: Room) -> Address:
        """Anybody whose transaction is nobody honest's signature."""
        return self.rng.choice(self.arena.stage.crooks)

    def _tower(self, room: Room) -> Address:
        return self.rng.choice(self.arena.stage.crooks)

    def _dishonest(self, room: Room) -> Address:
        """Somebody dishonest, from a role of the channel if there is one."""
        roles = [role for role in Role if role not in room.honest]
        if not roles:
            return self._outsider(room)
        role = self.rng.choice(roles)
        return self.rng.choice((role.account(room.channel), room.key_of(role)))


def other_role(role: Role) -> Role:
    return Role.BOB if role is Role.ALICE else Role.ALICE


def _resolved(room: Room, instance: bytes) -> Resolved:
    found = [
        answer
        for payout in room.payouts
        for answer in payout.resolved
        if answer.nano.id == instance
    ]
    return found[0]
