"""What peers say: garbage changes nothing on disk and stops no node."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from perun.encoding.messages import (
    MAX_MESSAGE_BYTES,
    AnswerState,
    MalformedMessage,
    Over,
    Pay,
    Propose,
    decode,
    encode,
)
from perun.errors import PeerFault
from tests.attacks.scenarios.story import Story
from tests.games.fuzz.garbage import Damage, damages, misshapen
from tests.games.simulation.actor import Actor

quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def story() -> Story:
    """Honest nodes that have said something of nearly every kind."""
    return Story()


@pytest.fixture(scope="module")
def frames(story: Story) -> Sequence[bytes]:
    """One frame of each kind that was said."""
    kinds: dict[type, bytes] = {}
    for _, _, frame in story.world.network.seen:
        kinds.setdefault(type(decode(frame)), frame)
    assert {Propose, AnswerState, Over} <= set(kinds)
    return list(kinds.values())


def _hear(actor: Actor, sender: bytes, frame: bytes) -> tuple[bool, list[Exception]]:
    """Whether the disk is as before, and what the node had against it."""
    before, faults = dict(actor.store._rows), len(actor.faults)
    actor.node.receive(sender, (frame,))
    actor.turn()
    return dict(actor.store._rows) == before, actor.faults[faults:]


def _is_message(frame: bytes) -> bool:
    try:
        decode(frame)
    except MalformedMessage as error:
        return error.length != len(frame)
    return True


@given(which=st.integers(0, 99), damage=damages())
@quick
def test_damaged_bytes_are_a_typed_error_and_change_nothing(
    story: Story, frames: Sequence[bytes], which: int, damage: Damage
) -> None:
    frame = damage(frames[which % len(frames)])
    assume(not _is_message(frame))
    unchanged, faults = _hear(story.bob, story.alice.peer, frame)
    assert unchanged
    assert [type(fault) for fault in faults] == [MalformedMessage]


@given(
    which=st.integers(0, 99),
    path=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    wrong=st.integers(0, 99),
    sender=st.sampled_from(("alice", "ingrid", "nobody")),
)
@quick
def test_misshapen_fields_are_a_typed_error(
    story: Story,
    frames: Sequence[bytes],
    which: int,
    path: list[int],
    wrong: int,
    sender: str,
) -> None:
    frame = misshapen(frames[which % len(frames)], path, wrong)
    peer = b"\x02" * 33 if sender == "nobody" else story.world.actor(sender).peer
    # Whatever still decodes is judged by the witness; nothing but a typed error comes out.
    _, faults = _hear(story.bob, peer, frame)
    assert all(isinstance(fault, PeerFault) for fault in faults)
    story.world.network.held = []


@given(which=st.integers(0, 99), signature=st.binary(min_size=60, max_size=65))
@quick
def test_anybody_else_signature_is_no_signature(
    story: Story, frames: Sequence[bytes], which: int, signature: bytes
) -> None:
    """A well-formed payment or proposal with a signature of nobody."""
    machine = story.direct(story.bob).id
    view = story.channel(story.bob, story.alice)
    assert view.agreed is not None
    state = view.agreed.state
    higher = type(state)(state.channel, state.version + 2, state.net, state.nanos)
    message = (
        Pay(machine, 5, signature),
        Propose(higher, signature, 0),
    )[which % 2]
    unchanged, faults = _hear(story.bob, story.alice.peer, encode(message))
    assert unchanged
    assert faults
    assert all(isinstance(fault, PeerFault) for fault in faults)


@given(data=st.binary(max_size=400))
@quick
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        decode(data)
    with pytest.raises(MalformedMessage):
        decode(b"\x01" + data)


def test_what_is_too_long_or_too_deep_is_refused_at_once() -> None:
    for frame in (
        b"\x01" * (MAX_MESSAGE_BYTES + 1),
        b"\x01" + b"\x91" * (MAX_MESSAGE_BYTES - 1),
        b"\x01" + b"\x81\xa1a" * 20_000,
        b"\x01\xdd\xff\xff\xff\xff",
        b"\x01\xc6\xff\xff\xff\xff",
    ):
        with pytest.raises(MalformedMessage):
            decode(frame)
