"""Quirks of the way itself: quotas, outages, and answers that attack whoever reads them."""

from __future__ import annotations

import gzip
import json
from functools import cache
from random import Random
from typing import Any, Final

from perun.testing.bent.double import Bend, Http, Kind
from perun.testing.bent.node import Ask, Question, Refusal
from perun.testing.bent.words import failure

__all__ = ["KINDS"]

_DRIP_SECONDS: Final = 0.05


def _flaky(rng: Random) -> Bend:
    part = rng.choice((0.02, 0.05, 0.1, 0.2))

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        return failure(rng) if rng.random() < part else ask(question)

    return bend


def _quota(rng: Random) -> Bend:
    """So many answers in a row, then as many refusals."""
    answered, refused, count = rng.randint(15, 60), rng.randint(3, 15), 0
    words = Refusal(-32005, "Too Many Requests").answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        nonlocal count
        count = (count + 1) % (answered + refused)
        return ask(question) if count < answered else words

    return bend


def _mixed_up(rng: Random) -> Bend:
    """A gateway that gives now and then what it has answered before, to whomever."""
    part, before = rng.choice((0.05, 0.2)), list[dict[str, Any]]()

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        if before and rng.random() < part:
            mixed = {"jsonrpc": "2.0", "id": rng.randrange(2**31), **rng.choice(before)}
            return Http(json.dumps(mixed).encode())
        answer = ask(question)
        before[:] = [*before[-30:], answer]
        return answer

    return bend


def _nothing_else(answer: Any) -> Any:
    def make(rng: Random) -> Bend:
        def bend(_: Question, __: Ask) -> dict[str, Any] | Http:
            found: dict[str, Any] | Http = answer(rng)
            return found

        return bend

    return make


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 200_000_000, 1)


@cache
def _deep() -> bytes:
    return b'{"jsonrpc":"2.0","id":1,"result":' + b"[" * 180_000


def _drips(_: Random) -> Http:
    return Http(b'{"jsonrpc":"2.0",' + b" " * 100_000, drip=_DRIP_SECONDS)


KINDS = (
    Kind("flaky", _flaky),
    Kind("a quota", _quota),
    Kind("answers of other questions", _mixed_up),
    Kind("an outage", _nothing_else(failure), blinds=True),
    Kind("connections cut", _nothing_else(lambda _: Http(cut=True)), blinds=True),
    Kind("nested without end", _nothing_else(lambda _: Http(_deep())), blinds=True),
    Kind(
        "a bomb of gzip",
        _nothing_else(lambda _: Http(_bomb(), headers=(("Content-Encoding", "gzip"),))),
        blinds=True,
    ),
    Kind("dripping", _nothing_else(_drips), blinds=True),
)
