"""Quirks on the way of a transaction: estimates, prices, pools, receipts."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from perun.testing.bent.double import Bend, Http, Kind
from perun.testing.bent.node import Ask, Question, Refusal
from perun.testing.bent.words import PASSING, SERVER, refusal
from perun.testing.chain import BASE_FEE
from perun.testing.pool import read

__all__ = ["KINDS"]

_SEND = "eth_sendRawTransaction"
_RECEIPT = "eth_getTransactionReceipt"
_NUMBERS: Final = frozenset(
    (
        *("eth_chainId", "eth_estimateGas", "eth_gasPrice", "eth_getBalance"),
        *("eth_getTransactionCount", "eth_maxPriorityFeePerGas"),
    )
)
_GAS: Final = 1_200_000
"""More than any answer needs, whatever margin is put on top of an estimate."""


def _no_method(*methods: str) -> Any:
    def make(_: Random) -> Bend:
        def bend(question: Question, ask: Ask) -> dict[str, Any]:
            if question.method not in methods:
                return ask(question)
            words = f"the method {question.method} does not exist/is not available"
            return Refusal(-32601, words).answer()

        return bend

    return make


def _no_estimates(rng: Random) -> Bend:
    words = refusal(rng, PASSING).answer()
    part = rng.choice((0.5, 1.0))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        failing = question.method == "eth_estimateGas" and rng.random() < part
        return words if failing else ask(question)

    return bend


def _absurd_numbers(rng: Random) -> Bend:
    """Numbers that no chain has, where nothing is a reason to stop."""
    said = rng.choice(("0x" + "f" * 300, hex(2**20_000), "-0x1", -1, 10**30, 1e300, True))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        absurd = question.method in _NUMBERS and rng.random() < 0.5
        return {"result": said} if absurd else ask(question)

    return bend


def _huge_refusals(_: Random) -> Bend:
    """A refusal of a contract comes with data without end."""

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        answer = ask(question)
        error = answer.get("error")
        asked = question.method in ("eth_estimateGas", "eth_call")
        if not asked or not isinstance(error, dict) or error.get("code") != 3:
            return answer
        return {"error": {**error, "data": "0x08c379a0" + "ff" * 300_000}}

    return bend


def _no_pending(rng: Random) -> Bend:
    words = Refusal(-32602, "invalid block tag: pending").answer()
    latest = rng.random() < 0.5

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if question.method != "eth_getTransactionCount" or question.params[1] != "pending":
            return ask(question)
        return ask(question.with_params(question.params[0], "latest")) if latest else words

    return bend


def _after_taking(rng: Random) -> Bend:
    """It has taken the transaction in, and says something else."""
    said: list[dict[str, Any] | Http] = [
        Refusal(-32000, "already known").answer(),
        Refusal(-32010, "Transaction with the same hash was already imported.").answer(),
        Refusal(-32000, "known transaction: 5d1975").answer(),
        refusal(rng, PASSING).answer(),
        Http(b"<html>gateway timeout</html>", rng.choice(SERVER)),
        Http(cut=True),
        {"result": "0x" + "11" * 32},
        {"result": None},
    ]
    answer = rng.choice(said)

    def bend(question: Question, ask: Ask) -> dict[str, Any] | Http:
        found = ask(question)
        # What another quirk has refused was not taken: those words must be heard.
        taken = question.method == _SEND and isinstance(found, dict) and "result" in found
        return answer if taken else found

    return bend


def _not_taken(rng: Random) -> Bend:
    """Some transactions are refused in words of a node behind, or of a pool that is full."""
    words = rng.choice(
        (
            Refusal(-32000, "nonce too low: next nonce 7, tx nonce 6"),
            Refusal(-32000, "replacement transaction underpriced"),
            Refusal(-32000, "transaction underpriced"),
            Refusal(-32000, "txpool is full"),
            Refusal(-32003, "transaction rejected"),
            refusal(rng, PASSING),
        )
    ).answer()

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        failing = question.method == _SEND and rng.random() < 0.5
        return words if failing else ask(question)

    return bend


def _fee_cap(rng: Random) -> Bend:
    """A transaction may not bid more than a little above what blocks take."""
    most = int(rng.choice((1.2, 1.5, 2.5)) * BASE_FEE)

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if question.method == _SEND and read(_raw(question)).most > most:
            words = "tx fee (1.63 ether) exceeds the configured cap (1.00 ether)"
            return Refusal(-32000, words).answer()
        return ask(question)

    return bend


def _fee_of_layer_one(rng: Random) -> Bend:
    """The account has little, and a fee for layer 1 comes on top of what a transaction bids."""
    fee = rng.choice((2, 200)) * 10**12
    has = int(_GAS * BASE_FEE * rng.choice((1.5, 3.0))) + fee

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if question.method == "eth_getBalance":
            return {"result": hex(has)}
        if question.method == _SEND:
            needed = read(_raw(question)).most * _gas(question) + fee
            if needed > has:
                words = f"insufficient funds for gas * price + value: balance {has}, tx cost "
                return Refusal(-32000, f"{words}{needed}, overshot {needed - has}").answer()
        return ask(question)

    return bend


def _raw(question: Question) -> bytes:
    return bytes.fromhex(question.params[0][2:])


def _gas(question: Question) -> int:
    return int(TypedTransaction.from_bytes(HexBytes(_raw(question))).as_dict()["gas"])


def _forgets(rng: Random) -> Bend:
    """It takes a transaction in and drops it: the pool is full of dearer ones."""
    part = rng.choice((0.3, 0.7))

    def bend(question: Question, ask: Ask) -> dict[str, Any]:
        if question.method == _SEND and rng.random() < part:
            return {"result": "0x" + "22" * 32}
        return ask(question)

    return bend


def _receipts(change: Any) -> Any:
    def make(rng: Random) -> Bend:
        def bend(question: Question, ask: Ask) -> dict[str, Any]:
            answer = ask(question)
            if question.method != _RECEIPT or not answer.get("result"):
                return answer
            changed: dict[str, Any] = change(rng, answer)
            return changed

        return bend

    return make


def _without(*names: str) -> Any:
    def change(_: Random, answer: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in answer["result"].items() if name not in names}
        return {"result": kept}

    return change


KINDS = (
    Kind("no tip", _no_method("eth_maxPriorityFeePerGas", "eth_feeHistory")),
    Kind("no prices", _no_method("eth_maxPriorityFeePerGas", "eth_feeHistory", "eth_gasPrice")),
    Kind("no estimates", _no_estimates),
    Kind("absurd numbers", _absurd_numbers),
    Kind("huge refusals", _huge_refusals),
    Kind("no pending count", _no_pending),
    Kind("taken, and something else said", _after_taking),
    Kind("transactions not taken at first", _not_taken),
    Kind("transactions forgotten", _forgets),
    Kind("a cap on fees", _fee_cap),
    Kind("a fee of layer 1 on top", _fee_of_layer_one, stands=False),
    Kind("receipts without price", _receipts(_without("effectiveGasPrice"))),
    Kind("receipts without status", _receipts(_without("status")), stands=False),
    Kind(
        "receipts being indexed",
        _receipts(lambda rng, _: refusal(rng, PASSING).answer()),
        stands=False,
    ),
    Kind("no receipts", _receipts(lambda _, __: {"result": None}), stands=False),
    Kind("some receipts late", _receipts(lambda rng, a: rng.choice(({"result": None}, a)))),
)
