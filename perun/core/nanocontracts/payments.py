"""Payments in a machine: one statement each way round, nothing else (protocol, sections 4 and 5).

This is the hot path, so the functions take the books and return a `Step` without a draft between;
each touches one `Totals` row. Both ends run the same code, in a channel of their own or over a hub.
"""

from __future__ import annotations

from perun.core.books import Books, Draft, Step
from perun.core.effects import Notify, Send, Sign, SignItem
from perun.core.faults import NotAllowedNow, NotEnoughMoney, StatementRefused, UnexpectedMessage
from perun.core.inputs import CommandPay
from perun.core.notices import PaymentDelivered, PaymentReceived, PaymentRefused
from perun.core.rules.keys import machine_key
from perun.core.rules.phases import NOT_MET, why_stale
from perun.core.state import InstanceView, LegStatus, PeerId, Role, Totals
from perun.encoding.messages import NotPaid, Paid, Pay
from perun.errors import BadSignature
from perun.types import MAX_AMOUNT, Game, Machine, MachineId, Signature, Statement, Stream, Wei

__all__ = [
    "accept",
    "ask_again",
    "on_not_paid",
    "on_paid",
    "on_pay",
    "on_statement_signed",
    "pay",
    "show_paid",
    "why_not",
]


# Rules accept-2, accept-3, accept-4.
def why_not(books: Books, instance: InstanceView, machine: Machine | Game | Stream) -> str | None:
    """Why a statement, either way, counts for nothing in this machine now; None: it counts [A4].
    So it is with a position of a game, and with a tick.

    The channel's newest fully signed state lists the machine and we have signed no removal since;
    nobody has submitted; no dispute, no Close, a fresh view, and time left to enforce it.
    """
    leg = instance.legs[0]
    if leg.status is not LegStatus.LISTED:
        return "the newest fully signed state does not list it, or a removal is signed"
    view = books.channels[leg.channel]
    head = view.head
    if head.dispute is not None or head.ended or view.leaving:
        return "the channel is in dispute"
    if view.close is not None:
        return "a Close is signed"
    untold = not (instance.watched and view.watched)
    if instance.head is not None or instance.final is not None or untold:
        return "it was submitted, or the chain has not told yet"
    chain, limits = books.chain, books.config.limits
    stale = why_stale(chain, limits.freshness)
    if stale is not None:
        return stale
    if chain.head_time > machine.validity - limits.margin:
        return "too late to enforce it"
    if books.exit_only:
        return "this store is exit only"
    if not view.met:
        return NOT_MET
    return None


# Rule pay-1.
def pay(books: Books, command: CommandPay) -> Step:
    """Asks our signer for the next statement.

    Raises:
        NotAllowedNow: the machine is not ready, or no longer good for payments.
        NotEnoughMoney: more than our lock and what we got back cover.
    """
    amount = command.amount
    if type(amount) is not int or amount <= 0:
        raise NotEnoughMoney("payment", MAX_AMOUNT, amount)
    instance = books.instances.get(command.machine)
    if instance is None or instance.machine is None or instance.role is None:
        raise NotAllowedNow("pay", "no such machine")
    machine = instance.machine
    why = why_not(books, instance, machine)
    if why is not None:
        raise NotAllowedNow("pay", why)
    if instance.via and not instance.ready:
        raise NotAllowedNow("pay", "the other end has not said that it is ready")
    if instance.leave_sent:
        raise NotAllowedNow("pay", "we are closing it")
    totals = books.totals.get(instance.id) or Totals(instance.id)
    key, lock = (
        (machine.alice, machine.alice_lock)
        if instance.role is Role.ALICE
        else (machine.bob, machine.bob_lock)
    )
    total = Wei(totals.asked + amount)
    room = lock + totals.received if lock else 0
    if total > room or total > MAX_AMOUNT:
        raise NotEnoughMoney("payment", room - totals.asked, amount)
    asked = Totals(
        totals.machine,
        total,
        totals.sent,
        totals.sent_signature,
        totals.received,
        totals.received_signature,
    )
    item = SignItem(key, Statement(command.machine, total))
    return Step((asked,), (Sign((item,)),))


def on_statement_signed(books: Books, statement: Statement, signature: Signature) -> Step:
    """Our signer has signed: the statement is stored and leaves."""
    instance = books.instances[statement.machine]
    totals = books.totals[statement.machine]
    if statement.paid <= totals.sent or statement.paid > totals.asked:
        return Step()
    if instance.legs[0].status is not LegStatus.LISTED:
        # A slow signer: meanwhile we have signed the removal, so this total never leaves.
        return Step()
    signed = Totals(
        totals.machine,
        totals.asked,
        statement.paid,
        signature,
        totals.received,
        totals.received_signature,
    )
    message = Pay(statement.machine, statement.paid, signature)
    return Step((signed,), (Send(instance.end, message, instance.via),))


# Rule accept-1.
def check(books: Books, instance: InstanceView, totals: Totals, message: Pay) -> None:
    """Raises `StatementRefused` or `BadSignature` unless the statement counts; it rises already."""
    machine = instance.machine
    assert machine is not None
    why = why_not(books, instance, machine)
    if why is not None:
        raise StatementRefused(why, message.paid, totals.received)
    key, lock = (
        (machine.bob, machine.bob_lock)
        if instance.role is Role.ALICE
        else (machine.alice, machine.alice_lock)
    )
    paid = message.paid
    if lock == 0:
        raise StatementRefused("a side without lock pays nothing", paid, 0)
    if paid > MAX_AMOUNT or paid - totals.sent > lock:
        raise StatementRefused("more than the payer's lock covers", paid, lock + totals.sent)
    books.checker.check_loosely(Statement(message.machine, paid), message.signature, key)


def on_pay(books: Books, sender: PeerId, message: Pay) -> Step:
    """A peer has paid us: count it if it counts, and say which.

    Raises:
        BadSignature, UnexpectedMessage: nothing that a correct peer sends.
    """
    instance = books.instances.get(message.machine)
    if instance is None or instance.machine is None or instance.end != sender:
        raise UnexpectedMessage("Pay", "no such machine with this peer")
    totals = books.totals.get(instance.id) or Totals(instance.id)
    if message.paid <= totals.received:
        return Step((), (Send(sender, Paid(message.machine, totals.received), instance.via),))
    try:
        check(books, instance, totals, message)
    except StatementRefused as refused:
        words = NotPaid(message.machine, message.paid, refused.why)
        return Step((), (Send(sender, words, instance.via),))
    accepted = Totals(
        totals.machine,
        totals.asked,
        totals.sent,
        totals.sent_signature,
        message.paid,
        message.signature,
    )
    gained = Wei(message.paid - totals.received)
    return Step(
        (accepted,),
        (
            Send(sender, Paid(message.machine, message.paid), instance.via),
            Notify(PaymentReceived(message.machine, gained, message.paid)),
        ),
    )


def accept(draft: Draft, instance: InstanceView, paid: Wei, signature: Signature) -> bool:
    """Counts a statement that came with something else (a removal, a Leave), if it counts.

    The draft's own instance and totals are used; the books below give channel and chain.
    """
    totals = draft.totals(instance.id)
    if paid <= totals.received:
        return True
    message = Pay(MachineId(instance.id), paid, signature)
    try:
        check(draft.books, instance, totals, message)
    except (StatementRefused, BadSignature):
        return False
    accepted = Totals(
        totals.machine, totals.asked, totals.sent, totals.sent_signature, paid, signature
    )
    draft.put(accepted)
    draft.send(instance.end, Paid(message.machine, paid), instance.via)
    draft.notify(PaymentReceived(message.machine, Wei(paid - totals.received), paid))
    return True


def show_paid(draft: Draft, instance: InstanceView) -> None:
    """Our newest statement, again: the other end may have missed it, or refused it meanwhile."""
    totals = draft.totals(instance.id)
    if totals.sent_signature:
        pay = Pay(MachineId(instance.id), totals.sent, totals.sent_signature)
        draft.send(instance.end, pay, instance.via)


# Rule pay-1.
def ask_again(draft: Draft, instance: InstanceView) -> None:
    """The statement that our signer was asked for, and that was not signed or could not be used."""
    totals = draft.totals(instance.id)
    if instance.machine is not None and instance.role is not None and totals.asked > totals.sent:
        key = machine_key(instance.machine, instance.role)
        draft.sign(SignItem(key, Statement(MachineId(instance.id), totals.asked)))


def on_paid(books: Books, sender: PeerId, message: Paid) -> Step:
    """The other end has our payments up to a total."""
    instance = books.instances.get(message.machine)
    totals = books.totals.get(message.machine)
    if instance is None or totals is None or instance.end != sender or message.paid > totals.sent:
        raise UnexpectedMessage("Paid", "we never sent that")
    return Step((), (Notify(PaymentDelivered(message.machine, message.paid)),))


def on_not_paid(books: Books, sender: PeerId, message: NotPaid) -> Step:
    """Words: the other end did not count a total; what we signed stays signed."""
    instance = books.instances.get(message.machine)
    if instance is None or instance.end != sender:
        raise UnexpectedMessage("NotPaid", "no such machine with this peer")
    notice = PaymentRefused(message.machine, message.paid, message.reason)
    return Step((), (Notify(notice),))
