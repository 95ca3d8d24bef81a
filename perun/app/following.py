"""What becomes of a payment that is signed: the payee's word, and what it was for."""

from __future__ import annotations

from msgspec.structs import replace

from perun.app.paying import fail, put
from perun.app.receipts import note_of, receipt_of
from perun.app.rows import Payment, Step
from perun.app.work import Work
from perun.core.inputs import CommandShow
from perun.core.notices import InstanceRemoved, PaymentDelivered, PaymentRefused
from perun.core.rules.signing import check_signature
from perun.core.state import PeerId
from perun.crypto.keys import PublicKey
from perun.encoding.messages import Noted
from perun.types import InstanceId, MachineId, Wei

__all__ = ["on_delivered", "on_not_counted", "on_noted", "on_removed", "say_notes"]


def say_notes(work: Work, peer: PeerId | None = None) -> None:
    """Says again what was not answered: to everybody, or to whoever is reached by a peer."""
    for machine, numbers in list(work.shelf.in_machine.items()):
        instance = work.books.instances.get(machine)
        if instance is None:
            _over(work, machine)
        elif peer is None or peer in (instance.end, instance.via):
            rows = [work.shelf.payments.get(number, work.desk) for number in numbers]
            if any(row is not None and row.step is Step.SIGNED for row in rows):
                # Lost, or refused while a removal was signed that has come to nothing.
                work.desk.do(CommandShow(MachineId(machine)))
            for row in rows:
                if row is not None:
                    work.desk.send(row.payee, note_of(row), instance.via)


def _over(work: Work, machine: InstanceId) -> None:
    """The core has forgotten a machine: what was paid in it was settled long ago."""
    for row in _fixed(work, machine):
        if row.step is Step.DELIVERED:
            put(work, replace(row, step=Step.DONE, why="the payee never said for what"))
        else:
            fail(work, row, "the payee never confirmed it, and the machine is over")


def _fixed(work: Work, machine: InstanceId) -> list[Payment]:
    numbers = sorted(work.shelf.in_machine.get(machine, {}))
    rows = [work.shelf.payments.get(number, work.desk) for number in numbers]
    return [row for row in rows if row is not None]


def on_delivered(work: Work, notice: PaymentDelivered) -> None:
    """The payee has a total on disk."""
    for row in _fixed(work, notice.machine):
        if row.last > notice.total:
            break
        if row.step is Step.SIGNED:
            put(work, replace(row, step=Step.DELIVERED, why=""))


def on_not_counted(work: Work, notice: PaymentRefused) -> None:
    """The payee says it does not count a total; what we signed stays signed."""
    for row in _fixed(work, notice.machine):
        if row.step is Step.SIGNED and row.last <= notice.total and row.why != notice.reason:
            put(work, replace(row, why=notice.reason))


def on_removed(work: Work, notice: InstanceRemoved) -> None:
    """A machine is out of the channel: what our totals say was paid, what never left was not."""
    totals = work.books.totals.get(notice.instance)
    sent = Wei(0) if totals is None else totals.sent
    for row in _fixed(work, notice.instance):
        if row.step is not Step.SIGNED:
            continue
        if row.last <= sent:
            put(work, replace(row, step=Step.DELIVERED, why=""))
        else:
            fail(work, row, "the machine was taken out before our signer had signed")


def on_noted(work: Work, sender: PeerId, message: Noted) -> None:
    """The payee has counted a payment, and knows what it was for.

    Raises:
        BadSignature: no receipt of the payee; the note will be said again.
    """
    for row in _fixed(work, message.machine):
        if row.last != message.last or row.payee != sender:
            continue
        why, signature = message.why, message.receipt
        if row.request and not why:
            receipt = receipt_of(work, row, message.at)
            check_signature(
                work.config.deployment, receipt, signature, PublicKey(row.payee).address
            )
        else:
            signature = row.receipt
        put(
            work,
            replace(row, step=Step.DONE, why=why, receipt=signature, receipt_at=message.at),
        )
        return
