"""What nodes and providers say when they cannot answer: code and words, as they were met."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from perun.testing.bent.double import Http
from perun.testing.bent.node import Refusal

__all__ = ["LONG_RANGE", "NO_STATE", "NO_TAG", "PASSING", "SERVER", "failure", "refusal"]

PASSING: Final = (
    (-32005, "daily request count exceeded, request rate limited"),
    (-32005, "Too Many Requests"),
    (429, "Your app has exceeded its compute units per second capacity."),
    (-32097, "rate limit exceeded"),
    (-32000, "header not found"),
    (-32000, "Internal error"),
    (-32603, "internal error: execution timeout"),
    (-32000, "execution aborted (timeout = 5s)"),
    (-32603, "upstream request timeout"),
    (-32000, "transaction indexing is in progress"),
    (-32000, "the node is syncing"),
    (-32016, "over rate limit"),
    (-32000, "database closed"),
    (-32001, "Unable to complete request at this time."),
    (19, "Temporary internal error. Please retry"),
)
"""Passing faults: the same question is answered some other time."""

LONG_RANGE: Final = (
    (
        -32600,
        "Under the Free tier plan, you can make eth_getLogs requests with up to a {} block",
    ),
    (-32000, "exceed maximum block range: {}"),
    (-32602, "eth_getLogs is limited to a {} range"),
    (-32005, "query exceeds max block range {}"),
    (-32701, "Please specify an address in your request or, to remove restrictions, order a node"),
    (-32614, "eth_getLogs is limited to a {},000 range"),
    (35, "ranges over {} blocks are not supported on freetier"),
)

NO_STATE: Final = (
    (-32000, "missing trie node 5d1975 (path ) state 0x5d1975 is not available"),
    (-32000, "header not found"),
    (-32000, "historical state 0x5d1975 is not available"),
    (-32000, "required historical state unavailable (reexec=128)"),
    (4444, "pruned history unavailable"),
    (-32603, "State already discarded for block"),
    (-32000, "old data not available due to pruning"),
)

NO_TAG: Final = (
    (-32602, "invalid argument 0: hex string without 0x prefix"),
    (-32602, "invalid blocknumber: finalized"),
    (-39001, "Unknown block"),
    (-32000, "finalized block not found"),
    (-32601, "the method does not know this tag"),
)

SERVER: Final = (429, 500, 502, 503, 504, 408, 403, 520)


def refusal(rng: Random, words: tuple[tuple[int, str], ...], number: int = 0) -> Refusal:
    """One of these wordings."""
    code, message = rng.choice(words)
    return Refusal(code, message.replace("{}", str(number)))


def failure(rng: Random) -> dict[str, Any] | Http:
    """Something that is no answer, and passes."""
    if rng.random() < 0.6:
        return refusal(rng, PASSING).answer()
    if rng.random() < 0.5:
        return Http(b"<html><h1>Service Unavailable</h1></html>", rng.choice(SERVER))
    strange: tuple[dict[str, Any] | Http, ...] = (
        Http(cut=True),
        Http(b""),
        Http(b"<html>maintenance</html>"),
        Http(b'{"jsonrpc": "2.0", "id": 1, "resu'),
        Http(b"[]"),
        Http(b"null"),
        Http(b'{"jsonrpc": "2.0", "id": 0, "error": null, "result": null}'),
        {"error": {}},
        {"error": "busy"},
        {},
    )
    return rng.choice(strange)
