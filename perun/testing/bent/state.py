"""Quirks about state: what a node no longer has, or does not tell."""

from __future__ import annotations

from random import Random
from typing import Any

from perun.testing.bent.double import Bend, Http, Kind
from perun.testing.bent.node import Ask, Question
from perun.testing.bent.words import NO_STATE, PASSING, refusal

__all__ = ["KINDS"]

_STATE = {"eth_call": 1, "eth_getTransactionCount": 1, "eth_getBalance": 1, "eth_getCode": 1}


def _pruned(rng: Random) -> Bend:
    kept = rng.choice((1, 1, 2, 8, 128))
    words = refusal(rng, NO_STATE).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        place = _STATE.get(question.method, 9)
        which = question.params[place] if len(question.params) > place else ""
        if str(which).startswith("0x") and int(which, 16) <= question.head - kept:
            return words
        return ask(question)

    return bend


def _never(*methods: str) -> Any:
    """A node that cannot answer these, today or ever."""

    def make(rng: Random) -> Bend:
        words = refusal(rng, PASSING).answer()

        def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
            return words if question.method in methods else ask(question)

        return bend

    return make


def _calls_fail(rng: Random) -> Bend:
    words = refusal(rng, PASSING).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        failing = question.method == "eth_call" and rng.random() < 0.7
        return words if failing else ask(question)

    return bend


KINDS = (
    Kind("old state pruned", _pruned),
    Kind("calls fail most times", _calls_fail),
    Kind("no balances", _never("eth_getBalance")),
    Kind("no code", _never("eth_getCode")),
    Kind("no calls", _never("eth_call"), stands=False),
    Kind("no logs", _never("eth_getLogs"), stands=False),
)
