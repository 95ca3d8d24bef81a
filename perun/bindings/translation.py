"""What web3 and its providers raise, as this package's own `ChainFault`s.

Nodes answer a revert with a JSON-RPC error that carries the data; web3 makes exceptions of several
kinds of it. eth-tester raises exceptions of its own, whose data web3's provider has turned into the
text of a bytes literal. All of them end here, in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import requests
from eth_abi.exceptions import DecodingError
from web3.exceptions import (
    BadResponseFormat,
    BlockNotFound,
    ContractLogicError,
    MethodUnavailable,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)

from perun.bindings import reverts
from perun.bindings.failures import SHOWN, Garbled, NodeBusy, NodeRefused, NodeUnreachable, shown
from perun.bindings.reverts import RevertedWithReason
from perun.errors import ChainFault

_PREFIXES = ("execution reverted: ", "execution reverted")

_MOST_REVERT_DATA: Final = 2**16
"""Bytes of revert data that are looked at; an error with the longest list of ours has 20,000."""

_MALFORMED: Final = frozenset((-32700, -32600, -32601, -32602))
"""Codes of JSON-RPC 2.0 for a question that the node does not understand, now or later."""

_ABOUT_CONTRACTS: Final = re.compile(
    r"\b(reverted|revert|out of gas|invalid opcode|vm execution error)\b"
)
_ESCAPED: Final = r"\\x[0-9a-f]{2}|\\[tnr\\']"
_LITERAL: Final = re.compile(
    rf"""b'(?:[ -&(-\[\]-~]|{_ESCAPED})*'|b"(?:[ !#-\[\]-~]|{_ESCAPED})*\""""
)


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
        status = getattr(getattr(error, "response", None), "status_code", None)
        return NodeUnreachable(type(error).__name__, status)
    if isinstance(error, (DecodingError, UnicodeDecodeError)):
        return Garbled(f"{type(error).__name__} at what a contract is said to have refused with")
    # eth-tester's exception is known by its name: the package itself does without eth-tester.
    reverted = isinstance(error, ContractLogicError) or type(error).__name__ == "TransactionFailed"
    if not reverted and not isinstance(error, Web3Exception):
        return None
    # A chain in memory may mine a transaction at once, and name it in the exception.
    transaction = transaction or getattr(error, "transaction_hash", None)
    data = revert_data(error)
    # Empty data beside an error is what some write where there is none.
    if data or (data is not None and (reverted or _is_revert(error))):
        return reverts.decode(data, transaction)
    # web3's exceptions may show their whole arguments.
    words = _said(error).get("message") or getattr(error, "message", None) or error
    whole = text = str(words)[: 4 * SHOWN]
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    if isinstance(error, ContractLogicError):
        # web3 takes an error for a contract's because something stands beside its words, and then
        # adds words of its own.
        added = isinstance(error.data, (dict, list))
        reverted = not (text if added else whole) or _reverts(text if added else whole)
    if not reverted and not _is_revert(error):
        return _no(error, shown(text))
    if text and text != "no data":
        return RevertedWithReason(shown(text), transaction=transaction)
    return reverts.decode(b"", transaction)


def _no(error: Exception, reason: str) -> ChainFault:
    """An error in words that is no contract's."""
    if isinstance(error, BadResponseFormat):
        return Garbled(reason)
    if isinstance(error, (BlockNotFound, TransactionNotFound, MethodUnavailable)):
        return NodeRefused(reason)
    code = _said(error).get("code")
    return NodeRefused(reason) if code in _MALFORMED else NodeBusy(reason)


def _said(error: BaseException) -> dict[str, object]:
    """The error of JSON-RPC; empty if it is none."""
    if not isinstance(error, Web3RPCError) or not isinstance(error.rpc_response, dict):
        return {}
    answer = error.rpc_response.get("error")
    return dict(answer) if isinstance(answer, dict) else {}


def _is_revert(error: Exception) -> bool:
    """Whether words alone say that a contract refused: code 3 is geth's, others have only words."""
    said = _said(error)
    return said.get("code") == 3 or _reverts(str(said.get("message", "")))


def _reverts(words: str) -> bool:
    return _ABOUT_CONTRACTS.search(words[:SHOWN].lower()) is not None


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
    data = _said(error).get("data")
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
    """Bytes, hex, or the text of a bytes literal; cut off where no error of ours goes on."""
    if isinstance(found, (bytes, bytearray)):
        return bytes(found[:_MOST_REVERT_DATA])
    if not isinstance(found, str):
        return None
    # Before the hex, some write a word.
    found = found.removeprefix("Reverted ")[: 4 * _MOST_REVERT_DATA]
    try:
        if found.startswith("0x"):
            return bytes.fromhex(found[2:])[:_MOST_REVERT_DATA]
    except ValueError:
        return None
    if _LITERAL.fullmatch(found) is None:
        return None
    # What Python shows of bytes is ASCII with escapes; nothing of it is run.
    return found[2:-1].encode("ascii").decode("unicode_escape").encode("latin-1")
