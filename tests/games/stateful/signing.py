"""What happens off chain: channels are agreed on, states proposed and signed, strangers turn."""

from __future__ import annotations

import msgspec

from perun.spec.properties import (
    Role,
)
from perun.types import (
    ETH,
    Address,
    Asset,
    Channel,
    Nano,
    Nonce,
    Seconds,
    State,
    UnixTime,
    Version,
    Wei,
)
from tests.games.stateful.arena import Call
from tests.games.stateful.cast import (
    CROOKS,
    HONEST,
    KEYS,
    SESSIONS,
    BlockingToken,
    FailingToken,
    InflatingToken,
)
from tests.games.stateful.dispute_calls import DisputeCalls
from tests.games.stateful.rooms import Entry, Room
from tests.games.stateful.table import MOST, other_role

INGRID = HONEST[2].address


class Signing(DisputeCalls):
    def _new_room(self) -> None:
        rng, stage = self.rng, self.arena.stage
        lying = Asset(stage.addresses["InflatingToken"])
        asset = rng.choice((ETH, *stage.assets, stage.assets[1], lying))
        honest = rng.choice((frozenset(), {Role.ALICE}, {Role.BOB}, {Role.ALICE, Role.BOB}))
        accounts: dict[Role, Address] = {}
        keys: dict[Role, Address] = {}
        good = rng.sample(range(len(HONEST)), 2)
        for role in Role:
            if role in honest:
                who = good.pop()
                accounts[role] = HONEST[who].address
                keys[role] = rng.choice((HONEST, HONEST, SESSIONS))[who].address
            else:
                accounts[role] = rng.choice(stage.crooks + stage.wallets)
                own_key = accounts[role] in KEYS and rng.random() < 0.8
                keys[role] = accounts[role] if own_key else rng.choice(stage.crooks)
        challenge = rng.choice((0, 1, 10, 10, 30, 60)) if not honest else rng.choice((5, 10, 30))
        if not honest and rng.random() < 0.12:
            challenge = 2**32 - 1
        self._add_room(accounts, keys, asset, challenge, frozenset(honest))

    def _add_room(
        self,
        accounts: dict[Role, Address],
        keys: dict[Role, Address],
        asset: Asset,
        challenge: int,
        honest: frozenset[Role],
    ) -> Room:
        channel = Channel(
            accounts[Role.ALICE],
            accounts[Role.BOB],
            keys[Role.ALICE],
            keys[Role.BOB],
            asset,
            Seconds(challenge),
            Nonce(self.rng.getrandbits(64)),
        )
        identity = self.arena.world.ms_contract.channel_id(channel)
        room = Room(channel, (asset, identity), honest)
        self.rooms.append(room)
        return room

    def _propose(self) -> None:
        """Somebody proposes a state; whoever may and wants to signs it."""
        room, rng = self._room(), self.rng
        state = self._new_state(room)
        if state is None:
            return
        entry = Entry(state)
        for role in Role:
            willing = role in room.honest or rng.random() < 0.85
            if willing and room.may_sign_state(role, state, self.arena.world):
                room.sign_state(entry, role, self.arena.world)
        if room.honest and not room.honest & entry.signatures.keys():
            return
        if len(room.honest) == 2 and not entry.full:
            return  # two honest parties complete what they begin
        entry.shown = entry.full and rng.random() < 0.85
        if len(room.honest) == 1 and entry.full and rng.random() < 0.7:
            entry.shown = True
        room.book.append(entry)

    def _new_state(self, room: Room) -> State | None:
        rng, funds = self.rng, self._funds(room)
        top = max((entry.state.version for entry in room.book), default=0)
        last = room.book[-1].state if room.book else None
        nanos = list(last.nanos) if last else []
        net = last.net if last else 0
        if nanos and rng.random() < 0.4:
            gone = rng.choice(nanos)
            if gone not in room.kept:
                nanos.remove(gone)
        alice = funds.alice - net - sum(nano.alice_lock for nano in nanos)
        bob = funds.bob + net - sum(nano.bob_lock for nano in nanos)
        if rng.random() < 0.6 and alice + bob >= 0:
            change = rng.randint(min(-bob, alice), max(-bob, alice))
            change = max(-MOST - net, min(MOST - net, change))
            net, alice, bob = net + change, alice - change, bob + change
        if rng.random() < 0.7 and len(nanos) < 6:
            keys = (room.channel.alice_key, room.channel.bob_key)
            most = (min(20, max(0, alice)), min(20, max(0, bob)))
            nano = self.things.new_nano(keys, most)
            if (nano.id, nano.app) not in {(other.id, other.app) for other in nanos}:
                nanos.append(nano)
        nanos.sort(key=lambda nano: (nano.id, nano.app))
        version = top + rng.choice((1, 1, 2, 5))
        if not room.honest:
            if rng.random() < 0.2:
                version = rng.randint(0, top + 1)
            if rng.random() < 0.1:
                net += rng.choice((-1, 1)) * rng.randint(0, 10**6)
            if nanos and rng.random() < 0.15:
                nanos.insert(rng.randint(0, len(nanos)), rng.choice(nanos))
            if rng.random() < 0.1:
                nano = self.things.new_nano((CROOKS[0].address, CROOKS[1].address), (0, 0))
                nanos = [nano] * 65
            if len(nanos) > 1 and rng.random() < 0.05:
                side = rng.choice(("alice_lock", "bob_lock"))
                nanos = [msgspec.structs.replace(nano, **{side: MOST}) for nano in nanos]
        if not -MOST <= net <= MOST:
            return None
        return State(room.key[1], Version(version), Wei(net), tuple(nanos))

    def _countersign(self) -> None:
        """A dishonest party signs an old proposal after all, and says so or not."""
        room = self._room()
        for entry in room.book:
            for role in Role:
                if role not in room.honest and role not in entry.signatures:
                    room.sign_state(entry, role, self.arena.world)
                    entry.shown = self.rng.random() < 0.5
                    return

    def _pair_up(self) -> None:
        """Ingrid locks one machine into two channels: neither until both (protocol, section 6)."""
        rng, stage, world = self.rng, self.arena.stage, self.arena.world
        asset = rng.choice((ETH, stage.assets[1]))
        ends = rng.sample(stage.crooks[:-1], 2)
        rooms: list[tuple[Room, Role]] = []
        for end in ends:
            mine = rng.choice(list(Role))
            theirs = other_role(mine)
            accounts = {mine: INGRID, theirs: end}
            room = self._add_room(accounts, accounts, asset, 30, frozenset({mine}))
            rooms.append((room, mine))
            for account in accounts.values():
                value = 20 if asset == ETH else 0
                args = (room.channel, 20, self._later(5))
                call = Call("MSContract", "open", args, account, value)
                if not self.perform(call):
                    return
        _, machine = self.things.new_machine(ends[0], ends[1], (20, 20))
        identity = next(reversed(self.things.machines))
        expiry = UnixTime(machine.validity + machine.challenge)
        entries: list[Entry] = []
        for (room, mine), plays in zip(rooms, Role, strict=True):
            swapped = other_role(mine) is not plays
            locks = (machine.alice_lock, machine.bob_lock)
            nano = Nano(
                stage.addresses["VPM"],
                identity,
                *(locks[::-1] if swapped else locks),
                expiry,
                swapped,
            )
            state = State(room.key[1], Version(2), Wei(0), (nano,))
            if not room.may_sign_state(mine, state, world):
                return
            entries.append(Entry(state, shown=True))
        for (room, _), entry in zip(rooms, entries, strict=True):
            for role in Role:
                room.sign_state(entry, role, world)
            room.book.append(entry)
            room.kept.add(entry.state.nanos[0])
        (first, mine), (second, other) = rooms
        self.pairs.append((first, mine, second, other, identity))

    def _stranger(self) -> None:
        """A token, a payee or a nanocontract changes its ways, on the chain and in the model."""
        rng, arena = self.rng, self.arena
        at, host = arena.stage.addresses, arena.world.host
        what = rng.choice(("liar", "liar", "token", "payee", "hook"))
        on = rng.random() < 0.35
        if what == "liar":
            self.things.liar_speaks()
        elif what == "payee":
            (host.refusing.add if on else host.refusing.discard)(at["RefusingPayee"])
            arena.switch("RefusingPayee", "setRefusing", on)
        elif what == "hook":
            name = rng.choice(("ReenteringToken", "ReenteringPayee", "ReenteringNanocontract"))
            call = rng.choice(self._calls() or [None]) or Call(
                "MSContract", "fund", (ETH, at["Wallet"], 0), at["Wallet"]
            )
            data = arena.stage.codecs[call.contract].call(call.function, call.args)
            if call.contract == "MSContract" and len(data) < 2_000:
                arena.switch(name, "setHook", at["MSContract"], data)
        else:
            name = rng.choice(
                (
                    "FalseToken",
                    "LyingToken",
                    "InflatingToken",
                    "BlockingToken",
                    "GasBurningToken",
                    "BombToken",
                )
            )
            token = host.tokens[at[name]]
            if isinstance(token, BlockingToken):
                who = rng.choice((*arena.stage.people, at["MSContract"]))
                (token.blocked.add if on else token.blocked.discard)(who)
                arena.switch(name, "setBlocked", who, on)
            elif isinstance(token, InflatingToken):
                self._inflate(token, name)
            elif isinstance(token, FailingToken):
                token.failing = on
                arena.switch(name, "setBurning" if name == "GasBurningToken" else "setBooming", on)
            else:
                token.broken = on  # type: ignore[attr-defined]
                arena.switch(name, "setBroken", on)

    def _inflate(self, token: InflatingToken, name: str) -> None:
        """Fill an account's credit in a token that lies, or nearly; then it may pay nobody."""
        rng, arena = self.rng, self.arena
        asset, pot = arena.stage.addresses[name], arena.stage.addresses["MSContract"]
        rooms = [room for room in self.rooms if room.channel.asset == asset] or self.rooms
        account = rng.choice(list(Role)).account(rng.choice(rooms).channel)

        def switch(inflating: bool, frozen: bool, forged: int) -> None:
            token.inflating, token.frozen, token.balances[pot] = inflating, frozen, forged
            arena.switch(name, "setInflating", inflating)
            arena.switch(name, "setFrozen", frozen)
            arena.switch(name, "forge", pot, forged)

        had = token.balance(pot)
        fund = Call("MSContract", "fund", (asset, account, 1), rng.choice(arena.stage.people))
        for _ in range(rng.randint(1, 2)):
            switch(True, False, rng.choice((0, 1, 7)))
            self.perform(fund)
        switch(False, rng.random() < 0.7, had)
