"""What the fronts of all contracts share: an address, a `Web3`, asking, sending, reading events."""

from __future__ import annotations

from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from perun.bindings import logs
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.logs import Event, Unreadable
from perun.bindings.receipts import Receipt
from perun.crypto.interop import AddressLike, address, checksum
from perun.types import Address, ChainId

if TYPE_CHECKING:
    from web3 import Web3
    from web3.types import BlockIdentifier, FilterParams

T = TypeVar("T")
E = TypeVar("E", bound=Event)


def _web3() -> Any:
    """What asks and sends, loaded with the first question: a page in a browser has no web3, and
    reads what stands beside the fronts."""
    return import_module("perun.bindings.transport")


class Front:
    """A contract at an address, through a `Web3`; synchronous.

    Methods are named as the contract's functions, in snake case. One that changes something sends a
    transaction from `sender` (an account or private key that signs here, or an address whose key
    the node holds) and returns when it is mined; `gas` and `fees` are estimated unless given.

    Raises, every one of them:
        BadArguments: a value is not of the type that the function takes.
        Reverted: the contract refused; `perun.reverts` has a class for each reason.
        BadAnswer: there is no such contract at the address.
        NotMined, NodeUnreachable, NodeRefused: the node or the chain failed.
    """

    table: ClassVar[logs.Table[Any]] = logs.Table()

    def __init__(self, web3: Web3, contract: AddressLike) -> None:
        """Takes the address as it is; `perun.load` compares the code there first."""
        self.web3 = web3
        self.address: Address = address(contract)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({checksum(self.address)})"

    @cached_property
    def chain_id(self) -> ChainId:
        """The chain's number (EIP-155), asked once."""
        number: ChainId = _web3().chain_id(self.web3)
        return number

    def events(self, receipt: Receipt) -> tuple[Event, ...]:
        """What this contract announced in a transaction, even one sent to another contract."""
        return self.table.read_from(self.address, receipt.logs)

    def past(
        self,
        kind: type[E],
        *,
        id: bytes | None = None,
        from_block: int = 0,
        to_block: int | None = None,
    ) -> tuple[E, ...]:
        """Events of one kind that this contract has announced, oldest first.

        Args:
            id: only those of this channel or instance.
            from_block, to_block: both included; `to_block` is the newest if not given.
        """
        wanted: FilterParams = {
            "address": checksum(self.address),
            "fromBlock": from_block,
            "toBlock": "latest" if to_block is None else to_block,
        }
        found = _web3().past(self.web3, wanted)
        return tuple(
            event
            for event in self.table.read_from(self.address, found)
            if isinstance(event, kind)
            and not isinstance(event, Unreadable)
            and (id is None or getattr(event, "id", None) == id)
        )

    def _ask(self, query: Query[T], block: BlockIdentifier = "latest") -> T:
        answer: T = _web3().ask(self.web3, query, block)
        return answer

    def _send(self, call: Call, sender: AddressLike, gas: int | None, fees: Fees | None) -> Receipt:
        transport = _web3()
        mined: Receipt = transport.send(
            self.web3, call, sender, events=self.table, gas=gas, fees=fees
        )
        return mined
