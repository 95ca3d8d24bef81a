"""Bytes of strangers that are nested as deep as they are long: an error, never a crash.

What only shows when the limit of recursion was raised, as libraries do, and the stack is small,
ends the process: so it is tried in one of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perun.backup.requests import Request as BackupRequest
from perun.encoding import messages as m
from perun.encoding.records import CorruptRow, RowCodec
from perun.nesting import DEPTH, is_deep_json, is_deep_msgpack
from perun.node.export import BadExport, read_export
from perun.testing.parties import World
from perun.testing.stories import OPEN_HANDED, open_channel
from perun.tower.requests import Request as TowerRequest
from perun.types import ChannelId, InstanceId, MachineId, Signature, State, Version, Wei

OPENERS = (b"\x91", b"\x81\xc0", b"\xdc\x00\x01", b"\xdd\x00\x00\x00\x01", b"\xde\x00\x01\xa1x")
"""An array or a map of one, in each way to write them."""
DEPTHS = (1_001, 5_000, 13_000)


def with_more(whole: bytes, item: bytes) -> bytes:
    """A message or row, an array of few, with one more item at its end."""
    assert 0x90 <= whole[0] < 0x9F
    return bytes((whole[0] + 1,)) + whole[1:] + item


def bomb(opener: bytes, depth: int) -> bytes:
    return opener * depth + b"\xc0"


FRAMES = (
    m.encode(m.Paid(MachineId(bytes(32)), Wei(1))),
    m.encode(m.Propose(State(ChannelId(bytes(32)), Version(2), Wei(0)), Signature(b""), 0)),
    m.encode(m.ShowState(State(ChannelId(bytes(32)), Version(2), Wei(0)), *[Signature(b"")] * 2)),
    m.encode(m.RefuseInstance(InstanceId(bytes(32)), "no")),
)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("opener", OPENERS)
@pytest.mark.parametrize("frame", FRAMES)
def test_message_with_a_deep_item_more_is_malformed(
    frame: bytes, opener: bytes, depth: int
) -> None:
    deep = frame[:1] + with_more(frame[1:], bomb(opener, depth))
    with pytest.raises(m.MalformedMessage):
        m.decode(deep)


@pytest.mark.parametrize("place", [0, 2, 4])
def test_message_whose_field_is_deep_is_malformed(place: int) -> None:
    frame = m.encode(m.Propose(State(ChannelId(bytes(32)), Version(2), Wei(0)), Signature(b""), 0))
    for depth in (10, 100, 900, *DEPTHS):
        fields = msgspec.msgpack.decode(frame[1:])
        fields[place] = msgspec.Raw(bomb(b"\x91", depth))
        with pytest.raises(m.MalformedMessage):
            m.decode(frame[:1] + msgspec.msgpack.encode(fields))


@pytest.mark.parametrize("depth", DEPTHS)
def test_row_with_a_deep_item_more_is_corrupt(depth: int) -> None:
    codec = RowCodec(State)
    row = codec.encode(State(ChannelId(bytes(32)), Version(2), Wei(0)))
    with pytest.raises(CorruptRow):
        codec.decode(with_more(row, bomb(b"\x91", depth)))


@pytest.mark.parametrize(
    "deep", [b"[" * 10**6, b'{"a":' * 10**5, b'{"format":1,"x":' + b"[" * 10**5]
)
def test_deep_export_is_none(deep: bytes, tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_bytes(deep)
    with pytest.raises(BadExport):
        read_export(path)


@pytest.mark.parametrize("who", ["peer", "stranger"])
def test_deep_frame_stops_no_node(who: str) -> None:
    world = World()
    alice, bob = world.party("alice", OPEN_HANDED), world.party("bob", OPEN_HANDED)
    stranger = world.party("stranger")
    world.advance()
    channel = open_channel(world, alice, bob, 10, 10)
    sender = alice if who == "peer" else stranger
    deep = FRAMES[0][:1] + with_more(FRAMES[0][1:], bomb(b"\x91", 5_000))
    bob.node.receive(sender.peer, (deep,))
    bob.node.turn()
    assert bob.node.failed is None
    assert isinstance(bob.faults[-1][1], m.MalformedMessage)
    assert channel in bob.node.books.channels


_ON_A_SMALL_STACK = """
import sys, threading
from perun.backup.requests import Request as BackupRequest
from perun.encoding import messages as m
from perun.encoding.records import CorruptRow, RowCodec
from perun.types import State
from tests.games.fuzz.test_nesting import FRAMES, OPENERS, bomb, with_more
sys.setrecursionlimit(10**6)
failed = []
def work():
    try:
        for opener in OPENERS:
            for depth in (64, 500, 998, 1_001, 5_000, 13_000, 65_000 // len(opener)):
                deep = with_more(FRAMES[0][1:], bomb(opener, depth))
                try:
                    m.decode(FRAMES[0][:1] + deep)
                except m.MalformedMessage:
                    pass
                try:
                    RowCodec(State).decode(deep)
                except CorruptRow:
                    pass
    except BaseException as error:
        failed.append(error)
threading.stack_size(64 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.exit(repr(failed) if failed else 0)
"""


_READERS_OF_JSON = """
import sys, threading
import msgspec
from perun.api.protocol import Refused, read_call
from perun.nesting import read_json
from perun.wallet.keyfile import KeyfileError, decrypt
sys.setrecursionlimit(10**6)
class Word(msgspec.Struct):
    token: str
failed = []
def work():
    try:
        for depth in (64, 500, 998, 1_001, 5_000, 13_000, 65_000):
            for deep in ('[' * depth, '{"a":' * depth, '{"token":"t","x":' + '[' * depth):
                for read, fault in (
                    (lambda text: read_json(text, Word), msgspec.DecodeError),
                    (lambda text: read_json(text.encode(), dict), msgspec.DecodeError),
                    (read_call, Refused),
                    (lambda text: decrypt(text, ""), KeyfileError),
                ):
                    try:
                        read(deep)
                    except fault:
                        pass
                    else:
                        raise AssertionError(deep[:20])
    except BaseException as error:
        failed.append(error)
try:
    decrypt("[]", "")  # what is loaded only now needs a larger stack
except KeyfileError:
    pass
threading.stack_size(256 * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
sys.exit(repr(failed) if failed else 0)
"""


@pytest.mark.parametrize("script", [_ON_A_SMALL_STACK, _READERS_OF_JSON], ids=["bytes", "JSON"])
def test_no_stack_is_too_small_and_no_limit_too_high(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)


Nested = st.recursive(
    st.one_of(
        st.none(), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=40), st.text(max_size=9)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=20), st.dictionaries(st.text(max_size=3), inner, max_size=20)
    ),
    max_leaves=60,
)


@given(inside=Nested, depth=st.integers(0, 2 * DEPTH), beside=st.lists(Nested, max_size=3))
def test_depth_is_counted_as_it_is(inside: object, depth: int, beside: list[object]) -> None:
    """With so many empty arrays around that counting openings does not settle it."""
    value: object = inside
    for number in range(depth):
        value = [*beside, value] if number % 2 else {"a": beside, "b": value}
    whole = [[[]] * 1_100, value]
    # In MessagePack what is empty opens nothing that anything could lie in.
    assert is_deep_msgpack(msgspec.msgpack.encode(whole)) is (_depth(whole, -1) > DEPTH)
    assert is_deep_json(msgspec.json.encode(_as_json(whole))) is (_depth(whole, 0) > DEPTH)


def test_brackets_in_text_are_no_depth() -> None:
    assert not is_deep_json(b'["' + b"[" * 5_000 + b'", "\\"' + b"{" * 5_000 + b'\\\\"]')
    assert is_deep_json(b'["\\\\", ' + b"[" * 5_000)


def _depth(value: object, empty: int) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return 1 + max((_depth(one, empty) for one in value), default=empty)
    return 0


def _as_json(value: object) -> object:
    if isinstance(value, list):
        return [_as_json(one) for one in value]
    if isinstance(value, dict):
        return {name: _as_json(one) for name, one in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def test_flat_bytes_that_are_slow_to_read_are_left_after_so_many_things() -> None:
    """Attack: megabytes of lists of one, none inside another, cost seconds to look through."""
    flat = b"\xdc\xff\xff" + b"\x91\x01" * 65_535
    assert not is_deep_msgpack(flat)
    assert is_deep_msgpack(flat, 100)
    for request in (BackupRequest, TowerRequest):
        with pytest.raises(ValueError, match="nested"):
            request.parse(flat)
