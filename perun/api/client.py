"""A client of a node on this machine that waits for each answer.

    node = perun.connect()
    node.pay("perun1…@host", "0.1 ether")

What moves money is asked again after a lost connection, with the same idempotency key: it happens
once. `perun.api.side_by_side` does not wait.
"""

from __future__ import annotations

import http.client
import itertools
import os
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

import msgspec

from perun.api.amounts import has_names, has_units, in_digits, tokens_among
from perun.api.calls import Calls
from perun.api.place import DEFAULT_HOME, read_place
from perun.app.values import Channel, Event, Network, Payment, Token
from perun.errors import ChainFault, Misuse

__all__ = [
    "CallRefused",
    "Node",
    "NotReached",
    "Question",
    "body_of",
    "connect",
    "find",
    "question_about",
    "result_of",
]

TRIES: Final = 3
_ASK_AGAIN: Final = 30
"""Seconds for which a question for events stays open."""
PATIENCE: Final = 90
"""Seconds for an answer, beside those that a call says itself."""


@dataclass(eq=False)
class CallRefused(Misuse):
    """The node has refused a call."""

    code: int
    name: str
    text: str
    values: dict[str, str]
    do: str

    template: ClassVar[str] = "{text}"


@dataclass(eq=False)
class NotReached(ChainFault):
    """No node answers."""

    url: str
    reason: str

    retry: ClassVar[bool] = True
    template: ClassVar[str] = "no node answers at {url}: {reason}"
    hint: ClassVar[str] = "is it running? `perun node start` starts it, `perun init` makes one"


class _Raw(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: dict[str, Any] | None = None


def body_of(number: int, method: str, fields: dict[str, Any]) -> bytes:
    """A call; what was left out takes the method's own default."""
    given = {name: value for name, value in fields.items() if value is not None}
    if "idempotencyKey" in fields and "idempotencyKey" not in given and method != "payment":
        given["idempotencyKey"] = uuid.uuid4().hex
    call = {"jsonrpc": "2.0", "id": number, "method": method, "params": given}
    return msgspec.json.encode(call)


@dataclass(frozen=True, slots=True)
class Question:
    """A call that tells the asset of what another call is about: of a channel, of a payment."""

    method: str
    result: Any
    fields: dict[str, Any]
    id: str

    def answered(self, answer: Any) -> str | None:
        """The asset; None if there is no such thing, which the node says better than we."""
        found = [answer] if isinstance(answer, Payment) else list(answer)
        return next((one.asset for one in found if one.id == self.id), None)


def question_about(method: str, fields: dict[str, Any]) -> Question | None:
    """What to ask before an amount with a unit is read, where the call itself names no asset."""
    if "asset" in fields or not has_units(fields):
        return None
    if method == "refund":
        return Question("payment", Payment, {"id": fields["payment"]}, fields["payment"])
    return Question("channels", tuple[Channel, ...], {"ended": False}, fields["channel"])


def result_of(body: bytes, kind: Any) -> Any:
    """What was answered. Raises `CallRefused`."""
    raw = msgspec.json.decode(body, type=_Raw)
    if raw.error is not None:
        data = raw.error.get("data", {})
        raise CallRefused(
            raw.error["code"],
            data.get("name", ""),
            raw.error["message"],
            data.get("values", {}),
            data.get("do", ""),
        )
    return msgspec.json.decode(raw.result, type=kind)


class Node(Calls):
    """A node, asked over HTTP; each call waits for its answer."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        parts = urlsplit(url)
        self._place = (parts.hostname or "", parts.port or 80)
        self._numbers = itertools.count(1)
        self._line: http.client.HTTPConnection | None = None
        self._tokens: tuple[Token, ...] = ()

    def __repr__(self) -> str:
        """Without the token."""
        return f"Node({self.url})"

    def _call(self, method: str, result: Any, fields: dict[str, Any]) -> Any:
        question = question_about(method, fields)
        about = None
        if question is not None:
            answer = self._call(question.method, question.result, question.fields)
            about = question.answered(answer)
        fields = in_digits(fields, self._tokens_for(fields, about), about)
        body = body_of(next(self._numbers), method, fields)
        patience = PATIENCE + (fields.get("wait") or 0)
        reason = ""
        for _ in range(TRIES):
            try:
                return result_of(self._post(body, patience), result)
            except (OSError, http.client.HTTPException) as error:
                reason = str(error) or type(error).__name__
                self.hang_up()
        raise NotReached(self.url, reason)

    def _tokens_for(self, fields: dict[str, Any], about: str | None) -> tuple[Token, ...]:
        """Names of tokens, asked for when the first one is used."""
        if not self._tokens and has_names(fields, about):
            self._tokens = tokens_among(self._call("networks", tuple[Network, ...], {}))
        return self._tokens

    def _post(self, body: bytes, patience: float) -> bytes:
        if self._line is None:
            self._line = http.client.HTTPConnection(*self._place, timeout=patience)
        line = self._line
        line.timeout = patience
        if line.sock is not None:
            line.sock.settimeout(patience)
        line.request("POST", "/", body, self._headers)
        response = line.getresponse()
        answer = response.read()
        if response.status != 200:
            text = answer.decode(errors="replace").strip()
            raise CallRefused(response.status, "Http", f"HTTP {response.status}: {text}", {}, "")
        return answer

    def watch(self, since: int | None = None, kinds: Sequence[str] = ()) -> Iterator[Event]:
        """Events from now on, or after a number, for ever, as they come."""
        last = self.status().event if since is None else since
        while True:
            for event in self.events(last, wait=_ASK_AGAIN):
                last = event.number
                if not kinds or event.kind in kinds:
                    yield event

    def hang_up(self) -> None:
        """Hangs up; the next call dials again."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hang_up()


def connect(
    url: str | None = None, token: str | None = None, home: Path | str | None = None
) -> Node:
    """The node on this machine; or at `url`, with `token`.

    Args:
        home: the node's folder; by default `PERUN_HOME`, else `~/.perun`.

    Raises:
        NotReached: no node has been started in that folder.
    """
    return Node(*find(url, token, home))


def find(url: str | None, token: str | None, home: Path | str | None) -> tuple[str, str]:
    if url is not None and token is not None:
        return url.rstrip("/"), token
    folder = Path(home or os.environ.get("PERUN_HOME") or DEFAULT_HOME)
    try:
        place = read_place(folder)
    except FileNotFoundError:
        raise NotReached(str(folder), "none has been started there") from None
    except OSError as error:
        raise NotReached(str(folder), error.strerror or type(error).__name__) from None
    return (url or place.url).rstrip("/"), token or place.token
