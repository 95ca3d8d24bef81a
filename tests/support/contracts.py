"""Deployed contracts as tests use them: send, ask, read events; addresses are 20 raw bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import eth_abi
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple

from tests.support.plain import to_abi

if TYPE_CHECKING:
    from tests.support.stage import Stage


def normal(value: Any) -> Any:
    """Values as they are compared: addresses as 20 bytes, sequences as tuples."""
    if isinstance(value, str) and len(value) == 42 and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    if isinstance(value, list | tuple):
        return tuple(normal(item) for item in value)
    return to_abi(value)


class Event(NamedTuple):
    """A log of one of our contracts; compares equal to a plain `(name, arguments)`."""

    name: str
    args: dict[str, Any]


class Log(NamedTuple):
    """A log of any contract, as it stands in the block."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a mined transaction did."""

    gas_used: int
    timestamp: int
    """Of the block."""
    events: tuple[Event, ...]
    """Logs of the stage's contracts, in order."""
    logs: tuple[Log, ...] = ()
    """All logs, undecoded."""

    def only(self, name: str) -> dict[str, Any]:
        """Arguments of the one event of this name."""
        found = [event.args for event in self.events if event.name == name]
        assert len(found) == 1, f"{len(found)} events {name} in {self.events}"
        return found[0]

    def count(self, name: str) -> int:
        """How many events have this name."""
        return sum(event.name == name for event in self.events)


class Interface:
    """An ABI: encodes calls, decodes answers and logs. Shared by all deployments of a contract."""

    def __init__(self, name: str, abi: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self.abi = abi

    @cached_property
    def functions(self) -> dict[str, tuple[bytes, list[str], list[str]]]:
        """Selector, types of inputs and types of outputs by name; no function is overloaded."""
        found = {}
        for entry in self.abi:
            if entry["type"] == "function":
                inputs = _types(entry["inputs"])
                selector = keccak(f"{entry['name']}({','.join(inputs)})".encode())[:4]
                found[entry["name"]] = (selector, inputs, _types(entry["outputs"]))
        return found

    @cached_property
    def events(self) -> dict[bytes, Mapping[str, Any]]:
        """Event entries by topic."""
        found = {}
        for entry in self.abi:
            if entry["type"] == "event":
                signature = f"{entry['name']}({','.join(_types(entry['inputs']))})"
                found[keccak(signature.encode())] = entry
        return found

    def encode(self, function: str, *args: Any) -> bytes:
        """Calldata of a call."""
        selector, inputs, _ = self.functions[function]
        return selector + eth_abi.encode(inputs, [to_abi(arg) for arg in args])

    def decode(self, function: str, answer: bytes) -> Any:
        """The returned value, or a tuple of them."""
        values = normal(eth_abi.decode(self.functions[function][2], answer))
        return values[0] if len(values) == 1 else values

    def read(self, log: Log) -> Event | None:
        """The event a log stands for."""
        entry = self.events.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        inputs = entry["inputs"]
        indexed = [item for item in inputs if item["indexed"]]
        others = [item for item in inputs if not item["indexed"]]
        values = dict(
            zip(
                (item["name"] for item in others),
                eth_abi.decode(_types(others), log.data),
                strict=True,
            )
        )
        for item, topic in zip(indexed, log.topics[1:], strict=True):
            values[item["name"]] = eth_abi.decode(_types([item]), topic)[0]
        return Event(entry["name"], {item["name"]: normal(values[item["name"]]) for item in inputs})


def _types(items: Iterable[Mapping[str, Any]]) -> list[str]:
    return [collapse_if_tuple(dict(item)) for item in items]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A contract at an address."""

    stage: Stage
    interface: Interface
    address: bytes

    def send(
        self, by: Any, function: str, *args: Any, value: int = 0, gas: int | None = None
    ) -> Receipt:
        """Send a transaction by a party, a key or an address, and wait until it is mined.

        Raises `populus.exceptions.ContractReverted` if it failed.
        """
        return self.send_raw(by, self.interface.encode(function, *args), value=value, gas=gas)

    def send_raw(self, by: Any, data: bytes, value: int = 0, gas: int | None = None) -> Receipt:
        """The same with calldata made by hand."""
        return self.stage.transact(by, self.address, data, value, gas)

    def ask(self, function: str, *args: Any, by: Any = None, gas: int | None = None) -> Any:
        """Call without changing anything; addresses in the answer are bytes."""
        answer = self.ask_raw(self.interface.encode(function, *args), by=by, gas=gas)
        return self.interface.decode(function, answer)

    def ask_raw(self, data: bytes, by: Any = None, gas: int | None = None) -> bytes:
        """The same with calldata made by hand; the answer undecoded."""
        return self.stage.call(by, self.address, data, gas)

    def estimates(self, senders: Iterable[Any], function: str, *args: Any) -> set[int]:
        """How much gas a call would need, by one and by another."""
        web3, data = self.stage.web3, self.interface.encode(function, *args)
        to = web3.to_checksum_address(self.address)
        froms = [web3.to_checksum_address(sender.account) for sender in senders]
        return {web3.eth.estimate_gas({"from": it, "to": to, "data": data}) for it in froms}

    def call_data(self, function: str, *args: Any) -> bytes:
        """Calldata, for payees and tokens that call back."""
        return self.interface.encode(function, *args)
