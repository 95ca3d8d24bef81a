"""One game: a channel's life, a cheat, an answer, and the money; all behind nodes that bend.

Everything follows from the seed. Alice lives honestly until she registers an old state, or submits
an old total, and is never seen again. Bob, or his tower, must answer before the deadline, or have
said within moments that he is blind; and in the end he must have every wei.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from perun.bindings import ms_contract_calls, vpm
from perun.chain.journal import MemoryJournal
from perun.chain.reports import Blind, SeesAgain
from perun.core.books import Row
from perun.core.effects import Settle, Submit
from perun.core.inputs import CommandPay, CommandTransfer
from perun.core.signing import digest
from perun.core.state import SignedState
from perun.crypto.signatures import sign
from perun.demo.wheels import StoryFailed
from perun.errors import ChainFault
from perun.node.backup import config_of
from perun.node.exit import Exit, only_leaving
from perun.node.export import write_export
from perun.node.profile import read_profile
from perun.node.solitary import Solitary
from perun.node.watchtower import Watchtower
from perun.store import SqliteStore
from perun.testing.bent.catalogue import CATALOGUE
from perun.testing.bent.double import Kind, Server
from perun.types import MachineId, Signature, State, Statement, Version, Wei
from perun.wallet import KeyAccount
from tests.games.storm.cargo import Cargo
from tests.games.storm.sea import BLOCK, HOPELESS, Sea, loud
from tests.support.scene import ETHER, KEYS

__all__ = ["Tally", "Violated", "Voyage"]

_CLEAR = 20
"""Blocks before a deadline in which no quirk blinds: nobody can answer who is blind to the end."""

_SEEN = 8
"""Blocks after which an old registration is answered, or blindness told."""

_ENOUGH = 40
"""Games: the rarest quirk bends something in one of six in which a node has it."""

_BLINDNESS = tuple(kind for kind in CATALOGUE if kind.blinds)
_STANDING = tuple(kind for kind in CATALOGUE if not kind.blinds and kind.stands)
_ANY = tuple(kind for kind in CATALOGUE if not kind.blinds)


_BLIND_TOGETHER = (
    ({"no calls"}, {"no logs", "some logs missing", "a broken index", "logs of another block"}),
    ({"old state pruned"}, {"all nodes a little behind"}),
)
"""One of these and one of those, as long as they stay."""


class Violated(AssertionError):
    """Something that must hold did not."""


@dataclass
class Tally:
    """What games came to."""

    games: int = 0
    met: Counter[str] = field(default_factory=Counter)
    """Answers changed, by quirk."""
    had: Counter[str] = field(default_factory=Counter)
    """Games in which somebody's node had it."""
    seen: Counter[str] = field(default_factory=Counter)
    missing: int = 0
    """Wei."""

    def add(self, voyage: Voyage) -> None:
        """One more."""
        self.games += 1
        for bent in voyage.sea.bent.values():
            self.met += bent.met
        self.had.update(voyage.had)
        self.seen += voyage.seen
        self.missing += voyage.missing

    def never(self, kinds: tuple[Kind, ...]) -> list[str]:
        """Which of these have bent nothing, in however many games."""
        return [kind.name for kind in kinds if not self.met[kind.name]]

    def missed(self, kinds: tuple[Kind, ...]) -> list[str]:
        """… and had so many games for it that this is no luck."""
        return [name for name in self.never(kinds) if self.had[name] >= _ENOUGH]


class Voyage:
    """A game of one seed."""

    def __init__(
        self,
        seed: int,
        folder: Path,
        server: Server,
        *,
        only: tuple[Kind, ...] | None = None,
    ) -> None:
        """Nothing happens yet.

        Args:
            only: these quirks and no others.
        """
        self.seed = seed
        self.rng = Random(seed)
        self.seen: Counter[str] = Counter()
        self.script: list[str] = []
        """What happened, block by block: who got and lost which quirk."""
        self.missing = 0
        self.had: set[str] = set()
        """Names of all quirks that somebody's node had for a while."""
        self._only = only
        self.mode = self.rng.choice(("node", "node", "node", "tower", "exit"))
        self.tag = self.rng.random() < 0.3
        self.sea = Sea(folder, server, self.rng, tag=self.tag)
        self._store: SqliteStore | None = None
        self._tower: Watchtower | None = None
        self._tower_heard: list[object] = []
        self._tower_faults: list[ChainFault] = []

    def _note(self, text: str) -> None:
        self.script.append(f"block {self.sea.chain.head.number}: {text}")

    def close(self) -> None:
        """Lets stores go."""
        for party in self.sea.cast:
            if party.alive:
                party.cut_power()
        if self._store is not None:
            self._store.close()
            self._store = None

    # ----------------------------------------------------------------------------------- weather

    def _draw(self, kinds: tuple[Kind, ...], most: int) -> list[Kind]:
        fitting = tuple(kind for kind in kinds if self._only is None or kind in self._only)
        count = min(len(fitting), self.rng.randint(0 if self._only is None else 1, most))
        return self.rng.sample(fitting, count)

    def _take(self, name: str, kinds: list[Kind]) -> None:
        for kind in kinds:
            has = {*self.sea.bent[name].quirks, kind.name}
            if any(has & one and has & other for one, other in _BLIND_TOGETHER):
                continue
            self.sea.bent[name].take(kind, self.rng)
            self.had.add(kind.name)
            self._note(f"{name} gets '{kind.name}'")

    def _drop(self, name: str, kinds: list[Kind]) -> None:
        for kind in kinds:
            self.sea.bent[name].drop(kind.name)
            self._note(f"{name} is rid of '{kind.name}'")

    def _clear(self, name: str) -> None:
        for quirk in self.sea.bent[name].quirks:
            self.sea.bent[name].drop(quirk)
        self._note(f"{name} has an honest node")

    # -------------------------------------------------------------------------------------- life

    def play(self) -> None:
        """To the end.

        Raises:
            Violated: an old registration went unanswered in silence, or money is missing.
        """
        sea = self.sea
        self.cargo = Cargo(sea, self.rng)
        self.alice = sea.enter("alice", self.cargo.alice_policy())
        self.bob = sea.sailor("bob")
        self.start = sea.chain.evm.balance(self.bob.address)
        fit = tuple(k for k in _STANDING if not (self.tag and k.name in _NOTHING_FINAL))
        self._take("bob", self._draw(fit, 3))
        try:
            self._live()
        except StoryFailed as error:
            raise Violated(f"life stands still: {error}") from error
        self._cheat()
        self._storm()
        self._end()

    def _live(self) -> None:
        self.channel = self.sea.open(self.alice, self.bob)
        self.states: list[SignedState] = []
        self.balance = 0
        self.machine: MachineId | None = None
        self.received = self.paid = 0
        for _ in range(self.rng.randint(2, 4)):
            self._transfer(Wei(self.rng.randint(1, ETHER // 10)))
        if self.rng.random() < 0.6:
            self.machine = self.sea.machine(self.alice, self.channel)
            for _ in range(self.rng.randint(1, 5)):
                self._pay(Wei(self.rng.randint(ETHER // 1000, ETHER // 20)))
            self._transfer(Wei(1))
        self.cargo.load(self.alice, self.bob, self.channel)
        agreed = self._agreed()
        if agreed is not None and agreed not in self.states:
            self.states.append(agreed)

    def _agreed(self) -> SignedState | None:
        return self.bob.channel(self.channel).agreed

    def _transfer(self, amount: Wei) -> None:
        before = self._agreed()
        for _ in range(60):
            self.alice.do(CommandTransfer(self.channel, amount))
            self.sea.settle()
            agreed = self._agreed()
            if agreed is not None and agreed != before:
                self.states.append(agreed)
                self.balance += amount
                return
            self.sea.block()
            if self._agreed() != before:
                raise Violated("a transfer that was refused has been made")
        raise Violated("no transfer in 60 blocks")

    def _pay(self, amount: Wei) -> None:
        assert self.machine is not None
        before = self._received()
        self.alice.do(CommandPay(self.machine, amount))
        self.sea.settle()
        self.received += self._received() - before
        self.sea.block()

    def _received(self) -> int:
        assert self.machine is not None
        totals = self.bob.books.totals.get(self.machine)
        return 0 if totals is None else totals.received

    # ------------------------------------------------------------------------------------- cheat

    def _cheat(self) -> None:
        """Alice shows what is better for her, by a node of her own."""
        sea, deployment = self.sea, self.sea.deployment
        self.alice.cut_power()
        sea.cast.remove(self.alice)
        self.cargo.reveal(self.bob)
        self._begin_watch()
        old = self.rng.choice([None, *self.states[:-1]])
        terms = self.bob.channel(self.channel).channel
        contract = deployment.contract.contract
        if old is None:
            nothing, none = State(self.channel, Version(0), Wei(0)), Signature(b"")
            call = ms_contract_calls.register(contract, terms, nothing, none, none)
        else:
            hashed = digest(deployment, old.state)
            pair = [sign(hashed, KEYS[name]) for name in ("alice", "bob")]
            call = ms_contract_calls.register(contract, terms, old.state, *pair)
        sea.by_hand(KEYS["alice"], call)
        if self.machine is not None and self.rng.random() < 0.5:
            machine = self.bob.books.instances[self.machine].machine
            low = Statement(self.machine, Wei(1))
            signed = sign(digest(deployment, low), KEYS["alice"])
            sea.by_hand(
                KEYS["alice"],
                vpm.submit_statements(
                    deployment.vpm.contract, machine, low.paid, signed, Wei(0), Signature(b"")
                ),
            )
            self.seen["old totals submitted"] += 1
        self.seen["old states registered"] += 1
        self._note(f"alice registers version {0 if old is None else old.state.version}")

    def _begin_watch(self) -> None:
        """Bob's node, or in its place a tower or an exit."""
        self.seen[f"watched by: {self.mode}"] += 1
        self.name = "bob"
        self.solitary: Solitary | None = None
        if self.mode == "node":
            return
        books = self.bob.books
        rows: list[Row] = [*books.channels.values(), *books.instances.values()]
        rows += books.totals.values()
        profile = self.bob.profile
        self.bob.cut_power()
        if self.mode == "tower":
            self.name = "tower"
            path = self.sea.folder / "export"
            write_export(path, profile, rows)
            self._tower = Watchtower(
                path,
                self.sea.connect("tower"),
                KeyAccount(KEYS["tower"]),
                report=self._tower_heard.append,
            )
            self.sea.count_for(self._tower._solitary.chain)
        else:
            self._begin_exit()

    def _begin_exit(self) -> None:
        self._store = SqliteStore(self.bob.path)
        profile = read_profile(self._store)
        self.solitary = Solitary(
            config_of(profile),
            self._store,
            self.sea.connect("bob"),
            KeyAccount(self.bob.key),
            allowed=only_leaving,
            journal=MemoryJournal(),
            report=self._tower_heard.append,
        )
        self.sea.count_for(self.solitary.chain)
        self.leaving = Exit(self.solitary, profile.account)

    # ------------------------------------------------------------------------------------- storm

    def _storm(self) -> None:
        """Until the deadline is over: quirks come and go; nobody may be silent."""
        sea, rng = self.sea, self.rng
        sea.bent.setdefault(self.name, sea.bent["bob"])
        self._clear(self.name)
        # Each in turn has a game for sure.
        turn = [_ANY[self.seed % len(_ANY)]] if self._only is None else []
        self._take(self.name, list(dict.fromkeys([*turn, *self._draw(_ANY, 3)])))
        blocks = int(self._challenge()) // BLOCK
        spell_from = rng.choice((0, 0, 0, 1, 2))
        spell = self._spell() if rng.random() < 0.7 or self._only else []
        spell_to = rng.randint(spell_from + 4, blocks - _CLEAR)
        self._since = len(self._heard())
        self._told_blind = False
        self._unanswered = 0
        for number in range(blocks + 1):
            if number == spell_from:
                self._take(self.name, spell)
            if number == spell_to and spell:
                self._drop(self.name, spell)
                spell = []
            self._events(number, blocks)
            sea.block()
            self._look_solitary()
            if self._answered():
                break
            self._check_silence()
        if spell:
            self._drop(self.name, spell)
        if not self._answered():
            raise Violated(f"version {self._disputed()} stands at its deadline")
        self.seen["disputes answered"] += 1
        self.seen["blind spells told"] += self._told_blind

    def _spell(self) -> list[Kind]:
        """What blinds in this game: each has its turn."""
        if self._only is not None:
            return self._draw(_BLINDNESS, 1)
        return [_BLINDNESS[self.seed % len(_BLINDNESS)]]

    def _events(self, number: int, blocks: int) -> None:
        rng = self.rng
        if number % 10 == 1:
            self._ask_in_vain()
        if rng.random() < 0.05 and number > 3:
            self.sea.chain.reorganise(rng.randint(1, 2))
            self.seen["reorganisations"] += 1
            self._note("the newest blocks are taken back")
        if rng.random() < 0.05 and self.mode == "node":
            self.bob.cut_power()
            self.sea.switch_on(self.bob)
            self._since = self._unanswered = 0
            self.seen["restarts"] += 1
            self._note("bob starts again")
        clock = self.bob.around.clock
        clock.wrong_by = rng.choice((86_400, -86_400, 3_600)) if rng.random() < 0.05 else 0  # type: ignore[attr-defined]
        if rng.random() < 0.1 and number < blocks - _CLEAR:
            names = self.sea.bent[self.name].quirks
            if names and rng.random() < 0.5:
                name = rng.choice(names)
                if not any(kind.name == name for kind in _BLINDNESS):
                    self.sea.bent[self.name].drop(name)
                    self._note(f"{self.name} is rid of '{name}'")
            else:
                self._take(self.name, self._draw(_ANY, 1))

    def _ask_in_vain(self) -> None:
        """A settlement before the deadline: the contract refuses it, in words that a node bends."""
        solitary = self.solitary if self._tower is None else self._tower._solitary
        chain = self.bob.chain if solitary is None else solitary.chain
        view = self.bob.channel(self.channel)
        settle = Settle(view.channel, self.channel, Wei(0), ())
        chain.submit(Submit(HOPELESS, settle))

    def _look_solitary(self) -> None:
        for _ in range(2):
            try:
                if self._tower is not None:
                    self._tower.round()
                elif self.mode == "exit":
                    self.leaving.go()
            except ChainFault as fault:
                self._tower_faults.append(fault)

    def _heard(self) -> list[object]:
        """What was said to whoever listens, in this life."""
        return list(self.bob.reports) if self.mode == "node" else self._tower_heard

    def _check_silence(self) -> None:
        """After a few blocks: answered, on its way, or told."""
        heard = self._heard()
        sights = [said for said in heard if isinstance(said, (Blind, SeesAgain))]
        blind = bool(sights) and isinstance(sights[-1], Blind)
        self._told_blind = self._told_blind or blind
        self._unanswered = 0 if blind else self._unanswered + 1
        patience = _SEEN + self.sea.limits.freshness // BLOCK
        if self._unanswered > patience and not loud(heard[self._since :]):
            raise Violated(f"nothing was said of version {self._disputed()} in {patience} blocks")

    # -------------------------------------------------------------------------------------- money

    def _challenge(self) -> int:
        return self.bob.channel(self.channel).channel.challenge

    def _disputed(self) -> int:
        lane = self.sea.endpoint()
        query = ms_contract_calls.dispute(
            self.sea.deployment.contract.contract,
            self.bob.channel(self.channel).channel.asset,
            self.channel,
        )
        return int(lane.ask(query, self.sea.chain.head.number).version)

    def _answered(self) -> bool:
        return self._disputed() >= self.states[-1].state.version

    def _end(self) -> None:
        """Bob gets his money, under whatever lets life go on; then it is counted."""
        sea = self.sea
        fit = tuple(k for k in _STANDING if not (self.tag and k.name in _NOTHING_FINAL))
        if self._tower is not None:
            self._tower = None
            self.mode = "node"
            sea.switch_on(self.bob)
        self._clear("bob")
        self._take("bob", self._draw(fit, 3))
        for number in range(400):
            if number == 200:
                self._clear("bob")
            sea.block(at=sea.later(55))
            self._look_solitary()
            if self._holdings() == 0 and number > 5:
                break
        sea.block(5)
        self._look_solitary()
        expected = self.start + self.balance + self.received + self.cargo.worth
        actual = sea.chain.evm.balance(self.bob.address)
        self.seen.update(self.cargo.loaded)
        self.missing = max(0, expected - actual)
        if self.missing:
            raise Violated(f"{self.missing} wei are missing")

    def _holdings(self) -> int:
        query = ms_contract_calls.holdings(
            self.sea.deployment.contract.contract,
            self.bob.channel(self.channel).channel.asset,
            self.channel,
        )
        found = self.sea.endpoint().ask(query, self.sea.chain.head.number)
        return found.alice + found.bob


_NOTHING_FINAL = {"no final tag", "final block far behind"}
"""Where finality goes by the tag, no deposit ever counts under these."""
