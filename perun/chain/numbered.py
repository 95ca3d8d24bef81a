"""Numbers of questions in JSON-RPC, by which an answer is known to be to this question.

Gateways in front of nodes keep answers, and mix them up. A number that begins where no other
client's does shows it; what is told to nobody in particular can only be an error.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from typing import Any, Final

import msgspec

__all__ = ["is_for", "number_of", "numbers"]

_FIRST: Final = 2**31
"""Below what every program reads as a whole number."""


def numbers() -> itertools.count[int]:
    """Of one client's questions, from a random one on."""
    return itertools.count(secrets.randbelow(_FIRST))


class _Numbered(msgspec.Struct):
    id: int


def number_of(question: bytes) -> int:
    """The number that a question of ours carries."""
    return msgspec.json.decode(question, type=_Numbered).id


def is_for(answer: Mapping[str, Any], number: int) -> bool:
    """Whether an answer is to the question of this number.

    Some write it as text. To a question that was not read a node says an error and no number
    (JSON-RPC 2.0, section 5).
    """
    said = answer.get("id")
    return said is not True and (
        said in (number, str(number)) or (said is None and answer.get("error") is not None)
    )
