"""What users ask of the program above their nodes, again and again, and what must come of it.

A wish has a key: under it something is paid once or not at all, whatever fails on the way. What is
stored is looked at as it is written; both sides' books are held together when all is quiet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from perun.app.methods import MakeRequest, Params, Pay, Refund
from perun.app.rows import Income, Payment, RequestState, Step
from perun.app.shelf import Shelf
from perun.app.work import Ask
from perun.core.books import Row
from perun.core.state import LegStatus
from perun.encoding.addresses import show_node_id
from perun.encoding.links import parse_link
from perun.encoding.messages import Note, Noted, Over, encode
from perun.encoding.records import Extra
from perun.errors import Misuse
from perun.ports import Store
from perun.types import MachineId, Signature, Wei
from tests.games.simulation.actor import Actor
from tests.games.simulation.theatre import Theatre
from tests.games.simulation.violated import Violated

_SIGNED = (Step.SIGNED, Step.DELIVERED, Step.DONE)
_QUIET_ROUNDS = 8
"""Blocks in which everything that waits is said again and answered."""

_DERIVED = (
    *("by_key", "by_id", "by_request", "in_machine", "undelivered", "to_find", "requests"),
    *("openings", "waiting", "spoken", "given_back", "got_back"),
)
"""What the program above keeps in memory and must get back from its rows."""

R = TypeVar("R", Payment, Income)
Segment = tuple[bytes, int, int, bytes]
"""Machine, first, last, and the payment's name."""


class Wishes:
    """All users' wishes, with the checks of what comes of them."""

    def __init__(self, world: Theatre) -> None:
        self.world = world
        self.made: list[tuple[Actor, str, Pay | Refund]] = []
        self.links: list[str] = []
        self.wanted = {actor.name: 0 for actor in world.actors}
        """What somebody has wished to pay away, all wishes once."""
        self._paid: dict[tuple[str, str], Segment] = {}
        self._credited: dict[tuple[str, bytes, bytes], tuple[bytes, int, int]] = {}
        for actor in world.actors:
            actor.store.watch = lambda rows, actor=actor: self._written(actor, rows)

    def _actor(self, number: int) -> Actor:
        return self.world.actors[number % 3]

    # ------------------------------------------------------------------------------------- moves

    def wish(self, who: int, whom: int, amount: int, _: int) -> bool:
        """Pay somebody."""
        payer = self._actor(who)
        payee = self._actor(who + 1 + whom % 2)
        wei = 400 if amount % 16 == 0 else 1 + amount % 60
        pay = Pay(idempotency_key=self._key(), to=show_node_id(payee.peer), amount=str(wei))
        return self._make(payer, "pay", pay, wei)

    def again(self, which: int, *_: int) -> bool:
        """The same wish: its user has heard nothing, or does not remember."""
        return bool(self.made) and self._ask(*self.made[which % len(self.made)])

    def request(self, who: int, amount: int, life: int, _: int) -> bool:
        """Ask for money."""
        wei, seconds = amount % 3 * 17, (60, 600, 3_600)[life % 3]
        make = MakeRequest(amount=str(wei), seconds=seconds)
        return self._ask(self._actor(who), "request", make)

    def pay_link(self, who: int, which: int, amount: int, both: int) -> bool:
        """Pay what somebody has asked for, or what was paid already; two at once, now and then."""
        if not self.links:
            return False
        link = self.links[-1 - which % min(2, len(self.links))]
        request = parse_link(link).request
        assert request is not None
        wei = int(request.amount) or 1 + amount % 30
        named = None if request.amount else str(wei)
        payers = [self._actor(who), self._actor(who + 1), self._actor(who + 2)]
        if which % 8:
            payers = [actor for actor in payers if actor.peer != request.payee]
        for payer in payers[: 1 + both % 2]:
            pay = Pay(idempotency_key=self._key(), to=link, amount=named)
            self._make(payer, "pay", pay, wei)
        return True

    def refund(self, who: int, which: int, *_: int) -> bool:
        """Give back what somebody has paid."""
        payee = self._actor(who)
        incomes = [row for row in _rows(payee.store, Income) if row.payer != payee.peer]
        if not incomes:
            return False
        income = incomes[-1 - which % min(2, len(incomes))]
        refund = Refund(idempotency_key=self._key(), payment="0x" + income.id.hex())
        return self._make(payee, "refund", refund, income.last - income.first)

    def lie(self, who: int, which: int, first: int, size: int) -> bool:
        """A crook speaks of its payments as it likes."""
        if not self.world.crooks or self.world.lines is None:
            return False
        crook = self.world.crooks[who % len(self.world.crooks)]
        found = [
            one for one in crook.instances() if one.machine is not None and one.role is not None
        ]
        if not found:
            return False
        one = found[which % len(found)]
        machine, at = MachineId(one.id), Wei(first % 200)
        known = sorted({name for _, _, name in self._credited}) or [bytes(32)]
        name = known[which % len(known)] if size % 2 else bytes(crook.random())
        last = Wei(at + 1 + size % 90)
        words: Note | Noted = Note(machine, at, last, name)
        if size % 5 == 0:
            words = Noted(machine, last, self.world.now(), Signature(bytes(65)), "")
        frame = encode(words)
        self.world.network.deliver(
            crook.peer, one.end, (encode(Over(one.via, frame)) if one.via else frame,)
        )
        return True

    # -------------------------------------------------------------------------------------- asking

    def _key(self) -> str:
        return f"wish {len(self.made)}"

    def _make(self, actor: Actor, method: str, params: Pay | Refund, wei: int) -> bool:
        self.made.append((actor, method, params))
        self.wanted[actor.name] += wei
        return self._ask(actor, method, params)

    def _ask(self, actor: Actor, method: str, params: Params) -> bool:
        if self.world.lines is None:
            return False
        said: list[Any] = []

        def reply(answer: Any) -> None:
            said.append(answer)
            if len(said) > 1:
                raise Violated("K5: answered twice", name=actor.name, said=said)
            if isinstance(answer, Exception) and not isinstance(answer, Misuse):
                raise Violated("K5: a refusal that is no word to the user", error=answer)
            word = "refused" if isinstance(answer, Misuse) else getattr(answer, "step", "answered")
            self.world.seen[f"wish: {method} {word}"] += 1
            if isinstance(params, MakeRequest) and word == "answered":
                self.links.append(answer.uri)

        actor.node.ask(Ask(method, params, reply))
        actor.turn()
        return True

    # --------------------------------------------------------------------------- what is written

    def _written(self, actor: Actor, rows: Iterable[Row]) -> None:
        if not actor.honest:
            return
        for row in rows:
            if isinstance(row, Payment) and row.step in _SIGNED:
                self._signed(actor, row)
            elif isinstance(row, Income):
                self._counted(actor, row)

    def _signed(self, actor: Actor, row: Payment) -> None:
        """K1: a wish is one part of one machine's total, for good."""
        segment = (bytes(row.machine), int(row.first), int(row.last), row.id)
        before = self._paid.setdefault((actor.name, row.key), segment)
        assert actor.witness is not None
        if before != segment and not actor.witness.unmarked:
            raise Violated("K1: paid twice under one key", key=row.key, one=before, two=segment)
        if row.last - row.first != row.amount:
            raise Violated("K1: another amount than wished", row=row)

    def _counted(self, actor: Actor, row: Income) -> None:
        """K2: a payment of somebody's is credited once."""
        segment = (bytes(row.machine), int(row.first), int(row.last))
        place = (actor.name, row.payer, row.id)
        honest = self.world.by_peer(row.payer).honest
        if self._credited.setdefault(place, segment) != segment and honest:
            raise Violated("K2: credited twice", one=self._credited[place], two=segment)

    # --------------------------------------------------------------------------------- every step

    def after_step(self) -> None:
        """K4: nobody pays more than was wished; memory is what a restart would bring back."""
        if self.world.lines is None:
            return
        for actor in self.world.honest:
            assert actor.witness is not None
            if actor.copied_at is not None and not actor.store.exit_only:
                continue  # it has forgotten wishes, and that it has
            paid, wanted = sum(actor.witness.sent_totals.values()), self.wanted[actor.name]
            if paid > wanted + actor.witness.paid_by_hand:
                raise Violated(
                    "K4: more is paid than was wished", paid=paid, wanted=wanted, name=actor.name
                )
            lost = _lost(actor)
            if lost:
                raise Violated("P8: the program above remembers what is on no disk", fields=lost)

    # ---------------------------------------------------------------------------------- at the end

    def settle(self) -> None:
        """Accidents end, and everybody has time to say again what was not answered."""
        world = self.world
        if world.lines is None:
            return
        world.calm_down()
        for round in range(_QUIET_ROUNDS):
            if round % 4 == 0:
                world.meet_all()
            world.talk()
            world.step_time()
            world.talk()
        for payer in world.honest:
            for payee in world.honest:
                if payer is not payee:
                    self._agree(payer, payee)
            self._paid_once(payer)

    def _agree(self, payer: Actor, payee: Actor) -> None:
        """K3: both say the same of every payment between them."""
        incomes = {
            (bytes(row.machine), int(row.last)): row
            for row in _rows(payee.store, Income)
            if row.payer == payer.peer
        }
        stale = {actor.copied_at for actor in (payer, payee)} != {None}
        known = set()
        for row in _rows(payer.store, Payment):
            if row.payee != payee.peer or row.step not in _SIGNED:
                continue
            place = (bytes(row.machine), int(row.last))
            known.add(place)
            income = incomes.get(place)
            answered = row.step is Step.DONE and not row.why
            # A copy that does not know what it has paid says the same total for something else: it
            # gives nothing twice, and nobody tells its user that it is paid.
            repeats = stale and not answered
            differ = income is not None and (income.id, income.first) != (row.id, row.first)
            if differ and not repeats:
                raise Violated("K3: two books of one payment", payer=row, payee=income)
            if income is None and answered and not stale:
                raise Violated("K3: done, and the payee knows nothing of it", row=row)
            if not answered and not row.why and not stale and self._alive(payer, payee, row):
                raise Violated("K3: never answered", row=row, income=income)
            self.world.seen["K3: payments in both books"] += answered
        if not stale and (unknown := incomes.keys() - known):
            raise Violated("K3: incomes that nobody has paid", unknown=unknown)

    def _alive(self, payer: Actor, payee: Actor, row: Payment) -> bool:
        """Whether nothing stands in the way of an answer."""
        for actor in (payer, payee):
            instance = actor.node.books.instances.get(row.machine)
            if instance is None or instance.machine is None or actor.node.books.exit_only:
                return False
            view = actor.node.books.channels[instance.legs[0].channel]
            late = self.world.chain.now > instance.machine.validity - 2 * self.world.limits.margin
            gone = view.head.dispute is not None or view.head.ended or view.leaving
            if instance.legs[0].status is not LegStatus.LISTED or gone or late or instance.head:
                return False
        return True

    def _paid_once(self, actor: Actor) -> None:
        """A request is paid by one payment, and a refund gives back no more than came."""
        requests = [row.request for row in _rows(actor.store, Income) if row.request]
        if len(set(requests)) != len(requests):
            raise Violated("K3: a request that is paid twice", name=actor.name)
        self.world.seen["K3: requests that are paid"] += len(requests)
        assert actor.app is not None
        for request in actor.app.shelf.requests.values():
            if (request.state is RequestState.PAID) is not (request.id in requests):
                raise Violated("K3: a request and its income differ", request=request)
        back: dict[tuple[bytes, bytes], int] = {}
        for row in _rows(actor.store, Payment):
            if row.refunds and row.step in _SIGNED:
                place = (row.payee, row.refunds)
                back[place] = back.get(place, 0) + row.amount
        came: dict[tuple[bytes, bytes], int] = {}
        for income in _rows(actor.store, Income):
            # A crook may give several of its payments one name.
            place = (income.payer, income.id)
            came[place] = came.get(place, 0) + income.last - income.first
        for place, amount in back.items():
            if place in came and amount > came[place]:
                raise Violated("K3: more is given back than came", back=amount, came=came[place])


def _lost(actor: Actor) -> list[str]:
    """Fields that differ from what the store would bring back."""
    assert actor.app is not None
    again = Shelf()
    for row in actor.store.records():
        if isinstance(row, Extra):
            again.put(row)
    again.begin(actor.store)
    now = actor.app.shelf
    return [name for name in _DERIVED if _full(getattr(again, name)) != _full(getattr(now, name))]


def _full(index: dict[Any, Any]) -> dict[Any, Any]:
    """Without the places where nothing is, or as much was given back as taken."""
    return {
        key: value for key, value in index.items() if value or not isinstance(value, int | dict)
    }


def _rows(store: Store, kind: type[R]) -> list[R]:
    return store.numbered(kind, 0, 100_000)


__all__ = ["Wishes"]
