"""Everything anybody can think of doing, drawn at random: one `Play` is one game on one arena.

`step` makes one move: signs, deposits, opens a dispute, settles, lies, lets time pass. Calls that
stand ready at the same time may be taken in another order, by another sender, twice, or with too
little gas. Before a dispute's deadline passes, an honest party answers, and somebody tries to get
in before it. After every call model and contract are compared (`Arena.perform`), and P1, P3, P4,
P5, P7, P10 and the chain part of P2 are checked when they apply.
"""

from __future__ import annotations

from perun.spec import Funds
from perun.spec.properties import (
    Role,
    Violated,
)
from perun.types import (
    Nano,
    State,
    Version,
    Wei,
)
from tests.games.stateful.arena import Call
from tests.games.stateful.rooms import Room
from tests.games.stateful.signing import Signing


class Play(Signing):
    def step(self) -> None:
        """One move. Raises what model, chain or a property have against it."""
        rng = self.rng
        if len(self.rooms) < 2 or rng.random() < 0.04:
            self._new_room()
        roll = rng.random()
        if roll < 0.13:
            self._let_time_pass()
        elif roll < 0.20:
            self._stranger()
        elif roll < 0.36:
            self._propose()
        elif roll < 0.40:
            self._pair_up()
        elif roll < 0.44:
            self._countersign()
        elif roll < 0.47:
            self._exit_drill()
        elif roll < 0.50:
            self._race_drill()
        elif roll < 0.54:
            self._starve()
        elif roll < 0.62:
            self._mempool()
        else:
            for call in self._calls():
                self.perform(call)

    def finish(self) -> None:
        """Let everything end: every honest party gets out, then compare all."""
        for _ in range(6):
            for room in self.rooms:
                if room.key in self.arena.world.ms_contract.disputes:
                    self._settle_now(room)
            self._let_time_pass()
        self.arena.compare_all()

    def _mempool(self) -> None:
        """Several transactions made at one moment are mined in any order."""
        waiting = [call for _ in range(self.rng.randint(2, 4)) for call in self._calls()]
        self.rng.shuffle(waiting)
        for call in waiting:
            self.perform(call)
        self.arena.checked["reordered bundles"] += 1

    # ---------------------------------------------------------------------------------------- time

    def _let_time_pass(self) -> None:
        rng, now = self.rng, self.arena.now
        marks = [dispute.deadline for dispute in self.arena.world.ms_contract.disputes.values()]
        marks += [known.machine.validity for known in self.things.machines.values()]
        marks += [record.deadline for record in self.arena.world.vpm.records.values()]
        marks += [nano.expiry for _, nanos in self.current.values() for nano in nanos]
        near = sorted({mark + late for mark in marks for late in (0, 1)})
        near = [mark for mark in near if now < mark < now + 300]
        to = rng.choice(near[:3]) if near and rng.random() < 0.75 else now + rng.randint(1, 20)
        self._answer_all_before(to)
        self.arena.set_time(to)

    def _answer_all_before(self, to: int) -> None:
        """No deadline passes while an honest party holds something newer; somebody races it."""
        disputes = self.arena.world.ms_contract.disputes
        answered: set[int] = set()
        # One at a time, since whoever races an answer may open the next dispute with it.
        while ending := [
            (disputes[room.key].deadline, number)
            for number, room in enumerate(self.rooms)
            if number not in answered
            and room.key in disputes
            and not room.ended
            and not disputes[room.key].settling
            and self.arena.now <= disputes[room.key].deadline < to
        ]:
            _, number = min(ending)
            answered.add(number)
            room, dispute = self.rooms[number], disputes[self.rooms[number].key]
            for role in room.honest:
                newest = room.newest(role)
                if newest and newest.state.version > dispute.version:
                    at = self.rng.choice((self.arena.now, dispute.deadline))
                    self.arena.set_time(max(self.arena.now, at))
                    if self.rng.random() < 0.5:
                        for rival in self._rivals(room):
                            self.perform(rival)
                    if room.key not in disputes:
                        break  # closed meanwhile, with this party's signature
                    if not self.perform(self._registration(room, newest, self._tower(room))):
                        raise Violated("P10", room=room.channel, entry=newest)
                    self.arena.checked["P10: answers that stood"] += 1
            if room.key in disputes:
                for role in room.honest:
                    room.promises.setdefault(role, room.count_on(role))

    # -------------------------------------------------------------------------------------- drills

    def _rivals(self, room: Room) -> list[Call]:
        """What somebody may send to spoil an answer: anything at all, but also old states."""
        stale = [
            self._registration(room, entry, self._dishonest(room))
            for entry in room.book[-3:]
            if entry.full
        ]
        others = [call for _ in range(2) for call in self._calls()]
        return [*stale[:2], *others][: self.rng.randint(1, 3)]

    def _race_drill(self) -> None:
        """P10: an answer that would succeed still does after any other transaction."""
        disputes = self.arena.world.ms_contract.disputes
        open_ = [
            room
            for room in self.rooms
            if room.key in disputes and disputes[room.key].deadline >= self.arena.now
        ]
        if not open_:
            return
        room = self.rng.choice(open_)
        newer = [
            entry
            for entry in room.book
            if entry.full and entry.state.version > disputes[room.key].version
        ]
        rivals = self._rivals(room)
        if not newer:
            return
        answer = self._registration(room, self.rng.choice(newer), self._tower(room))
        with self.arena.trial():
            if not self.arena.perform(answer).success:
                return
        with self.arena.trial():
            for rival in rivals:
                self.arena.perform(rival)
            if room.key not in disputes:
                return  # closed: with both signatures
            if not self.arena.perform(answer).success:
                raise Violated("P10", answer=answer, rivals=rivals)
        self.arena.checked["P10: races"] += 1

    def _exit_drill(self) -> None:
        """P5: alone against everyone, a party gets out now: register, settle, settle."""
        room, ms = self._room(), self.arena.world.ms_contract
        role = self.rng.choice(list(Role))
        entry = room.newest(role)
        me = role.account(room.channel)
        known = ms.disputes.get(room.key)
        funds = self._funds(room)
        if known is None:
            if entry is None and min(funds.alice, funds.bob) < 0:
                return  # nothing to enforce: it took out more than it put in
            state = entry.state if entry else State(room.key[1], Version(0), Wei(0))
            with self.arena.trial():
                if not self.arena.perform(self._registration(room, entry, me)).success:
                    return
                self._settle_out(room, state.net, state.nanos, role, funds)
        elif room.key[1] in self.current:
            net, nanos = self.current[room.key[1]]
            with self.arena.trial():
                self._settle_out(room, net, nanos, role, funds)

    def _settle_out(
        self, room: Room, net: Wei, nanos: tuple[Nano, ...], role: Role, funds: Funds
    ) -> None:
        arena, ms = self.arena, self.arena.world.ms_contract
        me = role.account(room.channel)
        free = role.holdings(funds) - role.loss(net) - sum(role.lock(nano) for nano in nanos)
        arena.set_time(max(arena.now, ms.disputes[room.key].deadline + 1))
        started = len(ms.payouts)
        for _ in range(2):
            if not arena.perform(
                Call("MSContract", "settle", (room.channel, net, nanos), me)
            ).success:
                raise Violated("P5", room=room.channel, net=net, nanos=nanos)
            if len(ms.payouts) > started and role.payout(ms.payouts[started]) < free:
                raise Violated("P5", free=free, payout=ms.payouts[started])
            if room.key not in ms.disputes:
                break
            if len(ms.payouts) > started:
                net, nanos = Wei(0), ms.payouts[-1].remaining
            arena.set_time(max(arena.now, 1 + max(nano.expiry for nano in nanos)))
        if room.key in ms.disputes or room.key in ms.funds:
            raise Violated("P5", left=ms.funds.get(room.key))
        arena.checked["P5: exits"] += 1

    def _starve(self) -> None:
        """A call with too little gas fails, or does what it does with enough."""
        for call in self._calls()[:1]:
            for _ in range(4):
                gas = int(2 ** self.rng.uniform(13, 21))
                self.arena.starve(call, gas)
            self.perform(call)
