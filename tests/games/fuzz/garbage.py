"""Ways to damage bytes and messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import strategies as st

_WRONG: tuple[Any, ...] = (
    None,
    -1,
    2**63,
    2**64 - 1,
    b"",
    b"\x00" * 32,
    b"\xff" * 65,
    "",
    "x" * 500,
    True,
    1.5,
    [],
    {},
    [[]],
    {"a": 1},
)


@dataclass(frozen=True, slots=True)
class Damage:
    """A few edits of bytes: place, bits to flip, and what is cut or put in there."""

    edits: tuple[tuple[int, int, int, bytes], ...]

    def __call__(self, data: bytes) -> bytes:
        """The damaged bytes."""
        broken = bytearray(data)
        for place, bits, cut, put in self.edits:
            at = place % (len(broken) + 1)
            if cut or put:
                broken[at : at + cut] = put
            elif at < len(broken):
                broken[at] ^= 1 + bits % 255
        return bytes(broken)


def damages() -> st.SearchStrategy[Damage]:
    """One to four edits."""
    edit = st.tuples(
        st.integers(0, 2**16),
        st.integers(0, 254),
        st.sampled_from((0, 0, 0, 1, 4, 1_000)),
        st.one_of(st.just(b""), st.just(b""), st.binary(max_size=12)),
    )
    return st.lists(edit, min_size=1, max_size=4).map(lambda edits: Damage(tuple(edits)))


def misshapen(frame: bytes, path: list[int], wrong: int) -> bytes:
    """A message whose bytes are in order and one of whose fields is something else."""
    whole = msgspec.msgpack.decode(frame[1:], ext_hook=lambda _code, _data: 0)
    level = whole
    for step in path[:-1]:
        inner = level[step % len(level)]
        if not isinstance(inner, list) or not inner:
            break
        level = inner
    level[path[-1] % len(level)] = _WRONG[wrong % len(_WRONG)]
    return frame[:1] + msgspec.msgpack.encode(whole)


__all__ = ["Damage", "damages", "misshapen"]
