"""Quirks about blocks: their headers, their tags, and which of them is the newest."""

from __future__ import annotations

from random import Random
from typing import Any

from perun.testing.bent.double import Bend, Http, Kind
from perun.testing.bent.node import Ask, Question
from perun.testing.bent.words import NO_TAG, PASSING, refusal

__all__ = ["KINDS"]

_BLOCK = "eth_getBlockByNumber"


def _about(question: Question, *tags: str) -> bool:
    return question.method == _BLOCK and question.params[0] in tags


def _with(answer: dict[str, Any], **fields: Any) -> dict[str, Any]:
    found = answer.get("result")
    return {"result": {**found, **fields}} if isinstance(found, dict) else answer


def _long_extra_data(rng: Random) -> Bend:
    data = "0x" + "d7" * rng.choice((33, 97, 97 + 20 * 65, 5_000))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        return _with(answer, extraData=data) if question.method == _BLOCK else answer

    return bend


def _odd_fields(rng: Random) -> Bend:
    """Fields that are not there, null, of other chains, or written otherwise."""
    gone = rng.sample(
        ("baseFeePerGas", "size", "totalDifficulty", "mixHash", "nonce", "miner", "sha3Uncles"), 3
    )

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        if question.method != _BLOCK or not isinstance(answer.get("result"), dict):
            return answer
        block = {name: value for name, value in answer["result"].items() if name not in gone}
        block |= {"l1BlockNumber": "0x1", "withdrawals": None, "sendCount": "0x0"}
        if rng.random() < 0.5:
            block["totalDifficulty"] = None
        return {"result": block}

    return bend


def _no_tag(rng: Random) -> Bend:
    said: list[dict[str, Any]] = [refusal(rng, NO_TAG).answer(), {"result": None}]
    answer = rng.choice(said)

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        return answer if _about(question, "finalized", "safe") else ask(question)

    return bend


def _final_is_far(rng: Random) -> Bend:
    behind = rng.choice((64, 150, 600, 10**9))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if not _about(question, "finalized", "safe"):
            return ask(question)
        return ask(question.with_params(hex(max(0, question.head - behind)), False))

    return bend


def _final_is_newest(_: Random) -> Bend:
    """A chain of instant finality; or a node that says so of any."""

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        asked = question
        if _about(question, "finalized", "safe"):
            asked = question.with_params("latest", False)
        return ask(asked)

    return bend


def _old_blocks_unknown(rng: Random) -> Bend:
    kept = rng.choice((4, 8, 16))
    words = refusal(rng, PASSING).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        which = question.params[0] if question.method == _BLOCK else ""
        if str(which).startswith("0x") and int(which, 16) < question.head - kept:
            return rng.choice((words, {"result": None}))
        return ask(question)

    return bend


def _no_block(rng: Random) -> Bend:
    found: Any = rng.choice((None, {}, {"number": None}))
    said = {"result": found}

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        return said if _about(question, "latest", "pending") else ask(question)

    return bend


def _same_block(rng: Random) -> Bend:
    """What was newest at first, or one before, stays so."""
    stuck: list[str] = []
    behind = rng.choice((0, 1, 1))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if not stuck:
            stuck.append(hex(max(0, question.head - behind)))
        if question.method == "eth_blockNumber":
            return {"result": stuck[0]}
        if _about(question, "latest", "pending"):
            return ask(question.with_params(stuck[0], *question.params[1:]))
        return ask(question)

    return bend


def _other_chain(rng: Random) -> Bend:
    other = hex(rng.choice((1, 137, 31338)))

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        return {"result": other} if question.method == "eth_chainId" else ask(question)

    return bend


KINDS = (
    Kind("extra data of proof of authority", _long_extra_data),
    Kind("headers with other fields", _odd_fields),
    Kind("no final tag", _no_tag),
    Kind("final block far behind", _final_is_far),
    Kind("newest block called final", _final_is_newest),
    Kind("old blocks unknown", _old_blocks_unknown),
    Kind("no newest block", _no_block, blinds=True),
    Kind("same block for ever", _same_block, blinds=True),
    Kind("another chain's id", _other_chain, blinds=True),
)
