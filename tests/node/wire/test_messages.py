"""Peer messages: every kind goes there and back, and garbage is a typed error."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.encoding import messages as m
from perun.types import (
    ETH,
    MAX_AMOUNT,
    Address,
    Channel,
    ChannelId,
    Close,
    InstanceId,
    Machine,
    MachineId,
    Nano,
    Nonce,
    Salt,
    Seconds,
    Signature,
    State,
    UnixTime,
    Version,
    Wei,
    Withdraw,
)

ID = ChannelId(b"\x01" * 32)
SIG = Signature(b"\x02" * 65)
A, B = Address(b"\x03" * 20), Address(b"\x04" * 20)
HALF = Salt(b"\x05" * 32)
MACHINE = Machine(A, B, Wei(MAX_AMOUNT), Wei(1), UnixTime(5), Seconds(6), HALF)
NANO = Nano(A, InstanceId(b"\x06" * 32), Wei(MAX_AMOUNT), Wei(0), UnixTime(9), True)
STATE = State(ID, Version(4), Wei(-MAX_AMOUNT), (NANO,))
CHANNEL = Channel(A, B, A, B, ETH, Seconds(600), Nonce(2**64 - 1))
SHOWN = m.ShowState(STATE, SIG, SIG)
PROPOSE = m.Propose(STATE, SIG, 2, None, InstanceId(HALF), Wei(2**70), SIG, base=SHOWN)
SIGNED = m.SignedHalf(STATE, SIG)
MESSAGES: list[m.Message] = [
    m.Pay(MachineId(InstanceId(ID)), Wei(MAX_AMOUNT), SIG),
    m.Paid(MachineId(InstanceId(ID)), Wei(7)),
    m.NotPaid(MachineId(InstanceId(ID)), Wei(7), "why"),
    m.ReadySigned(InstanceId(ID), SIG),
    m.Leave(InstanceId(ID), Wei(1), Wei(2**64), SIG),
    PROPOSE,
    m.AnswerState(ID, Version(4), SIG),
    SHOWN,
    m.OfferChannel(CHANNEL, Wei(1), Wei(2), True, SIG, False, PROPOSE),
    m.AcceptChannel(ID, SIG, True),
    m.RefuseChannel(ID, "no"),
    m.OfferClose(Close(ID, Wei(-5), UnixTime(7), 3), SIG),
    m.AnswerClose(ID, SIG),
    m.OfferWithdraw(Withdraw(ID, 2, Wei(1), Wei(2), UnixTime(3)), SIG),
    m.AnswerWithdraw(ID, 2, SIG),
    m.Invite(MACHINE, ID, A),
    m.Invited(HALF, HALF),
    m.Invited(HALF, HALF, SIGNED),
    m.DeclineInvite(HALF, "no"),
    m.RequestInstance(ID, MACHINE, True),
    m.RequestInstance(ID, MACHINE, True, None, SIGNED, SIGNED),
    m.GrantInstance(ID, InstanceId(ID), Wei(3), UnixTime(4)),
    m.RefuseInstance(InstanceId(ID), "no"),
    m.Over(b"\x02" * 33, b"message"),
    m.RevealSecret(InstanceId(ID), HALF),
    m.Play(InstanceId(ID), 3, 1, Wei(-MAX_AMOUNT), b"board", b"move", SIG),
    m.Played(InstanceId(ID), 3, SIG),
    m.LetGo(InstanceId(ID), Wei(-5), SIG),
    m.Ticks(InstanceId(ID), Wei(MAX_AMOUNT), HALF, 1_024, HALF, SIG, True),
    m.Ticked(InstanceId(ID), Wei(7), True),
    m.ShowPrice(InstanceId(ID), Wei(-1), SIG),
    m.Gathered(InstanceId(ID), (SIG, Signature(b"")), (SIG,), Wei(-1)),
    m.Note(MachineId(InstanceId(ID)), Wei(3), Wei(5), HALF, ID, b"", "coffee"),
    m.Noted(MachineId(InstanceId(ID)), Wei(5), UnixTime(9), SIG, "late"),
]


def test_no_message_is_missing_here() -> None:
    assert {type(message) for message in MESSAGES} == set(get_args(m.Message))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_goes_there_and_back(message: m.Message) -> None:
    assert m.decode(m.encode(message)) == message


def test_largest_proposal_fits() -> None:
    nanos = tuple(
        Nano(A, InstanceId(bytes([i]) * 32), Wei(MAX_AMOUNT), Wei(MAX_AMOUNT), UnixTime(9), True)
        for i in range(64)
    )
    full = State(ID, Version(4), Wei(MAX_AMOUNT), nanos)
    message = m.Propose(full, SIG, 4, base=m.ShowState(full, SIG, SIG), reason="x" * 200)

    assert len(m.encode(message)) <= m.MAX_MESSAGE_BYTES


def test_largest_request_fits() -> None:
    nanos = tuple(
        Nano(A, InstanceId(bytes([i]) * 32), Wei(MAX_AMOUNT), Wei(MAX_AMOUNT), UnixTime(9), True)
        for i in range(64)
    )
    half = m.SignedHalf(State(ID, Version(2**48 - 1), Wei(MAX_AMOUNT), nanos), SIG)
    message = m.RequestInstance(ID, MACHINE, True, None, half, half)

    assert len(m.encode(message)) <= m.MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    ("message", "fields"),
    [(m.Invited(HALF, HALF), 3), (m.RequestInstance(ID, MACHINE, True), 4)],
)
def test_message_without_the_fields_that_came_later_is_read(
    message: m.Message, fields: int
) -> None:
    items = msgspec.msgpack.decode(m.encode(message)[1:], ext_hook=msgspec.msgpack.Ext)
    older = b"\x01" + msgspec.msgpack.encode(items[:fields])
    assert len(older) < len(m.encode(message))
    assert m.decode(older) == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02" + m.encode(MESSAGES[0])[1:],
        m.encode(MESSAGES[0]) + b"\x00",
        m.encode(MESSAGES[0])[:-1],
        b"\x01" + b"\x91" * 60_000,
        b"\x01" * (m.MAX_MESSAGE_BYTES + 1),
        b"\x01\x94\x01\xc4\x20" + b"a" * 32 + b"\xff\xc4\x01s",
        b"\x01\x94\x01\xc4\x20" + b"a" * 32 + b"\xc3\xc4\x01s",
        b"\x01\x94\x01\xc4\x20" + b"a" * 32 + b"\xcb" + b"\x00" * 8 + b"\xc4\x01s",
        b"\x01\x94\x01\xc4\x20" + b"a" * 32 + b"\xc7\x02\x01\x01\x05\xc4\x01s",
        b"\x01\x94\x01\xc4\x20" + b"a" * 32 + b"\xc7\x02\x02\x00\x05\xc4\x01s",
    ],
)
def test_garbage_is_a_typed_error(data: bytes) -> None:
    with pytest.raises(m.MalformedMessage):
        m.decode(data)


@given(st.sampled_from(MESSAGES), st.data())
def test_scrambled_messages_decode_or_are_a_typed_error(
    message: m.Message, data: st.DataObject
) -> None:
    raw = bytearray(m.encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        m.encode(m.decode(bytes(raw)))
    except m.MalformedMessage:
        return


@given(st.binary(max_size=300))
def test_noise_is_a_typed_error(noise: bytes) -> None:
    try:
        m.decode(b"\x01" + noise)
    except m.MalformedMessage:
        return
