"""The program above the node: its guest (`perun.node.guest`), and its methods for whoever asks.

Everything happens in the node's thread. Whoever asks is answered once all that the answer rests on
is on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from perun.app import (
    bets,
    boards,
    contacts,
    deals,
    errands,
    flowing,
    following,
    incomes,
    inviting,
    keeping,
    locked,
    locks,
    looking,
    overview,
    paying,
    playing,
    requesting,
    streams,
    telling,
    tending,
    wanting,
)
from perun.app import channels as doing
from perun.app.beside import Beside
from perun.app.errors import NoSuch
from perun.app.eventing import Subscriptions
from perun.app.exposing import exposure
from perun.app.methods import (
    CancelRequest,
    Close,
    GetEvents,
    GetRules,
    MakeRequest,
    Pay,
    Refund,
    Subscribe,
    Unsubscribe,
)
from perun.app.proofs import proofs
from perun.app.rows import KINDS, OwnRequest, Payment, RequestState
from perun.app.settings import KnownToken, Settings
from perun.app.shelf import Shelf
from perun.app.show import show_request
from perun.app.spending import allow
from perun.app.values import Done, Rules
from perun.app.waiting import Waiting
from perun.app.work import Ask, Caller, Reach, Reply, Work
from perun.core.effects import SignItem
from perun.core.faults import NotAllowedNow
from perun.core.inputs import ChainBlock, Connected, Input, Restarted, Tick
from perun.core.notices import (
    InstanceAdded,
    InstanceRefused,
    InstanceRemoved,
    Notice,
    PaymentDelivered,
    PaymentReceived,
    PaymentRefused,
    TicksDelivered,
    TicksReceived,
    VirtualReady,
)
from perun.core.state import PeerId
from perun.encoding.messages import GuestMessage, Note
from perun.encoding.records import Extra
from perun.encoding.requests import PaymentRequest, Receipt
from perun.errors import PerunError
from perun.node.guest import Desk
from perun.types import InstanceId, Salt, Signature, UnixTime

__all__ = ["App"]


def _nowhere(peer: PeerId, host: str, token: bytes = b"", *, stay: bool = True) -> None:
    """Nobody is called: who can be reached is so anyway."""


class App:
    """One node's."""

    kinds: Sequence[type[Extra]] = KINDS

    def __init__(
        self,
        settings: Settings,
        random: Callable[[], Salt],
        reach: Reach = _nowhere,
        version: str = "",
        beside: Beside | None = None,
    ) -> None:
        """Args:
        random: 32 fresh bytes at each call.
        reach: tells the wire where a node is to be found; called after the turn.
        version: of the program, for `status`.
        beside: what runs beside it; nothing if not given.
        """
        self._beside = beside or Beside()
        self._version = version
        self._settings, self._random, self._reach = settings, random, reach
        self.shelf = Shelf()
        self._at: Work | None = None
        self._changed: dict[int, Payment] = {}
        self._waiting = Waiting()
        self._until_signed: dict[bytes, list[Reply]] = {}
        self._subscriptions = Subscriptions()
        self._notes_said = UnixTime(0)
        self._tended: dict[InstanceId, UnixTime] = {}
        self._told = flowing.Told()
        self._handlers = self._all_handlers()

    def call_tokens(self, tokens: tuple[KnownToken, ...]) -> None:
        """From the next turn on these are the tokens that people may call by name."""
        self._settings = replace(self._settings, tokens=tokens)
        if self._at is not None:
            self._at.settings = self._settings

    # -------------------------------------------------------------------------------- for the wire

    def admits(self, peer: PeerId, token: bytes) -> bool:
        """Whether somebody without a channel may talk to us: a contact, or whoever shows the id of
        an open request of ours. May be asked from any thread."""
        request = self.shelf.requests.get(token)
        is_asked = request is not None and request.state is RequestState.OPEN
        return is_asked or peer in self.shelf.names

    # -------------------------------------------------------------------------------- as a guest

    def load(self, row: Extra) -> None:
        """See `Guest`."""
        self.shelf.put(row)

    def asked(self, desk: Desk, item: object) -> None:
        """See `Guest`; the item is an `Ask`."""
        assert isinstance(item, Ask)
        work = self._work(desk)
        following.settle(work)
        try:
            allow(item.caller, item.method)
            self._answer(work, item)
        except PerunError as error:
            refusal = error
            desk.after(lambda: item.reply(refusal))

    def heard(self, desk: Desk, sender: PeerId, via: PeerId, message: GuestMessage) -> None:  # noqa: ARG002
        """See `Guest`."""
        work = self._work(desk)
        if isinstance(message, Note):
            incomes.on_note(work, sender, message)
        else:
            following.on_noted(work, sender, message)

    def noticed(self, desk: Desk, notice: Notice) -> None:
        """See `Guest`."""
        # The frequent ones first.
        work = self._work(desk)
        if type(notice) is PaymentReceived:
            incomes.on_money(work, notice)
        elif type(notice) is PaymentDelivered:
            following.on_delivered(work, notice)
        elif type(notice) is PaymentRefused:
            following.on_not_counted(work, notice)
        elif type(notice) is TicksReceived or type(notice) is TicksDelivered:
            self._told.heard(work, notice.instance)
        else:
            self._noticed_rarely(work, notice)

    def _noticed_rarely(self, work: Work, notice: Notice) -> None:
        following.settle(work)
        if isinstance(notice, InstanceAdded | VirtualReady):
            self._on_machine(work, notice.instance)
        elif isinstance(notice, InstanceRefused):
            paying.on_refused(work, notice)
            locked.on_refused(work, notice)
        elif isinstance(notice, InstanceRemoved):
            self._told.catch_up(work)
            following.on_removed(work, notice)
            errands.go_on(work)
        errands.on_notice(work, notice)
        telling.tell(work, notice)

    def signed(self, desk: Desk, item: SignItem, signature: Signature) -> None:
        """See `Guest`."""
        work, message = self._work(desk), item.message
        if isinstance(message, Receipt):
            incomes.on_receipt_signed(work, message, signature)
        elif isinstance(message, PaymentRequest):
            requesting.on_request_signed(work, message, signature)
            for reply in self._until_signed.pop(message.id, ()):
                self._reply_request(work, message.id, reply)

    def passed(self, desk: Desk, input: Input) -> None:
        """See `Guest`."""
        work = self._work(desk)
        following.settle(work)
        if isinstance(input, Tick):
            paying.tick(work)
            requesting.tick(work)
            self._waiting.tick(work)
            self._subscriptions.tick(work)
            following.show_refused(work)
            following.say_unanswered(work)
            flowing.flow_on(work)
            self._told.catch_up(work)
            if work.now >= self._notes_said + self._settings.repeat:
                self._notes_said = work.now
                following.say_notes(work)
                inviting.say_again(work)
        elif isinstance(input, Connected):
            work.met.add(input.peer)
            following.say_notes(work, input.peer)
            paying.on_met(work, input.peer)
        elif isinstance(input, Restarted):
            incomes.sign_again(work)
            requesting.sign_again(work)
            contacts.reach_all(work)
            self._told.again(work)
        elif isinstance(input, ChainBlock):
            errands.go_on(work)
            tending.tend(work, self._tended)
            playing.hurry(work)
            self._subscriptions.prune(work)
            errands.prune(work)
            keeping.prune(work)
            flowing.prune(work)

    def ended(self, desk: Desk) -> None:
        """See `Guest`."""
        work = self._work(desk)
        following.settle(work)
        if self._changed:
            for row in self._changed.values():
                work.event_of("payment", row)
                self._waiting.changed(work, row)
            self._changed.clear()
        if self._subscriptions.overflows(self.shelf, self._settings):
            self._subscriptions.prune(work)
        if self._subscriptions:
            self._subscriptions.publish(work)

    def _work(self, desk: Desk) -> Work:
        """What its parts share; a node has one desk."""
        if self._at is None:
            self.shelf.begin(desk)
            for instance in desk.books.instances.values():
                if instance.machine is not None and instance.role is not None:
                    self.shelf.machines.setdefault(instance.end, {})[instance.id] = None
            self._at = Work(
                desk,
                self.shelf,
                self._settings,
                self._random,
                self._reach,
                self._changed,
                self._beside.path,
            )
        return self._at

    def _on_machine(self, work: Work, id: InstanceId) -> None:
        instance = work.books.instances.get(id)
        if instance is None or instance.machine is None or instance.role is None:
            return
        self.shelf.machines.setdefault(instance.end, {})[id] = None
        view = work.books.channels[instance.legs[0].channel]
        paying.advance(work, instance.end, view.channel.asset)

    # ----------------------------------------------------------------------------------- answering

    def _answer(self, work: Work, ask: Ask) -> None:
        params: Any = ask.params
        if isinstance(params, Pay):
            row = wanting.pay(work, ask.caller, params)
            self._waiting.add(work, row, params.wait, ask.reply)
        elif isinstance(params, Refund):
            row = wanting.refund(work, ask.caller, params)
            self._waiting.add(work, row, params.wait, ask.reply)
        elif isinstance(params, MakeRequest):
            request = requesting.make(work, params)
            if request.signature:
                self._reply_request(work, request.id, ask.reply)
            else:
                self._until_signed.setdefault(request.id, []).append(ask.reply)
        elif isinstance(params, CancelRequest):
            self._reply_request(work, requesting.cancel(work, params).id, ask.reply)
        elif isinstance(params, GetEvents):
            self._subscriptions.ask(work, params, ask.reply)
        elif isinstance(params, Subscribe):
            self._subscriptions.add(work, ask, params)
        elif isinstance(params, Unsubscribe):
            self._subscriptions.remove(params.subscription)
            work.desk.after(
                lambda: ask.reply(Done(id="0x", state="ended", text="no more events come"))
            )
        else:
            handler = self._handlers.get(ask.method)
            if handler is None:
                raise NoSuch("method", ask.method)
            result = handler(work, ask.caller, params)
            work.desk.after(lambda: ask.reply(result))

    def _reply_request(self, work: Work, id: bytes, reply: Reply) -> None:
        def tell() -> None:
            row: OwnRequest = self.shelf.requests[id]
            reply(show_request(work, row))

        work.desk.after(tell)

    def _close(self, work: Work, caller: Caller, params: Close) -> Done:
        why = self._beside.why_no_close() if work.books.exit_only else None
        if why is not None:
            raise NotAllowedNow("close", why)
        return doing.close(work, caller, params)

    def _rules(self, work: Work, _: GetRules) -> tuple[Rules, ...]:
        return boards.rules(work, None if self._beside.games is None else self._beside.games())

    def _all_handlers(self) -> dict[str, Callable[[Work, Caller, Any], Any]]:
        """Methods that are answered at once, by name."""
        looks: dict[str, Callable[[Work, Any], Any]] = {
            "status": partial(overview.status, version=self._version, unseen=self._beside.unseen),
            "networks": overview.networks,
            "channels": overview.channels,
            "offers": overview.offers,
            "exposure": partial(exposure, watchers=self._beside.watchers),
            "contacts": contacts.listed,
            "addContact": contacts.add,
            "removeContact": contacts.remove,
            "proofs": proofs,
            "payments": looking.payments,
            "payment": looking.payment,
            "requests": looking.requests,
            "games": boards.games,
            "rules": self._rules,
            "deals": deals.deals,
            "bets": bets.bets,
            "streams": streams.streams,
            "locks": locks.locks,
            "answer": doing.answer,
            "towers": lambda _work, _params: self._beside.towers(),
            "backups": lambda _work, _params: self._beside.backups(),
        }
        spends: dict[str, Callable[[Work, Caller, Any], Any]] = {
            "open": doing.open_channel,
            "topUp": doing.top_up,
            "withdraw": doing.withdraw,
            "close": self._close,
            "leave": doing.leave,
            "claim": doing.claim,
            "play": playing.play,
            "move": playing.move,
            "resign": playing.resign,
            "draw": playing.draw,
            "callClock": playing.call_clock,
            "flip": playing.flip,
            "throw": playing.throw,
            "escrow": deals.escrow,
            "bringAward": deals.award,
            "letGo": deals.let_go,
            "bet": bets.offer,
            "bringPrice": bets.bring,
            "stream": streams.open_stream,
            "tick": streams.pay_ticks,
            "runStream": streams.run,
            "stopStream": streams.stop,
            "lock": locks.lock,
            "showSecret": locks.show_secret,
        }
        return spends | {name: _for_anybody(look) for name, look in looks.items()}


def _for_anybody(look: Callable[[Work, Any], Any]) -> Callable[[Work, Caller, Any], Any]:
    return lambda work, _, params: look(work, params)
