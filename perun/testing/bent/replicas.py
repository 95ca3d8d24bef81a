"""Quirks of several nodes behind one address, which are not in step."""

from __future__ import annotations

from random import Random
from typing import Any

from perun.testing.bent.double import Bend, Kind
from perun.testing.bent.node import Ask, Question, Refusal

__all__ = ["KINDS"]

_WHICH = {"eth_call": 1, "eth_getTransactionCount": 1, "eth_getBalance": 1, "eth_getCode": 1}
"""Place of the block among the parameters of questions about state."""


def _number(text: Any) -> int | None:
    return int(text, 16) if isinstance(text, str) and text.startswith("0x") else None


def _seen_from(question: Question, ask: Ask, lag: int) -> dict[str, Any]:
    """What a node answers that is so many blocks behind."""
    head = max(0, question.head - lag)
    method, params = question.method, list(question.params)
    if method == "eth_blockNumber":
        return {"result": hex(head)}
    if method == "eth_getBlockByNumber":
        number = _number(params[0])
        if number is None and params[0] == "latest":
            return ask(question.with_params(hex(head), *params[1:]))
        if number is not None and number > head:
            return {"result": None}
        answer = ask(question)
        found = answer.get("result")
        if number is None and found and int(found["number"], 16) > head:
            # What it calls final is not above its own newest block.
            return ask(question.with_params(hex(head), *params[1:]))
        return answer
    if method == "eth_getLogs":
        return _logs_from(question, ask, head)
    if method in _WHICH and len(params) > _WHICH[method]:
        number = _number(params[_WHICH[method]])
        if number is not None and number > head:
            return Refusal(-32000, "header not found").answer()
        if params[_WHICH[method]] == "latest":
            params[_WHICH[method]] = hex(head)
            return ask(question.with_params(*params))
    if method == "eth_getTransactionReceipt":
        answer = ask(question)
        found = answer.get("result")
        late = found is not None and int(found["blockNumber"], 16) > head
        return {"result": None} if late else answer
    return ask(question)


def _logs_from(question: Question, ask: Ask, head: int) -> dict[str, Any]:
    """Blocks that a node does not have are empty to it; asked for by hash they are unknown."""
    wanted = question.params[0]
    if "blockHash" in wanted:
        answer = ask(question)
        late = any(int(log["blockNumber"], 16) > head for log in answer.get("result") or ())
        return Refusal(-32000, "unknown block").answer() if late else answer
    first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
    if first > head:
        return {"result": []}
    if last <= head:
        return ask(question)
    return ask(question.with_params({**wanted, "toBlock": hex(head)}))


def _one_in_two(rng: Random) -> Bend:
    most = rng.choice((1, 1, 2, 4))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        lag = rng.randint(1, most) if rng.random() < 0.5 else 0
        return _seen_from(question, ask, lag) if lag else ask(question)

    return bend


def _all_behind(rng: Random) -> Bend:
    lag = rng.choice((1, 2, 3))
    return lambda question, ask: _seen_from(question, ask, lag)


def _logs_behind(rng: Random) -> Bend:
    lag = rng.choice((1, 2, 3))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        logs = question.method == "eth_getLogs"
        return _seen_from(question, ask, lag) if logs else ask(question)

    return bend


def _counts_behind(rng: Random) -> Bend:
    """Of our transactions: too few, now and then."""
    short = rng.choice((1, 2))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        count = answer.get("result")
        if question.method != "eth_getTransactionCount" or count is None or rng.random() < 0.5:
            return answer
        return {"result": hex(max(0, int(count, 16) - short))}

    return bend


KINDS = (
    Kind("one question in two to a node behind", _one_in_two),
    Kind("all nodes a little behind", _all_behind),
    Kind("logs of a node behind", _logs_behind),
    Kind("counts of a node behind", _counts_behind),
)
