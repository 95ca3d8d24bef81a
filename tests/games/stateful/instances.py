"""The nanocontract instances of a play: their terms, what was signed for them, and evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import msgspec

from perun.crypto import keccak, sign
from perun.encoding import (
    lock_id,
    machine_id,
    reveal_evidence,
    statement_digest,
    statements_evidence,
)
from perun.spec.properties import Role
from perun.types import (
    Address,
    InstanceId,
    Lock,
    Machine,
    Nano,
    Preimage,
    Salt,
    Seconds,
    Signature,
    Statement,
    UnixTime,
    Wei,
)
from tests.games.stateful.arena import Arena
from tests.games.stateful.cast import APPS, KEYS, PEOPLE, LiarApp, RawApp

NOTHING = Signature(b"")


@dataclass(slots=True)
class KnownMachine:
    machine: Machine
    totals: dict[Role, int] = field(default_factory=lambda: {Role.ALICE: 0, Role.BOB: 0})
    """Highest total that each side of the instance has signed."""


@dataclass(slots=True)
class Instances:
    arena: Arena
    rng: Random
    machines: dict[InstanceId, KnownMachine] = field(default_factory=dict)
    locks: dict[InstanceId, tuple[Lock, Preimage]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------ making

    def new_machine(
        self, alice: Address, bob: Address, most: tuple[int, int]
    ) -> tuple[InstanceId, Machine]:
        rng, now = self.rng, self.arena.now
        machine = Machine(
            alice,
            bob,
            Wei(rng.choice((0, rng.randint(0, max(0, most[0])), most[0]))),
            Wei(rng.choice((0, rng.randint(0, max(0, most[1]))))),
            UnixTime(now + rng.choice((0, 5, 30, 60))),
            Seconds(rng.choice((0, 3, 20))),
            Salt(rng.getrandbits(256).to_bytes(32, "big")),
        )
        identity = InstanceId(machine_id(self.arena.world.vpm.domain, machine))
        self.machines[identity] = KnownMachine(machine)
        return identity, machine

    def new_lock(self, most: int) -> tuple[InstanceId, Lock]:
        rng = self.rng
        preimage = Preimage(rng.getrandbits(256).to_bytes(32, "big"))
        lock = Lock(
            Wei(rng.randint(0, max(0, most))),
            rng.random() < 0.5,
            keccak(preimage),
            UnixTime(self.arena.now + rng.choice((0, 5, 30, 60))),
            Salt(rng.getrandbits(256).to_bytes(32, "big")),
        )
        identity = InstanceId(lock_id(self.arena.world.hash_time_lock.domain, lock))
        self.locks[identity] = (lock, preimage)
        return identity, lock

    def new_nano(self, keys: tuple[Address, Address], most: tuple[int, int]) -> Nano:
        """A nano of any kind, whose locks are within `most`; not always what its kind asks for."""
        rng, at = self.rng, self.arena.stage.addresses
        kind = rng.choice(("VPM", "VPM", "VPM", "HashTimeLock", *APPS, "no code", "token", "self"))
        expiry = UnixTime(self.arena.now + rng.choice((0, 10, 50, 90)))
        swapped = rng.random() < 0.3
        locks = [Wei(rng.randint(0, max(0, amount))) for amount in most]
        if kind == "VPM":
            ends = keys[::-1] if swapped else keys
            identity, machine = self.new_machine(*ends, most[::-1] if swapped else most)
            locks = [machine.alice_lock, machine.bob_lock]
            if swapped:
                locks.reverse()
            expiry = UnixTime(machine.validity + machine.challenge + rng.choice((0, 0, 0, 7)))
        elif kind == "HashTimeLock":
            identity, lock = self.new_lock(min(most))
            expiry = lock.deadline
        elif kind == "ClockNanocontract":
            shift = rng.randint(-10, 10) % 2**112
            identity = InstanceId(
                (self.arena.now + rng.choice((0, 20))).to_bytes(16, "big")
                + shift.to_bytes(16, "big")
            )
        else:
            identity = InstanceId(rng.choice((b"\1", b"\2", b"\3")) * 32)
        apps = {"no code": PEOPLE[0].address, "token": at["PlainToken"], "self": at["MSContract"]}
        return Nano(apps.get(kind) or at[kind], identity, locks[0], locks[1], expiry, swapped)

    # -------------------------------------------------------------------------------- statements

    def sign_statement(self, identity: InstanceId, role: Role) -> tuple[Wei, Signature]:
        """Pay a little more: the role's new total and its signature."""
        known, rng = self.machines[identity], self.rng
        paid = known.totals[role] + rng.choice((0, 1, 3, 10, 10**6))
        known.totals[role] = paid
        key = KEYS[known.machine.alice if role is Role.ALICE else known.machine.bob]
        statement = Statement(identity, Wei(paid))  # type: ignore[arg-type]
        return Wei(paid), sign(statement_digest(self.arena.world.vpm.domain, statement), key)

    def old_statement(self, identity: InstanceId, role: Role) -> tuple[int, Signature]:
        """Some lower total that the role signed, or could have."""
        known = self.machines[identity]
        paid = self.rng.randint(0, known.totals[role])
        key = KEYS[known.machine.alice if role is Role.ALICE else known.machine.bob]
        statement = Statement(identity, Wei(paid))  # type: ignore[arg-type]
        return paid, sign(statement_digest(self.arena.world.vpm.domain, statement), key)

    def submission(self, identity: InstanceId) -> tuple[Machine, Wei, Signature, Wei, Signature]:
        """Arguments of `submitStatements`: mostly good."""
        rng, machine = self.rng, self.machines[identity].machine
        by_alice = self.sign_statement(identity, Role.ALICE) if rng.random() < 0.7 else (0, NOTHING)
        by_bob = self.sign_statement(identity, Role.BOB) if rng.random() < 0.6 else (0, NOTHING)
        if rng.random() < 0.1:
            by_alice, by_bob = by_bob, by_alice
        if rng.random() < 0.15:
            by_alice = self.old_statement(identity, Role.ALICE)
        if rng.random() < 0.15:
            by_bob = self.old_statement(identity, Role.BOB)
        if rng.random() < 0.05:
            by_alice = (2**111 + rng.randint(0, 5), by_alice[1])
        if rng.random() < 0.05:
            machine = msgspec.structs.replace(
                machine, validity=UnixTime(2**34 - 1 - rng.randint(0, 3))
            )
            self.machines.setdefault(
                InstanceId(machine_id(self.arena.world.vpm.domain, machine)), KnownMachine(machine)
            )
        return machine, Wei(by_alice[0]), by_alice[1], Wei(by_bob[0]), by_bob[1]

    def evidence(self, nano: Nano) -> bytes:
        """Something for `nano.app.submit`: good where we can, cut short now and then, or noise."""
        rng, at = self.rng, self.arena.stage.addresses
        piece = rng.randbytes(rng.randint(0, 40))
        if nano.app == at["VPM"] and nano.id in self.machines:
            arguments = self.submission(nano.id)
            if arguments[1] < 2**111:
                piece = statements_evidence(*arguments)
        if nano.app == at["HashTimeLock"] and nano.id in self.locks:
            piece = reveal_evidence(*self.locks[nano.id])
        if rng.random() < 0.1:
            piece = piece[: rng.randint(0, min(len(piece), 191))]
        return piece

    # -------------------------------------------------------------------------------- strangers

    def most_paid(self, role: Role, nano: Nano) -> int:
        """Most that `role` of a channel can be said to have signed away in `nano`, for P3."""
        at = self.arena.stage.addresses
        end = role if not nano.swapped else (Role.BOB if role is Role.ALICE else Role.ALICE)
        if nano.app == at["VPM"] and nano.id in self.machines:
            return self.machines[nano.id].totals[end]
        if nano.app == at["HashTimeLock"] and nano.id in self.locks:
            lock = self.locks[nano.id][0]
            payer = Role.BOB if lock.bob_pays else Role.ALICE
            return lock.amount if end is payer else 0
        return role.lock(nano)

    def liar_speaks(self) -> None:
        """A nanocontract changes its answer, on the chain and in the model."""
        arena, rng = self.arena, self.rng
        name = rng.choice(
            ("LiarNanocontract", "ThriftyNanocontract", "ReenteringNanocontract", "RawNanocontract")
        )
        app = arena.world.host.apps[arena.stage.addresses[name]]
        if isinstance(app, LiarApp):
            identity = rng.choice((b"\1", b"\2", b"\3")) * 32
            done, shift = rng.random() < 0.6, rng.randint(-30, 30)
            app.answers[identity] = (done, shift)
            arena.switch(name, "set", identity, done, shift)
        elif isinstance(app, RawApp):
            data = absurd_answer(rng)
            failing = rng.random() < 0.2
            app.data = None if failing else data
            arena.switch(name, "set", data, failing)


def absurd_answer(rng: Random) -> bytes:
    """Return data of an `outcome` that means nothing, or only just something."""
    word = rng.choice((0, 1, 1, 2, 2**256 - 1, 2**255))
    shift = rng.choice(
        (0, 5, -5, 2**111 - 1, -(2**111), 2**111, -(2**111) - 1, 2**112 - 1, 2**255 - 1)
    )
    data = word.to_bytes(32, "big") + shift.to_bytes(32, "big", signed=True)
    return data[: rng.choice((0, 31, 32, 63, 64, 64, 64))] + bytes(rng.choice((0, 0, 1, 32)))
