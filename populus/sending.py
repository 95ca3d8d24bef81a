"""One transaction that creates a contract: priced, sent once, waited for, outbid on request.

What is on its way is written down before it leaves, with its nonce. Whatever is sent for the same
contract until a block holds it goes by the same nonce, so that it can be created only once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from hexbytes import HexBytes
from web3.exceptions import TransactionNotFound, Web3RPCError

from populus.exceptions import ContractReverted, DeploymentError, Timeout

if TYPE_CHECKING:
    from web3.types import TxReceipt

    from populus.chain.base import BaseChain

__all__ = ["Pending", "Price", "Sender", "ether"]

_GAS_MARGIN = 1.1  # over the estimate; unused gas is not paid
_PENDING = "pending"  # registrar: name -> Pending
_OUTBID = 9, 8  # nodes take a replacement that bids an eighth more
_NONCE_TAKEN = ("nonce too low", "already known", "replacement transaction underpriced")


@dataclass(frozen=True, slots=True)
class Price:
    """What a transaction may cost; None: what the chain asks now."""

    most: int | None = None
    """wei per gas in all."""
    tip: int | None = None
    """Of it to the block's builder."""


class Pending(msgspec.Struct):
    """What was sent for a contract and no receipt was seen of."""

    created: str
    """Which code with which arguments."""
    transaction: str
    """Hash of the newest one."""
    nonce: int | None = None
    earlier: list[str] = []
    """Hashes of those it outbids: any of them may be mined."""


class Sender:
    """Sends creations to one chain, from its default account."""

    def __init__(
        self,
        chain: BaseChain,
        say: Callable[[str], None],
        *,
        wait_seconds: float,
        price: Price,
        replace: bool,
    ) -> None:
        self.chain = chain
        self.say = say
        self.wait_seconds = wait_seconds
        self.price = price
        self.replace = replace

    def create(self, name: str, code: HexBytes, identity: str) -> tuple[HexBytes, TxReceipt]:
        """The transaction that created the contract: an earlier run's, if it is on its way.

        Raises:
            DeploymentError: it cannot be sent, or no block held it in time.
            ContractReverted: the constructor refused.
        """
        rival = self._noted(name)
        same = rival is not None and rival.created == identity and self._alive(rival)
        if rival is not None and same and not self.replace:
            self.say(f"  Transaction: {rival.transaction} (sent by an earlier run)")
            try:
                return self._mined(name, rival)
            except ContractReverted:
                self.say("  It failed; sending a new one.")
        return self._mined(name, self._sent(name, code, identity, rival))

    def forget(self, name: str) -> None:
        """The contract stands and is recorded."""
        self.chain.registrar.note(_PENDING, name, None)

    # -- what an earlier run has sent --------------------------------------------------------

    def _noted(self, name: str) -> Pending | None:
        noted = self.chain.registrar.noted(_PENDING, name)
        return msgspec.convert(noted, Pending) if noted else None

    def _alive(self, pending: Pending) -> bool:
        """Whether the node knows one of them: it waits, or is in a block."""
        return any(self._known(one) for one in (pending.transaction, *pending.earlier))

    def _known(self, txn_hash: str) -> Any:
        try:
            return self.chain.web3.eth.get_transaction(HexBytes(txn_hash))
        except TransactionNotFound:
            return None

    def _same_nonce(self, rival: Pending | None) -> bool:
        """Whether to take the nonce of what was sent before: none of it is in a block, and it is to
        be outbid, or the node has forgotten it, which does not mean that all nodes have."""
        if rival is None or rival.nonce is None:
            return False
        mined = self.chain.web3.eth.get_transaction_count(self._account)
        return mined <= rival.nonce and (self.replace or not self._alive(rival))

    @property
    def _account(self) -> Any:
        return self.chain.web3.eth.default_account

    # -- sending -----------------------------------------------------------------------------

    def _sent(self, name: str, code: HexBytes, identity: str, rival: Pending | None) -> Pending:
        transaction = self.prepared(name, code)
        pending = Pending(identity, "")
        if rival is not None and self._same_nonce(rival):
            pending.nonce, pending.earlier = rival.nonce, [rival.transaction, *rival.earlier]
            before = self._known(rival.transaction)
            for key in ("maxFeePerGas", "maxPriorityFeePerGas") if before else ():
                transaction[key] = max(transaction[key], before[key] * _OUTBID[0] // _OUTBID[1] + 1)
            self.say(f"  Outbids:     {rival.transaction}")
        else:
            pending.nonce = self.chain.web3.eth.get_transaction_count(self._account, "pending")
        transaction["nonce"] = pending.nonce

        def note(txn_hash: HexBytes) -> None:
            pending.transaction = txn_hash.to_0x_hex()
            self.chain.registrar.note(_PENDING, name, msgspec.to_builtins(pending))

        try:
            txn_hash = self.chain.send(transaction, note)
        except Web3RPCError as error:
            if not any(text in str(error).lower() for text in _NONCE_TAKEN):
                raise
            raise DeploymentError(
                f"Another transaction of {transaction['from']} went first, so that of {name} was "
                "not taken.",
                "Give the same command again, once nobody else sends from this account.",
            ) from None
        self.say(f"  Transaction: {txn_hash.to_0x_hex()}")
        return pending

    def prepared(self, name: str, code: HexBytes) -> dict[str, Any]:
        """The transaction with gas and EIP-1559 fees, once the account can pay for it."""
        eth = self.chain.web3.eth
        sender = self._account
        try:
            gas = int(eth.estimate_gas({"from": sender, "data": code}) * _GAS_MARGIN)
        except ContractReverted as error:
            raise DeploymentError(f"The constructor of {name} refuses: {error}.") from None
        tip, fee = self.fees()
        balance = eth.get_balance(sender)
        if balance < gas * fee:
            raise DeploymentError(
                f"{sender} has {ether(balance)} ether on {self.chain.chain_name!r}; deploying "
                f"{name} may take {ether(gas * fee)}.",
                "Send some there, or use another account. Nothing was sent for this contract.",
            )
        return {
            "from": sender,
            "data": code,
            "gas": gas,
            "maxFeePerGas": fee,
            "maxPriorityFeePerGas": tip,
        }

    def fees(self) -> tuple[int, int]:
        """Tip and limit, wei per gas: what was asked for, or the node's tip and twice the present
        base fee on top."""
        eth = self.chain.web3.eth
        base = eth.get_block("latest").get("baseFeePerGas") or 0
        tip = self.price.tip if self.price.tip is not None else eth.max_priority_fee
        most = self.price.most if self.price.most is not None else 2 * base + tip
        return min(tip, most), most

    # -- waiting -----------------------------------------------------------------------------

    def _mined(self, name: str, pending: Pending) -> tuple[HexBytes, TxReceipt]:
        hashes = [HexBytes(one) for one in (pending.transaction, *pending.earlier)]
        hint = (
            "Give the same command again: it waits for this transaction and sends no other; with "
            "--replace it outbids it."
        )
        try:
            receipt = self.chain.wait.for_one_of(hashes, self.wait_seconds)
        except Timeout as error:
            raise DeploymentError(error.message, hint) from None
        except KeyboardInterrupt:
            raise DeploymentError(
                f"Interrupted. Transaction {pending.transaction}, which creates {name}, is on its "
                "way.",
                hint,
            ) from None
        return HexBytes(receipt["transactionHash"]), receipt


def ether(wei: int) -> str:
    """Wei as ether, exactly, without an exponent."""
    whole, part = divmod(wei, 10**18)
    return f"{whole}.{part:018d}".rstrip("0").rstrip(".")
