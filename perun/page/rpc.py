"""JSON-RPC to a node of a chain: one question, one answer, whatever the node says as a fault.

Whoever carries the question bounds its time and the answer's size. What a node answers is a
stranger's text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from perun.bindings import reverts
from perun.bindings.failures import Garbled, NodeBusy, NodeRefused, NodeUnreachable, shown
from perun.bindings.reverts import RevertedWithReason
from perun.chain.numbered import is_for, numbers
from perun.errors import ChainFault
from perun.nesting import read_json

__all__ = ["Answer", "Post", "Rpc"]

_MALFORMED: Final = frozenset((-32700, -32600, -32601, -32602))
"""Codes of JSON-RPC 2.0 for a question that the node does not understand, now or later."""
_ABOUT_CONTRACTS: Final = re.compile(
    r"\b(reverted|revert|out of gas|invalid opcode|vm execution error)\b"
)
_PREFIXES: Final = ("execution reverted: ", "execution reverted")
_MOST_REVERT_DATA: Final = 2**16


class Answer(NamedTuple):
    """What came over HTTP."""

    status: int
    """0: nothing came; `text` says why."""
    text: str


Post = Callable[[str], Answer]
"""Sends a question's JSON to the node; never raises."""


class _Said(msgspec.Struct):
    """JSON-RPC's answer."""

    result: Any = msgspec.UNSET
    error: dict[str, Any] | None = None
    id: Any = None


class Rpc:
    """One node."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._numbers = numbers()

    def ask(self, method: str, *params: Any) -> Any:
        """The result.

        Raises:
            NodeUnreachable, Garbled, NodeRefused, NodeBusy, Reverted: as they say.
        """
        number = next(self._numbers)
        question = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        answer = self._post(msgspec.json.encode(question).decode())
        if answer.status == 0:
            raise NodeUnreachable(shown(answer.text))
        said = self._read(answer)
        if said is None or (said.error is None and said.result is msgspec.UNSET):
            if answer.status != 200:
                raise NodeUnreachable(f"HTTP {answer.status}", answer.status)
            raise Garbled("no answer of JSON-RPC")
        if not is_for({"id": said.id, "error": said.error}, number):
            raise Garbled("an answer to another question")
        if said.error is not None:
            raise _fault_of(said.error)
        return said.result

    def _read(self, answer: Answer) -> _Said | None:
        try:
            return read_json(answer.text, _Said)
        except msgspec.MsgspecError:
            return None


def _fault_of(error: Mapping[str, Any]) -> ChainFault:
    """A contract's refusal, the node's, or a passing one."""
    words, code = str(error.get("message", ""))[:1_000], error.get("code")
    data = _data_of(error.get("data"))
    about_contracts = code == 3 or _ABOUT_CONTRACTS.search(words[:200].lower()) is not None
    if data or (data is not None and about_contracts):
        return reverts.decode(data)
    if not about_contracts:
        reason = shown(words)
        return NodeRefused(reason) if code in _MALFORMED else NodeBusy(reason)
    for prefix in _PREFIXES:
        words = words.removeprefix(prefix)
    return RevertedWithReason(shown(words)) if words else reverts.decode(b"")


def _data_of(found: object) -> bytes | None:
    if isinstance(found, dict):
        # Some nodes wrap it once more.
        found = found.get("data")
    if not isinstance(found, str):
        return None
    found = found.removeprefix("Reverted ")[: 2 * _MOST_REVERT_DATA]
    if not found.startswith("0x"):
        return None
    try:
        return bytes.fromhex(found[2:])
    except ValueError:
        return None
