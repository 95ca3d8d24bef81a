"""Everything anybody can think of doing, drawn at random: one `Play` is one game on one arena.

`step` makes one move: signs, deposits, opens a dispute, settles, lies, lets time pass. Calls that
stand ready at the same time may be taken in another order, by another sender, twice, or with too
little gas. Before a dispute's deadline passes, an honest party answers, and somebody tries to get
in before it. After every call model and contract are compared (`Arena.perform`), and P1, P3, P4,
P5, P7, P10 and the chain part of P2 are checked when they apply.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import msgspec

from perun.spec import Funds, Payout, Resolved
from perun.spec.properties import (
    Role,
    Violated,
    balance_security,
    hub_neutrality,
    nothing_unsigned,
)
from perun.types import (
    ETH,
    Address,
    Asset,
    Channel,
    Close,
    InstanceId,
    Nano,
    Nonce,
    Open,
    Seconds,
    Settlement,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)
from tests.stateful.arena import Arena, Call
from tests.stateful.cast import CROOKS, HONEST, KEYS, SESSIONS, BlockingToken, FailingToken
from tests.stateful.instances import NOTHING, Instances
from tests.stateful.rooms import Entry, Offer, Room

INGRID = HONEST[2].address
MOST = 2**111 - 1


class Play:
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

    # -------------------------------------------------------------------------------------- moving

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

    def finish(self) -> None:
        """Let everything end: every honest party gets out, then compare all."""
        for _ in range(6):
            for room in self.rooms:
                if room.key in self.arena.world.ms_contract.disputes:
                    self._settle_now(room)
            self._let_time_pass()
        self.arena.compare_all()

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
        ending = [
            (disputes[room.key].deadline, number)
            for number, room in enumerate(self.rooms)
            if room.key in disputes and not room.ended and not disputes[room.key].settling
        ]
        for deadline, number in sorted(ending):
            room = self.rooms[number]
            dispute = disputes.get(room.key)
            if not dispute or deadline >= to or deadline < self.arena.now:
                continue
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

    # ------------------------------------------------------------------------------ rooms, signing

    def _new_room(self) -> None:
        rng, stage = self.rng, self.arena.stage
        asset = rng.choice((ETH, *stage.assets, stage.assets[1]))
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

    def _room(self) -> Room:
        """A room, mostly a young one."""
        rooms = self.rooms[-6:] if self.rng.random() < 0.8 else self.rooms
        return self.rng.choice(rooms)

    def _funds(self, room: Room) -> Funds:
        return self.arena.world.ms_contract.funds.get(room.key, Funds())

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
            theirs = _other(mine)
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
            swapped = _other(mine) is not plays
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

    # ----------------------------------------------------------------------------------- strangers

    def _stranger(self) -> None:
        """A token, a payee or a nanocontract changes its ways, on the chain and in the model."""
        rng, arena = self.rng, self.arena
        at, ledger = arena.stage.addresses, arena.world.ledger
        what = rng.choice(("liar", "liar", "token", "payee", "hook"))
        on = rng.random() < 0.35
        if what == "liar":
            self.things.liar_speaks()
        elif what == "payee":
            (ledger.refusing.add if on else ledger.refusing.discard)(at["RefusingPayee"])
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
                ("FalseToken", "LyingToken", "BlockingToken", "GasBurningToken", "BombToken")
            )
            token = ledger.tokens[at[name]]
            if isinstance(token, BlockingToken):
                who = rng.choice((*arena.stage.people, at["MSContract"]))
                (token.blocked.add if on else token.blocked.discard)(who)
                arena.switch(name, "setBlocked", who, on)
            elif isinstance(token, FailingToken):
                token.failing = on
                arena.switch(name, "setBurning" if name == "GasBurningToken" else "setBooming", on)
            else:
                token.broken = on  # type: ignore[attr-defined]
                arena.switch(name, "setBroken", on)

    # ----------------------------------------------------------------------------------- calls: in

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

    def _open(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        role = rng.choice(list(Role))
        caller = role.account(room.channel)
        if role in room.honest:
            offers = any(room.live(role, self.arena.now))
            if offers or room.ended or room.key in self.arena.world.ms_contract.disputes:
                return ()
        if rng.random() < 0.08:
            caller = self._outsider(room)
        amount = self._amount()
        value = self._value(room.channel.asset, amount)
        return [Call("MSContract", "open", (room.channel, amount, self._later(9)), caller, value)]

    def _deposit(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        amount = self._amount()
        asset = room.channel.asset
        if rng.random() < 0.05:
            asset = rng.choice(self.arena.stage.assets)  # lost, and harms nobody [B2]
        args = (asset, room.key[1], rng.random() < 0.5, amount, self._later(9))
        caller = rng.choice(self.arena.stage.people)
        return [Call("MSContract", "deposit", args, caller, self._value(asset, amount))]

    def _open_both(self) -> Sequence[Call]:
        room, rng = self._room(), self.rng
        role = rng.choice(list(Role))
        caller, drawn_on = role.account(room.channel), _other(role).account(room.channel)
        if _other(role) in room.honest and (
            any(room.live(_other(role), self.arena.now)) or room.ended
        ):
            return ()
        if role in room.honest and (any(room.live(role, self.arena.now)) or room.ended):
            return ()
        limit = self._later(rng.choice((5, room.channel.challenge, room.channel.challenge + 1)))
        asset = room.channel.asset
        has = self.arena.world.ms_contract.credit(asset, drawn_on)
        drawn = Wei(rng.choice((has, has // 2, min(has, 5), has + 1 if rng.random() < 0.2 else 0)))
        share = Wei(rng.choice((0, 5, 10, 20)))
        if drawn > MOST:
            return ()
        amounts = (share, drawn) if role is Role.ALICE else (drawn, share)
        offer = Open(room.key[1], *amounts, limit)
        signature = room.sign_open(drawn_on, offer, self.arena.world)
        if rng.random() < 0.08:
            signature = spoiled(signature, rng)
        room.opens.append((offer, signature))
        if room.opens and rng.random() < 0.2:
            offer, signature = rng.choice(room.opens)
        if rng.random() < 0.05:
            caller = self._outsider(room)
        args = (room.channel, offer.alice_amount, offer.bob_amount, offer.valid_until, signature)
        share = offer.alice_amount if role is Role.ALICE else offer.bob_amount
        call = Call("MSContract", "openBoth", args, caller, self._value(asset, share))
        return [call, call] if rng.random() < 0.2 else [call]

    def _fund(self) -> Sequence[Call]:
        rng, stage = self.rng, self.arena.stage
        asset = rng.choice((ETH, *stage.assets, self._room().channel.asset))
        party = rng.choice(list(Role)).account(self._room().channel)
        account = rng.choice((*stage.people, party, party, party))
        if rng.random() < 0.04:
            account = Address(bytes(20))
        amount = self._amount()
        args = (asset, account, amount)
        return [
            Call("MSContract", "fund", args, rng.choice(stage.people), self._value(asset, amount))
        ]

    # ---------------------------------------------------------------------------------- calls: out

    def _close(self) -> Sequence[Call]:
        """Make an offer, or use one that was made."""
        room, rng, world = self._room(), self.rng, self.arena.world
        if not room.closes or rng.random() < 0.5:
            newest = room.newest(Role.ALICE)
            net = newest.state.net if newest else Wei(0)
            if rng.random() < 0.15:
                net = Wei(net + rng.randint(-5, 5))
            if not -MOST <= net <= MOST:
                return ()
            limit = self._later(room.channel.challenge)
            offer = Offer(Close(room.key[1], net, limit, rng.choice((0, 0, 1, 2, 3, 252))))
            close = offer.message
            assert isinstance(close, Close)
            willing = [role for role in Role if room.may_sign_close(role, close, world)]
            for role in willing:
                if role in room.honest or rng.random() < 0.85:
                    room.sign_offer(offer, role, world)
            room.closes.append(offer)
        else:
            offer = rng.choice(room.closes)
        close = offer.message
        assert isinstance(close, Close)
        caller, signatures = self._hand_over(room, offer.signatures)
        args = (room.channel, close.net, close.valid_until, close.to_credit, *signatures)
        return [Call("MSContract", "close", args, caller)]

    def _withdraw(self) -> Sequence[Call]:
        room, rng, world = self._room(), self.rng, self.arena.world
        funds = self._funds(room)
        if not room.withdraws or rng.random() < 0.7:
            index = funds.withdrawals + (rng.random() < 0.08)
            total = max(0, min(40, funds.alice + funds.bob))
            amounts = [
                Wei(rng.choice((0, 1, total // 2, total))),
                Wei(rng.choice((0, 0, 1, total // 2))),
            ]
            limit = self._later(max(0, room.channel.challenge))
            offer = Offer(Withdraw(room.key[1], index, amounts[0], amounts[1], limit))
            withdraw = offer.message
            assert isinstance(withdraw, Withdraw)
            willing = [role for role in Role if room.may_sign_withdraw(role, withdraw, world)]
            for role in willing:
                if role in room.honest or rng.random() < 0.9:
                    room.sign_offer(offer, role, world)
            room.withdraws.append(offer)
        else:
            offer = rng.choice(room.withdraws)
        w = offer.message
        assert isinstance(w, Withdraw)
        caller, signatures = self._hand_over(room, offer.signatures)
        args = (room.channel, w.index, w.alice_amount, w.bob_amount, w.valid_until, *signatures)
        return [Call("MSContract", "withdraw", args, caller)]

    def _claim(self) -> Sequence[Call]:
        rng, ms, stage = self.rng, self.arena.world.ms_contract, self.arena.stage
        rich = [key for key, credit in ms.credits.items() if credit]
        if rich and rng.random() < 0.85:
            asset, account = rng.choice(rich)
            has = ms.credit(asset, account)
            amount = rng.choice((has, has // 2, has + 1, 0))
        else:
            asset, account, amount = rng.choice(stage.assets), rng.choice(stage.people), 1
        if account not in (*stage.people, *stage.wallets):
            return ()
        to = rng.choice((account, account, *stage.people, *stage.wallets, *stage.wallets))
        if rng.random() < 0.08:
            to = Address(bytes(20))
        return [Call("MSContract", "claim", (asset, amount, to), account)]

    # ----------------------------------------------------------------------------- calls: disputes

    def _tower(self, room: Room) -> Address:
        return self.rng.choice(self.arena.stage.crooks)

    def _hand_over(
        self, room: Room, signatures: dict[Role, Signature]
    ) -> tuple[Address, list[Signature]]:
        """A sender and the signatures it brings: its own may be left out, all may be spoiled."""
        rng = self.rng
        caller = self._outsider(room)
        given = [signatures.get(role, NOTHING) for role in Role]
        for position, role in enumerate(Role):
            if role in signatures and rng.random() < 0.3:
                caller = rng.choice((role.account(room.channel), room.key_of(role)))
                if rng.random() < 0.7:
                    given[position] = NOTHING
                break
        given = [compact(one, rng) for one in given]
        if rng.random() < 0.08:
            position = rng.randrange(2)
            given[position] = spoiled(given[position], rng)
        if rng.random() < 0.03:
            given.reverse()
        return caller, given

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

    def _dishonest(self, room: Room) -> Address:
        """Somebody dishonest, from a role of the channel if there is one."""
        roles = [role for role in Role if role not in room.honest]
        if not roles:
            return self._outsider(room)
        role = self.rng.choice(roles)
        return self.rng.choice((role.account(room.channel), room.key_of(role)))

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

    # ------------------------------------------------------------------------ calls: nanocontracts

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

    # --------------------------------------------------------------------------- what has happened

    def _follow_log(self) -> None:
        """Read the log as anybody does, to know what `settle` must be given."""
        log = self.arena.world.ledger.log
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


def _other(role: Role) -> Role:
    return Role.BOB if role is Role.ALICE else Role.ALICE


def _resolved(room: Room, instance: bytes) -> Resolved:
    found = [
        answer
        for payout in room.payouts
        for answer in payout.resolved
        if answer.nano.id == instance
    ]
    return found[0]


def compact(signature: Signature, rng: Random) -> Signature:
    """The same signature in another allowed form: v of 0/1, or 64 bytes (EIP-2098)."""
    if len(signature) != 65:
        return signature
    form, odd = rng.randrange(4), signature[64] - 27
    if form == 0:
        return Signature(signature[:64] + bytes([odd]))
    if form == 1:
        s = int.from_bytes(signature[32:64], "big") | odd << 255
        return Signature(signature[:32] + s.to_bytes(32, "big"))
    return signature


def spoiled(signature: Signature, rng: Random) -> Signature:
    """A signature that must not count: high s, wrong length, wrong v, another message, nothing."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    if len(signature) != 65:
        return Signature(rng.randbytes(rng.choice((1, 64, 65, 66))))
    s = int.from_bytes(signature[32:64], "big")
    return Signature(
        rng.choice(
            (
                signature[:32] + (order - s).to_bytes(32, "big") + bytes([55 - signature[64]]),
                signature[:64],
                signature + b"\0",
                signature[:64] + bytes([signature[64] + 2]),
                signature[:64] + b"\x02",
                bytes([signature[0] ^ 1]) + signature[1:],
                bytes(65),
                b"",
            )
        )
    )


def too_large(lock: Any) -> Any:
    """A lock whose amount has 112 bits: no record may hold it, so it is forced into one."""
    copy = msgspec.structs.replace(lock)
    msgspec.structs.force_setattr(copy, "amount", 2**111 + 7)
    return copy
