"""Wrong effects: each bug spoils one thing that the core asks the runtime to do, and nothing else.

They are planted where a step hands its effects over, so every kind of effect and transaction is
reached whatever part of the core makes it. The core's own tests (`tests/core`) must notice
each; beside a bug stands the first test that did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, get_args

from msgspec.structs import replace

from perun.core import notices
from perun.core import step as entrance
from perun.core.books import Books, Step
from perun.core.effects import (
    ClaimCredit,
    CloseChannel,
    DepositMoney,
    Effect,
    Notify,
    OpenBoth,
    OpenChannel,
    Register,
    Send,
    Settle,
    Sign,
    Submit,
    SubmitEvidence,
    Watch,
    WithdrawMoney,
)
from perun.core.inputs import Input
from perun.core.nanocontracts.hash_lock import HASH_LOCK
from perun.encoding import messages as m
from perun.encoding.machine import (
    statements_evidence,
)
from perun.testing.ledger import DEPLOYMENT, Ledger
from perun.types import Close, Open, Ready, Signature, State, Statement, Wei, Withdraw
from tests.games.planted.bugs import Bug

Change = Callable[[Effect], Iterable[Effect]]

NOBODY = b"\x99" * 20
NOTHING = Signature(b"")


@dataclass(frozen=True, slots=True)
class EffectBug(Bug):
    """A bug in effects about one kind of transaction, message or notice."""

    kind: type


def kinds_of(effect: Effect) -> Iterable[type]:
    """What an effect is about."""
    match effect:
        case Submit():
            yield type(effect.transaction)
        case Send():
            yield type(effect.message)
        case Notify():
            yield type(effect.notice)
        case Sign():
            yield from (type(item.message) for item in effect.items)
        case Watch():
            yield Watch


def passed_through(change: Change) -> Bug:
    """The core with every effect passed through `change`."""

    def step(books: Books, input: Input) -> Step:
        done = _STEP(books, input)
        effects = tuple(made for effect in done.effects for made in change(effect))
        return done if effects == done.effects else replace(done, effects=effects)

    return Bug("", "", [(entrance, "step", step)])


def spoiled(kind: type, name: str, change: Change) -> EffectBug:
    """The core with every effect about `kind` passed through `change`."""

    def only(effect: Effect) -> Iterable[Effect]:
        return change(effect) if kind in kinds_of(effect) else (effect,)

    rule = "effects are what the rules say"
    return EffectBug(name, rule, passed_through(only).replacements, kind)


_STEP = entrance.step


# ------------------------------------------------------------------------------------ transactions


def edited(kind: type, name: str, **fields: Callable[[Any], object]) -> EffectBug:
    """Transactions of a kind with other fields, each computed from the transaction."""

    def change(effect: Effect) -> Iterable[Effect]:
        if isinstance(effect, Submit) and isinstance(effect.transaction, kind):
            old = effect.transaction
            new = replace(old, **{field: make(old) for field, make in fields.items()})
            effect = replace(effect, transaction=new)
        yield effect

    return spoiled(kind, f"{kind.__name__} {name}", change)


def exchanged(kind: type, one: str, other: str) -> EffectBug:
    """Transactions of a kind with two fields in each other's place."""
    swap = {one: lambda t: getattr(t, other), other: lambda t: getattr(t, one)}
    return edited(kind, f"with {one} and {other} exchanged", **swap)


def lost(kind: type) -> EffectBug:
    """Transactions of a kind are never submitted."""
    return spoiled(kind, f"{kind.__name__} never submitted", lambda _: ())


def submitted(kind: type, name: str, **fields: Callable[[Submit], object]) -> EffectBug:
    """What is said to the submitter beside the transaction."""

    def change(effect: Effect) -> Iterable[Effect]:
        if isinstance(effect, Submit) and isinstance(effect.transaction, kind):
            effect = replace(effect, **{field: make(effect) for field, make in fields.items()})
        yield effect

    return spoiled(kind, f"{kind.__name__} {name}", change)


def more(field: str, by: int = 1) -> Callable[[Any], int]:
    """The field, changed by so much, never below zero."""
    return lambda t: max(0, getattr(t, field) + by)


def less(total: int) -> Wei:
    """One wei less than a total, never below zero."""
    return Wei(max(0, total - 1))


def statements(name: str, change: Callable[..., tuple[Any, ...]]) -> EffectBug:
    """Statements on their way to the chain, with other totals or signatures."""

    def make(sent: SubmitEvidence) -> bytes:
        if sent.app != DEPLOYMENT.vpm.contract:
            return sent.evidence
        return statements_evidence(*change(*_VPM.read(sent.evidence)))

    return edited(SubmitEvidence, f"of statements {name}", evidence=make)


def _another_secret(sent: SubmitEvidence) -> bytes:
    if sent.app != HASH_LOCK.app(DEPLOYMENT):
        return sent.evidence
    return sent.evidence[:-32] + bytes(32)


_VPM = Ledger().contracts.vpm

KINDS = (
    *(OpenChannel, OpenBoth, DepositMoney, CloseChannel, WithdrawMoney, Register, Settle),
    *(SubmitEvidence, ClaimCredit),
)
HURRIED = (
    *(OpenChannel, OpenBoth, DepositMoney, CloseChannel, WithdrawMoney, Register),
    SubmitEvidence,
)
"""Those that are of no use after some second."""

TRANSACTIONS = (
    *(lost(kind) for kind in KINDS),
    *(submitted(kind, "without its last second", before=lambda _: None) for kind in HURRIED),
    *(submitted(kind, "with a last second later", before=lambda s: s.before and s.before + 1)
      for kind in HURRIED),
    *(submitted(kind, "under another key", key=lambda s: b"x" + s.key[1:]) for kind in KINDS),
    *(exchanged(kind, "signature_alice", "signature_bob")
      for kind in (CloseChannel, WithdrawMoney, Register)),
    edited(Register, "without Alice's signature", signature_alice=lambda _: NOTHING),
    edited(Register, "without Bob's signature", signature_bob=lambda _: NOTHING),
    edited(Register, "of the version before", version=more("version", -2)),
    edited(Register, "at another net", net=more("net")),
    edited(Register, "without its list", nanos=lambda _: ()),
    edited(Register, "without evidence", evidence=lambda _: ()),
    edited(Register, "with empty evidence", evidence=lambda t: (b"",) * len(t.evidence)),
    edited(Register, "with evidence in another order", evidence=lambda t: t.evidence[::-1]),
    edited(Register, "with its first evidence only", evidence=lambda t: t.evidence[:1]),
    edited(Register, "with too much evidence", evidence=lambda t: (*t.evidence, b"\x01")),
    edited(Register, "of the empty state", version=lambda _: 0, net=lambda _: 0, nanos=lambda _: (),
           evidence=lambda _: ()),
    edited(Settle, "at net 0", net=lambda _: 0),
    edited(Settle, "at another net", net=more("net")),
    edited(Settle, "without its list", nanos=lambda _: ()),
    edited(Settle, "with the first of its list", nanos=lambda t: t.nanos[:1]),
    edited(SubmitEvidence, "to another nanocontract", app=lambda _: NOBODY),
    edited(SubmitEvidence, "about another instance", id=lambda _: bytes(32)),
    edited(SubmitEvidence, "of nothing", evidence=lambda _: b""),
    statements("of one wei less by Alice", lambda m, a, by_a, b, by_b: (m, less(a), by_a, b, by_b)),
    statements("of one wei less by Bob", lambda m, a, by_a, b, by_b: (m, a, by_a, less(b), by_b)),
    statements("with totals exchanged", lambda m, a, by_a, b, by_b: (m, b, by_a, a, by_b)),
    statements("with signatures exchanged", lambda m, a, by_a, b, by_b: (m, a, by_b, b, by_a)),
    edited(SubmitEvidence, "of another secret", evidence=_another_secret),
    edited(OpenChannel, "of one wei less", amount=more("amount", -1)),
    edited(OpenChannel, "that has lapsed", valid_until=lambda _: 1),
    edited(DepositMoney, "of one wei less", amount=more("amount", -1)),
    edited(DepositMoney, "to the other side", to_bob=lambda t: not t.to_bob),
    edited(DepositMoney, "that has lapsed", valid_until=lambda _: 1),
    exchanged(OpenBoth, "alice_amount", "bob_amount"),
    edited(OpenBoth, "without the signature", signature=lambda _: NOTHING),
    edited(OpenBoth, "with another share along", own_amount=more("own_amount")),
    edited(OpenBoth, "with another end", valid_until=more("valid_until")),
    edited(CloseChannel, "at another net", close=lambda t: replace(t.close, net=t.close.net + 1)),
    edited(CloseChannel, "paid elsewhere",
           close=lambda t: replace(t.close, to_credit=3 - t.close.to_credit)),
    edited(WithdrawMoney, "of another amount",
           withdraw=lambda t: replace(t.withdraw, bob_amount=t.withdraw.bob_amount + 1)),
    edited(WithdrawMoney, "of another index",
           withdraw=lambda t: replace(t.withdraw, index=t.withdraw.index + 1)),
    edited(ClaimCredit, "of one wei less", amount=more("amount", -1)),
    edited(ClaimCredit, "to somebody else", to=lambda _: NOBODY),
)  # fmt: skip


# -------------------------------------------------------------------------- signatures, messages


def asked(kind: type, name: str, make: Callable[[Sign], Iterable[Effect]]) -> EffectBug:
    """Requests for a signature over a message of a kind."""
    return spoiled(
        kind,
        f"signature of {kind.__name__} {name}",
        lambda e: make(e) if isinstance(e, Sign) else (e,),
    )


def said(kind: type, name: str, make: Callable[[Send], Iterable[Effect]]) -> EffectBug:
    """Messages of a kind."""
    return spoiled(
        kind, f"{kind.__name__} {name}", lambda e: make(e) if isinstance(e, Send) else (e,)
    )


def _by_nobody(sign: Sign) -> Iterable[Effect]:
    yield replace(sign, items=tuple(replace(item, key=NOBODY) for item in sign.items))


MESSAGES = tuple(kind for kind in get_args(m.Message) if kind not in (m.Over, m.Note, m.Noted))
"""What the core says; notes are a program's."""

SEALED = (m.Pay, m.Paid, m.NotPaid, m.Invite, m.Invited, m.DeclineInvite, m.ReadySigned, m.Leave)
"""What ends say to each other, over a hub too."""

SIGNED = (State, Close, Withdraw, Open, Statement, Ready)

WORDS = (
    *(asked(kind, "not asked for", lambda _: ()) for kind in SIGNED),
    *(asked(kind, "asked of another key", _by_nobody) for kind in SIGNED),
    asked(State, "asked for one by one",
          lambda s: tuple(Sign((item,)) for item in s.items)),
    *(said(kind, "not sent", lambda _: ()) for kind in MESSAGES),
    *(said(kind, "sent to somebody else", lambda s: (replace(s, to=b"\x02" + bytes(32)),))
      for kind in MESSAGES),
    *(said(kind, "not sent over the hub", lambda s: (replace(s, via=b""),)) for kind in SEALED),
)  # fmt: skip


# ----------------------------------------------------------------------------- watching, telling


def watched(name: str, test: Callable[[Watch], bool], **fields: object) -> EffectBug:
    """What the follower is told."""
    return spoiled(
        Watch,
        f"watch {name}",
        lambda e: (
            ((replace(e, **fields),) if fields else ())
            if isinstance(e, Watch) and test(e)
            else (e,)
        ),
    )


TOLD = (
    watched("of a channel missing", lambda w: w.channel is not None),
    watched("of an instance missing", lambda w: w.instance is not None and not w.over),
    watched("never over", lambda w: w.over),
    watched("of another asset", lambda w: w.channel is not None, asset=NOBODY),
    watched("of a channel without its terms", lambda w: w.channel is not None, terms=None),
    watched("of another nanocontract", lambda w: w.instance is not None and not w.over, app=NOBODY),
    *(
        spoiled(kind, f"{kind.__name__} not told", lambda e: () if isinstance(e, Notify) else (e,))
        for kind in get_args(notices.Notice)
    ),
)

BUGS: tuple[EffectBug, ...] = (*TRANSACTIONS, *WORDS, *TOLD)
