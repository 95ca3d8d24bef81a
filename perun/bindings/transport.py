"""Asking and sending through a `Web3`: the only place of the bindings that talks to a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar, cast

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_keys import datatypes as eth_keys
from eth_typing import BlockNumber
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import ExtraDataLengthError, TimeExhausted
from web3.types import BlockIdentifier, FilterParams, RPCEndpoint, TxParams, TxReceipt
from web3.types import Wei as Web3Wei

from perun.bindings import logs, reverts
from perun.bindings.calls import Call, Fees, Query, request, transaction
from perun.bindings.failures import Garbled, NotMined, pooled
from perun.bindings.gas import limit
from perun.bindings.logs import Log
from perun.bindings.receipts import Receipt
from perun.bindings.reverts import Reverted
from perun.bindings.translation import translated
from perun.crypto.interop import AddressLike, address, checksum
from perun.types import ChainId, UnixTime, Wei

T = TypeVar("T")

# Seconds; long enough for the next blocks of a slow chain. web3 waits as long.
PATIENCE: Final = 120.0


def ask(web3: Web3, query: Query[T], block: BlockIdentifier = "latest") -> T:
    """Asks a contract, and returns its typed answer.

    Raises:
        Reverted: the contract refused.
        BadAnswer: there is no such contract at the address.
        NodeUnreachable, NodeRefused: the node failed.
    """
    params: TxParams = {"to": checksum(query.to), "data": HexBytes(query.data)}
    with translated():
        # What sends us on to an address of the network (EIP-3668) is none of our contracts.
        answer = web3.eth.call(params, block, ccip_read_enabled=False)
    return query.decode(bytes(answer))


def now(web3: Web3) -> UnixTime:
    """Time of the newest block, in Unix seconds: what every rule means by *now* (section 5).

    Raises:
        NodeUnreachable, NodeRefused: the node failed.
    """
    with translated():
        return UnixTime(int(header(web3, "latest")["timestamp"]))


def chain_id(web3: Web3) -> ChainId:
    """The chain's number (EIP-155). Raises what `now` does."""
    with translated():
        return ChainId(web3.eth.chain_id)


def past(web3: Web3, wanted: FilterParams) -> list[Log]:
    """Logs of blocks. Raises what `now` does."""
    with translated():
        return [logs.from_web3(log) for log in web3.eth.get_logs(wanted)]


def header(web3: Web3, which: BlockIdentifier) -> Mapping[str, Any]:
    """A block without its transactions, whatever its seal: chains of few signers put more into
    `extraData` than web3 allows, and nothing that we look at stands there.

    Raises what web3 does.
    """
    try:
        return cast("Mapping[str, Any]", web3.eth.get_block(which))
    except (ExtraDataLengthError, ValueError):
        name = hex(which) if isinstance(which, int) else which
        answer = web3.provider.make_request(RPCEndpoint("eth_getBlockByNumber"), [name, False])
        block = cast("dict[str, Any]", answer["result"])
        numbers = ("number", "timestamp", "baseFeePerGas")
        return {
            **{field: int(block[field], 16) for field in numbers if field in block},
            "hash": HexBytes(block["hash"]),
        }


def paid(mined: TxReceipt) -> Wei:
    """What a mined transaction cost its sender in fees, in wei; 0 where the node does not say."""
    return Wei(int(mined.get("gasUsed") or 0) * int(mined.get("effectiveGasPrice") or 0))


def send(
    web3: Web3,
    call: Call,
    sender: AddressLike,
    *,
    events: logs.Table[Any],
    gas: int | None = None,
    fees: Fees | None = None,
) -> Receipt:
    """Sends a call as a transaction and waits until it is mined.

    Args:
        sender: an account or private key, which signs here; or an address whose key the node holds.
        events: how to read what the called contract announces.
        gas: most gas it may use; estimated if not given.
        fees: wei per gas; what the chain asks now if not given.

    Raises:
        Reverted: the contract refused; without `gas` before anything was sent.
        NotMined: it was sent, but in no block after `PATIENCE` seconds.
        NodeUnreachable, NodeRefused: the node failed.
    """
    mined = submit(web3, call, sender, gas=gas, fees=fees)
    try:
        return _receipt(mined, call, events)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        # The money has moved: whoever hears this must not send it again.
        name = bytes(mined["transactionHash"]).hex()
        raise Garbled(f"transaction 0x{name} is mined, but its receipt is broken") from error


def _receipt(mined: TxReceipt, call: Call, events: logs.Table[Any]) -> Receipt:
    every = tuple(logs.from_web3(log) for log in mined.get("logs") or ())
    return Receipt(
        transaction=bytes(mined["transactionHash"]),
        block=int(mined["blockNumber"]),
        gas_used=int(mined.get("gasUsed") or 0),
        paid=paid(mined),
        events=events.read_from(call.to, every) if call.to else (),
        logs=every,
    )


def submit(
    web3: Web3,
    call: Call,
    sender: AddressLike,
    *,
    gas: int | None = None,
    fees: Fees | None = None,
) -> TxReceipt:
    """Sends a call and awaits web3's own receipt of it; arguments and errors as in `send`."""
    params = request(call, address(sender))
    try:
        with translated():
            params["gas"] = gas or limit(call, web3.eth.estimate_gas(params))
            hashed = bytes(_send(web3, call, sender, params, fees))
    except Reverted as refused:
        # A chain in memory may mine at once and say so in one breath.
        if refused.transaction is None:
            raise
        hashed = refused.transaction
    with translated(hashed):
        try:
            mined = web3.eth.wait_for_transaction_receipt(HexBytes(hashed), timeout=PATIENCE)
        except TimeExhausted as error:
            raise NotMined(hashed, PATIENCE) from error
    # Before EIP-658 receipts had none; no chain that our contracts run on is so old.
    if mined.get("status", 1) != 1:
        raise _why(web3, params, mined)
    return mined


def _send(
    web3: Web3, call: Call, sender: AddressLike, params: TxParams, fees: Fees | None
) -> HexBytes:
    """Sends it signed here, or as a request to the node that holds the key."""
    if isinstance(sender, (LocalAccount, eth_keys.PrivateKey)):
        return _send_signed(web3, call, sender, params["gas"], fees or _fees_now(web3))
    if fees is not None:
        params["maxFeePerGas"] = Web3Wei(fees.most)
        params["maxPriorityFeePerGas"] = Web3Wei(fees.tip)
    with pooled(), translated():
        return web3.eth.send_transaction(params)


def _send_signed(
    web3: Web3, call: Call, sender: LocalAccount | eth_keys.PrivateKey, gas: int, fees: Fees
) -> HexBytes:
    """Signs here and sends the bytes; the node needs no key."""
    params = transaction(
        call,
        sender=address(sender),
        chain_id=ChainId(web3.eth.chain_id),
        nonce=web3.eth.get_transaction_count(checksum(sender), "pending"),
        gas=gas,
        fees=fees,
    )
    account = sender if isinstance(sender, LocalAccount) else Account.from_key(sender.to_bytes())
    signed = account.sign_transaction(cast(dict[str, Any], params))  # eth_account has its own type
    with pooled(), translated():
        return web3.eth.send_raw_transaction(signed.raw_transaction)


def _fees_now(web3: Web3) -> Fees:
    """Fees that stay enough while the base fee doubles, which takes six full blocks."""
    base = int(header(web3, "latest").get("baseFeePerGas") or 0)
    tip = int(web3.eth.max_priority_fee)
    return Fees(Wei(2 * base + tip), Wei(tip))


def _why(web3: Web3, params: TxParams, mined: TxReceipt) -> Reverted:
    """The reason of a mined refusal, by asking again: receipts do not hold it.

    Asked on the block that mined it, whose time it had; then on the one before, since another
    transaction of the same block may have changed what it met.
    """
    hashed = bytes(mined["transactionHash"])
    if int(mined.get("gasUsed") or 0) >= params["gas"]:
        return reverts.OutOfGas(params["gas"], transaction=hashed)
    # As a question: without the fees, whose prices the block may not have.
    params = {key: params[key] for key in ("from", "to", "data", "value", "gas") if key in params}  # type: ignore[assignment]  # a part of a TypedDict
    for block in (mined["blockNumber"], BlockNumber(mined["blockNumber"] - 1)):
        try:
            with translated():
                web3.eth.call(params, block)
        except Reverted as reason:
            reason.transaction = hashed
            return reason
    return reverts.decode(b"", hashed)
