"""What a crooked peer may send, beside all that the core would: a node of the exploration that
keeps no rule.

It has its own keys and knows whatever it was ever sent. So it repeats what it has said before, in
any order; it answers what it has refused, and shows what it has seen signed by both; and it signs
states, Closes, Withdrawals and totals of its own making. It cannot sign for anybody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from perun.core.books import Row
from perun.core.rules.keys import own_key
from perun.core.signing import digest
from perun.core.state import ChannelView, InstanceView, Purpose, Role
from perun.crypto.keys import SecretKey
from perun.crypto.signatures import sign
from perun.encoding.messages import (
    AnswerClose,
    AnswerState,
    AnswerWithdraw,
    Message,
    OfferClose,
    OfferWithdraw,
    Pay,
    Propose,
    ShowState,
    encode,
)
from perun.testing.network import meant
from perun.testing.parties import DEPLOYMENT
from perun.types import (
    Close,
    Machine,
    Signature,
    State,
    Statement,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

__all__ = ["LIFE", "lies"]

LIFE = 200
"""Seconds that its offers live."""
_SUM = 50
"""Wei that it helps itself to."""


def lies(
    keys: Mapping[bytes, SecretKey], disk: Iterable[Row], heard: Iterable[bytes], now: int
) -> Iterator[tuple[bytes, bytes]]:
    """(to whom, the frame) of each thing that a node may send now, direct to a channel's peer.

    Args:
        keys: its own, by address.
        disk: what its core keeps.
        heard: frames that it was ever sent.
    """
    messages = [meant(frame) for frame in heard]
    rows = list(disk)
    machines = [row for row in rows if type(row) is InstanceView and row.role is not None]
    for view in rows:
        if type(view) is not ChannelView:
            continue
        for lie in _of_channel(keys[own_key(view)], view, messages, now):
            yield view.peer, encode(lie)
        for instance in machines:
            terms, role = instance.terms, instance.role
            if type(terms) is Machine and instance.end == view.peer:
                own = terms.alice if role is Role.ALICE else terms.bob
                for total in (1, _SUM, 1_000):
                    yield view.peer, encode(_pays(keys[own], instance, Wei(total)))


def _of_channel(
    key: SecretKey, view: ChannelView, heard: list[Message], now: int
) -> Iterator[Message]:
    proposed = [m for m in heard if isinstance(m, Propose) and m.state.channel == view.id]
    newest = view.agreed.state if view.agreed else State(view.id, Version(0), Wei(0))
    for message in proposed:
        yield AnswerState(view.id, message.state.version, _signed(key, message.state))
        yield _shown(key, view, message)
    for state in _states(view, newest, [message.state for message in proposed]):
        yield Propose(state, _signed(key, state), int(Purpose.TRANSFER))
        yield Propose(state, _signed(key, state), int(Purpose.REFUSE))
        for nano in newest.nanos:
            yield Propose(state, _signed(key, state), int(Purpose.REMOVE), removes=nano.id)
    for net in {newest.net, _moved(view, newest), *(message.state.net for message in proposed)}:
        close = Close(view.id, Wei(net), UnixTime(now + LIFE), 0)
        yield OfferClose(close, _signed(key, close))
    for offered in heard:
        if isinstance(offered, OfferClose) and offered.close.channel == view.id:
            yield AnswerClose(view.id, _signed(key, offered.close))
        if isinstance(offered, OfferWithdraw) and offered.withdraw.channel == view.id:
            withdraw = offered.withdraw
            yield AnswerWithdraw(view.id, withdraw.index, _signed(key, withdraw))
    alice, bob = (Wei(1_000), Wei(0)) if view.role is Role.ALICE else (Wei(0), Wei(1_000))
    taken = Withdraw(view.id, 0, alice, bob, UnixTime(now + LIFE))
    yield OfferWithdraw(taken, _signed(key, taken))


def _states(view: ChannelView, newest: State, known: list[State]) -> Iterator[State]:
    """Of the versions that would be its turn: what is agreed, what gives it more, what forgets
    an instance, what the peer proposed and it refused, and the beginning of the channel."""
    highest = max([newest.version, view.signed, view.seen, *(state.version for state in known)])
    contents = {
        (newest.net, newest.nanos),
        (_moved(view, newest), newest.nanos),
        (newest.net - 100 * (_moved(view, newest) - newest.net), newest.nanos),  # more than it has
        (newest.net, ()),
        (0, ()),
        *((state.net, state.nanos) for state in known),
    }
    for version in range(newest.version + 1, highest + 3):
        if version % 2 == view.role.value:
            for net, nanos in sorted(contents, key=repr):
                yield State(view.id, Version(version), Wei(net), nanos)


def _moved(view: ChannelView, newest: State) -> int:
    return newest.net + (-_SUM if view.role is Role.ALICE else _SUM)


def _shown(key: SecretKey, view: ChannelView, message: Propose) -> ShowState:
    """A state of the peer's that it says is fully signed."""
    own, theirs = _signed(key, message.state), message.signature
    pair = (own, theirs) if view.role is Role.ALICE else (theirs, own)
    return ShowState(message.state, *pair)


def _pays(key: SecretKey, instance: InstanceView, total: Wei) -> Pay:
    statement = Statement(instance.id, total)  # type: ignore[arg-type]
    return Pay(statement.machine, total, _signed(key, statement))


def _signed(key: SecretKey, message: object) -> Signature:
    return sign(digest(DEPLOYMENT, message), key)  # type: ignore[arg-type]
