"""Every place of every answer of a node, changed in every way: what `test_mutations.py` goes by."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from web3.providers.base import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from perun.chain.provider import decode, listed
from perun.testing.bent.node import Question, ScriptedNode

__all__ = ["Case", "Mutating", "cases"]

Change = Callable[[Any], Any]
Kind = tuple[str, str]
"""A method, and what of it: a tag, a selector."""

_GONE: Final = object()
_EACH: Final = "*"
_OF_RESULT: Final = "result"


def _of_text(change: Callable[[str], Any]) -> Change:
    return lambda old: change(old) if isinstance(old, str) else old


def _plus(more: int) -> Change:
    def change(text: str) -> str:
        try:
            number = int(text, 16) + more
        except ValueError:
            return text
        short = len(text) < 40
        return hex(max(0, number)) if short else f"0x{number % 2**256:0{len(text) - 2}x}"

    return _of_text(change)


_LEAF: Final[Mapping[str, Change]] = {
    **{f"is {it!r}"[:20]: (lambda _, it=it: it) for it in (None, "", "0x", "0x0", "0x1", 7, -1)},
    **{f"is {it!r}"[:20]: (lambda _, it=it: it) for it in (1.5, 1e300, True, "-0x1")},
    **{f"is {it!r}"[:20]: (lambda _, it=it: it) for it in ("\x1b[2J[red]", "0x" + "ff" * 32)},
    "is gone": lambda _: _GONE,
    "is a giant": lambda _: "0x" + "ff" * 5_000,
    "in a list": lambda old: [old],
    "in an object": lambda old: {"a": old},
    "in capitals": _of_text(str.upper),
    "without 0x": _of_text(lambda old: old[2:]),
    "half": _of_text(lambda old: old[: len(old) // 2]),
    "twice": _of_text(lambda old: old + old[2:]),
    "a digit less": _of_text(lambda old: old[:-1]),
    "zeros": _of_text(lambda old: "0x" + "0" * (len(old) - 2)),
    **{f"{more:+}": _plus(more) for more in (1, -1, 2**20)},
}
_HOLDER: Final[Mapping[str, Change]] = {
    **{f"is {it!r}": (lambda _, it=it: it) for it in (None, [], {}, "text", 7)},
    "is gone": lambda _: _GONE,
    "twice": lambda old: old * 2 if isinstance(old, list) else old,
    "backwards": lambda old: old[::-1] if isinstance(old, list) else old,
    "first": lambda old: old[:1] if isinstance(old, list) else old,
    "all but the last": lambda old: old[:-1] if isinstance(old, list) else old,
    "in a list": lambda old: [old],
    "after null": lambda old: [None, *old] if isinstance(old, list) else old,
}


def _error(error: Any) -> Change:
    return lambda _: {"jsonrpc": "2.0", "id": 1, "error": error}


_WHOLE: Final[Mapping[str, Change]] = {
    "nothing": lambda _: {"jsonrpc": "2.0", "id": 1},
    "no version": lambda old: {name: it for name, it in old.items() if name != "jsonrpc"},
    "and no error": lambda old: {**old, "error": None},
    "and an error": lambda old: {**old, "error": {"code": -32000, "message": "x"}},
    **{f"error {it!r}"[:30]: _error(it) for it in ("no", [], {})},
    "error of nothing": _error({"code": "x", "message": None, "data": {"data": 7}}),
    "refusal": _error({"code": 3, "message": "execution reverted", "data": "0x" + "00" * 40}),
    "refusal in words": _error({"code": -32015, "message": "VM error.", "data": "Reverted 0x"}),
}


@dataclass(frozen=True, slots=True)
class Case:
    """One change of one place in the answers to one kind of question."""

    of: Kind
    place: tuple[str, ...]
    """Names from the answer on; `*` each of a list."""
    name: str
    change: Change

    def __str__(self) -> str:
        return " ".join((*self.of, ".".join(self.place), self.name))


def cases(seen: Mapping[Kind, list[Any]]) -> list[Case]:
    """All there are, of answers to each kind of question."""
    found: dict[tuple[Kind, tuple[str, ...], str], Case] = {}
    for kind, results in seen.items():
        for name, change in _WHOLE.items():
            found[kind, (), name] = Case(kind, (), name, change)
        for result in results:
            for place, value in _places(result, (_OF_RESULT,)):
                changes = _HOLDER if isinstance(value, dict | list) else _LEAF
                for name, change in changes.items():
                    found.setdefault((kind, place, name), Case(kind, place, name, change))
    return list(found.values())


def _places(value: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield at, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _places(inner, (*at, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _places(inner, (*at, _EACH))


def _changed(value: Any, place: tuple[str, ...], change: Change) -> Any:
    if not place:
        return change(value)
    first, rest = place[0], place[1:]
    if first == _EACH and isinstance(value, list):
        inner = [_changed(one, rest, change) for one in value]
        return [one for one in inner if one is not _GONE]
    if not isinstance(value, dict) or first not in value:
        return value
    new = _changed(value[first], rest, change)
    kept = {name: one for name, one in value.items() if name != first}
    return kept if new is _GONE else {**kept, first: new}


class Mutating(JSONBaseProvider):
    """web3's way to a scripted node; its answers as a case has them."""

    def __init__(self, node: ScriptedNode) -> None:
        super().__init__()
        self._node = node
        self.case: Case | None = None
        self.seen: dict[Kind, list[Any]] = {}
        """What was answered, by kind of question."""

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        params = json.loads(self.encode_rpc_request(method, params))["params"]
        answer = {"jsonrpc": "2.0", "id": 1, **self._node.answer(Question(method, params))}
        kind = _kind(method, params)
        if _OF_RESULT in answer:
            self.seen.setdefault(kind, []).append(answer[_OF_RESULT])
        if self.case is not None and self.case.of == kind:
            answer = _changed(copy.deepcopy(answer), self.case.place, self.case.change)
        return listed(method, cast("RPCResponse", decode(json.dumps(answer).encode())))


def _kind(method: str, params: list[Any]) -> Kind:
    if method == "eth_call":
        return method, str(params[0].get("data") or params[0].get("input"))[:10]
    if method == "eth_getLogs":
        return method, "by hash" if "blockHash" in params[0] else "by number"
    place = {"eth_getBlockByNumber": 0, "eth_getTransactionCount": 1}.get(method)
    which = "" if place is None else str(params[place])
    return method, "number" if which.startswith("0x") else which
