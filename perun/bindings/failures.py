"""What web3 and its providers raise, as this package's own `ChainFault`s.

Nodes answer a revert with a JSON-RPC error that carries the data; web3 makes exceptions of several
kinds of it. eth-tester raises exceptions of its own, whose data web3's provider has turned into the
text of a bytes literal. All of them end here, in one place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import requests
from web3.exceptions import ContractLogicError, Web3Exception, Web3RPCError

from perun.bindings import reverts
from perun.bindings.reverts import RevertedWithReason
from perun.errors import ChainFault

_PREFIXES = ("execution reverted: ", "execution reverted")


@dataclass(eq=False)
class NodeUnreachable(ChainFault):
    """No answer came from the node. A transaction may or may not have reached it."""

    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no answer from the node: {reason}"
    hint: ClassVar[str] = "look for the transaction by its hash or nonce before sending another"


@dataclass(eq=False)
class NodeRefused(ChainFault):
    """The node answered with an error that is no revert: a wrong nonce, say, or too little ETH."""

    reason: str

    template: ClassVar[str] = "the node refused: {reason}"


@dataclass(eq=False)
class NotMined(ChainFault):
    """A transaction was sent, but is in no block yet."""

    transaction: bytes
    waited: float
    """Seconds."""

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "transaction {transaction} not mined within {waited} seconds"
    hint: ClassVar[str] = "wait for it, or replace it with a higher fee under the same nonce"


@contextmanager
def translated(transaction: bytes | None = None) -> Iterator[None]:
    """Turns what web3 raises inside the block into a `ChainFault`; bugs pass as they are."""
    try:
        yield
    except Exception as error:
        fault = as_fault(error, transaction)
        if fault is None:
            raise
        raise fault from error


def as_fault(error: Exception, transaction: bytes | None = None) -> ChainFault | None:
    """The fault that an exception of web3, its provider or eth-tester stands for.

    None for anything else: that is a bug somewhere and must stay visible as what it is.
    """
    if isinstance(error, (requests.RequestException, OSError)):
        return NodeUnreachable(type(error).__name__)
    # eth-tester's exception is known by its name: the package itself does without eth-tester.
    reverted = isinstance(error, ContractLogicError) or type(error).__name__ == "TransactionFailed"
    if not reverted and not isinstance(error, Web3Exception):
        return None
    # A chain in memory may mine a transaction at once, and name it in the exception.
    transaction = transaction or getattr(error, "transaction_hash", None)
    data = revert_data(error)
    if data is not None:
        return reverts.decode(data, transaction)
    # web3's exceptions may show their whole arguments.
    text = str(getattr(error, "message", None) or error)
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    if not reverted:
        return NodeRefused(text)
    if text and text != "no data":
        return RevertedWithReason(text, transaction=transaction)
    return reverts.decode(b"", transaction)


def revert_data(error: BaseException) -> bytes | None:
    """What the contract answered, from wherever in the exception it stands; None if nowhere."""
    for cause in _causes(error):
        for found in _candidates(cause):
            data = _as_bytes(found)
            if data is not None:
                return data
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what led to it."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _candidates(error: BaseException) -> Iterator[object]:
    """Places of one exception in which revert data may stand, the best first."""
    if isinstance(error, Web3RPCError) and error.rpc_response is not None:
        answer = error.rpc_response.get("error")
        if isinstance(answer, dict):
            data = answer.get("data")
            # Some nodes wrap it once more.
            yield data.get("data") if isinstance(data, dict) else data
    yield getattr(error, "data", None)
    argument = error.args[0] if error.args else None
    while isinstance(argument, BaseException):
        argument = argument.args[0] if argument.args else None
    if isinstance(argument, str):
        for prefix in _PREFIXES:
            argument = argument.removeprefix(prefix)
        if argument[:2] not in ("b'", 'b"'):
            return
    yield argument


def _as_bytes(found: object) -> bytes | None:
    """Bytes, hex, or the text of a bytes literal."""
    if isinstance(found, (bytes, bytearray)):
        return bytes(found)
    if not isinstance(found, str):
        return None
    try:
        if found.startswith("0x"):
            return bytes.fromhex(found[2:])
        if found[:2] in ("b'", 'b"'):
            literal = ast.literal_eval(found)
            return literal if isinstance(literal, bytes) else None
    except (ValueError, SyntaxError):
        pass
    return None
