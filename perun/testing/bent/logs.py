"""Quirks of `eth_getLogs`: what is too much to ask for, and what is wrong with the answer."""

from __future__ import annotations

from random import Random
from typing import Any

from perun.testing.bent.double import Bend, Http, Kind
from perun.testing.bent.node import Ask, Question, Refusal
from perun.testing.bent.words import LONG_RANGE, SERVER, refusal

__all__ = ["KINDS"]

_LOGS = "eth_getLogs"


def _span(question: Question) -> int:
    """Blocks that are asked for at once; 0 if it is another question."""
    wanted = question.params[0] if question.method == _LOGS else {}
    if "fromBlock" not in wanted or not str(wanted["toBlock"]).startswith("0x"):
        return 0
    return int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) + 1


def _short_ranges(rng: Random) -> Bend:
    most = rng.choice((1, 5, 10, 10, 1_000, 10_000))
    words = refusal(rng, LONG_RANGE, most).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        return words if _span(question) > most else ask(question)

    return bend


def _gateway_gives_up(rng: Random) -> Bend:
    most, status = rng.choice((8, 20, 2_000)), rng.choice((*SERVER[2:6], 413, 400))

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        if _span(question) > most:
            return Http(b"<html>gateway timeout</html>", status)
        return ask(question)

    return bend


def _few_logs(rng: Random) -> Bend:
    most = rng.choice((3, 10, 10_000))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        found = answer.get("result") if question.method == _LOGS else None
        if found is None or len(found) <= most or _span(question) == 1:
            return answer
        return Refusal(-32005, f"query returned more than {most} results").answer()

    return bend


def _changed(change: Any) -> Bend:
    """What becomes of the logs of an answer."""

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        found = answer.get("result") if question.method == _LOGS else None
        if not found:
            return answer
        changed = change(list(found))
        return answer if changed == found else {"result": changed}

    return bend


def _out_of_order(rng: Random) -> Bend:
    return _changed(lambda logs: rng.sample(logs, len(logs)))


def _twice(rng: Random) -> Bend:
    return _changed(lambda logs: [*logs, *rng.choices(logs, k=rng.randint(1, 3))])


def _some_missing(rng: Random) -> Bend:
    part = rng.choice((0.2, 0.5, 1.0))
    return _changed(lambda logs: [log for log in logs if rng.random() >= part])


def _index_broken(rng: Random) -> Bend:
    """The same ones are always missing."""
    odd = rng.choice((0, 1, 2))

    def missing(log: dict[str, Any]) -> bool:
        return odd == 2 or int(log["transactionHash"][-1], 16) % 2 == odd

    return _changed(lambda logs: [log for log in logs if not missing(log)])


def _removed(rng: Random) -> Bend:
    """Logs of blocks that were taken back are told along, marked as such."""

    def change(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        gone = {**rng.choice(logs), "removed": True, "blockHash": "0x" + "ab" * 32}
        return [gone, *logs]

    return _changed(change)


def _of_another_block(rng: Random) -> Bend:
    part = rng.choice((0.1, 1.0))

    def change(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**log, "blockHash": "0x" + "cd" * 32} if rng.random() < part else log for log in logs
        ]

    return _changed(change)


def _indices_of_transactions(_: Random) -> Bend:
    """Logs are counted anew in each transaction."""
    return _changed(lambda logs: [{**log, "logIndex": "0x0"} for log in logs])


def _not_by_hash(rng: Random) -> Bend:
    words = rng.choice(
        (
            Refusal(-32602, "invalid argument 0: cannot specify both BlockHash and FromBlock"),
            Refusal(-32602, "missing field `fromBlock`"),
            Refusal(-32000, "blockHash is not supported"),
        )
    ).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        by_hash = question.method == _LOGS and "blockHash" in question.params[0]
        return words if by_hash else ask(question)

    return bend


def _null_for_none(_: Random) -> Bend:
    """A list of nothing is written as null."""

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        is_none = question.method == _LOGS and answer.get("result") == []
        return {"result": None} if is_none else answer

    return bend


def _unfiltered(_: Random) -> Bend:
    """Topics are ignored: logs of everybody come."""

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        wanted = question.params[0] if question.method == _LOGS else {}
        if "topics" not in wanted:
            return ask(question)
        without = {name: value for name, value in wanted.items() if name != "topics"}
        return ask(question.with_params(without))

    return bend


KINDS = (
    Kind("logs of few blocks only", _short_ranges),
    Kind("a gateway gives up on many blocks", _gateway_gives_up),
    Kind("few logs at once", _few_logs),
    Kind("logs out of order", _out_of_order),
    Kind("logs twice", _twice),
    Kind("some logs missing", _some_missing, stands=False),
    Kind("a broken index", _index_broken, stands=False),
    Kind("removed logs told along", _removed),
    Kind("logs of another block", _of_another_block, stands=False),
    Kind("log indices by transaction", _indices_of_transactions),
    Kind("no logs by hash", _not_by_hash),
    Kind("null for no logs", _null_for_none),
    Kind("topics ignored", _unfiltered),
)
