"""Blocks, transactions and receipts of the embedded chain, as JSON-RPC shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eth.abc import BlockHeaderAPI, ReceiptAPI, SignedTransactionAPI

from perun.hub.deploying import created_at
from perun.types import Address

__all__ = ["block", "data", "place", "receipt", "transaction"]

Shown = dict[str, Any]


def data(content: bytes) -> str:
    """Bytes."""
    return "0x" + content.hex()


def block(header: BlockHeaderAPI, names: Sequence[str]) -> Shown:
    """A block with the hashes of its transactions."""
    return {
        "number": hex(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": data(header.transaction_root),
        "stateRoot": data(header.state_root),
        "receiptsRoot": data(header.receipt_root),
        "miner": data(header.coinbase),
        "difficulty": hex(header.difficulty),
        "extraData": data(header.extra_data),
        "size": "0x0",
        "gasLimit": hex(header.gas_limit),
        "gasUsed": hex(header.gas_used),
        "timestamp": hex(header.timestamp),
        "baseFeePerGas": hex(header.base_fee_per_gas or 0),
        "mixHash": data(header.mix_hash),
        "uncles": [],
        "transactions": list(names),
    }


def place(header: BlockHeaderAPI, sent: SignedTransactionAPI, index: int) -> Shown:
    """Where a transaction is."""
    return {
        "blockNumber": hex(header.block_number),
        "blockHash": data(header.hash),
        "transactionIndex": hex(index),
        "transactionHash": data(sent.hash),
    }


def transaction(header: BlockHeaderAPI | None, sent: SignedTransactionAPI, where: Shown) -> Shown:
    """A transaction in a block; without a block, one that waits."""
    base_fee = 0 if header is None else int(header.base_fee_per_gas or 0)
    return {
        "hash": data(sent.hash),
        "blockNumber": where.get("blockNumber"),
        "blockHash": where.get("blockHash"),
        "transactionIndex": where.get("transactionIndex"),
        "from": data(sent.sender),
        "to": data(sent.to) if sent.to else None,
        "nonce": hex(sent.nonce),
        "gas": hex(sent.gas),
        "gasPrice": hex(_price(sent, base_fee)),
        "maxFeePerGas": hex(sent.max_fee_per_gas),
        "maxPriorityFeePerGas": hex(sent.max_priority_fee_per_gas),
        "value": hex(sent.value),
        "input": data(sent.data),
        "type": hex(sent.type_id or 0),
        "chainId": hex(sent.chain_id or 0),
        "v": hex(sent.y_parity),
        "r": hex(sent.r),
        "s": hex(sent.s),
    }


def receipt(
    header: BlockHeaderAPI,
    sent: SignedTransactionAPI,
    done: ReceiptAPI,
    where: Shown,
    gas_used: int,
    first_log: int,
) -> Shown:
    """What became of a transaction.

    Args:
        gas_used: by it alone.
        first_log: index of its first log in the block.
    """
    new = None if sent.to else created_at(Address(bytes(sent.sender)), sent.nonce)
    return {
        **where,
        "from": data(sent.sender),
        "to": data(sent.to) if sent.to else None,
        "contractAddress": None if new is None else data(new),
        "cumulativeGasUsed": hex(done.gas_used),
        "gasUsed": hex(gas_used),
        "effectiveGasPrice": hex(_price(sent, int(header.base_fee_per_gas or 0))),
        "status": hex(done.state_root == b"\x01"),
        "logsBloom": data(done.bloom.to_bytes(256, "big")),
        "type": hex(sent.type_id or 0),
        "logs": [
            {
                **where,
                "address": data(log.address),
                "topics": [data(topic.to_bytes(32, "big")) for topic in log.topics],
                "data": data(log.data),
                "logIndex": hex(first_log + index),
                "removed": False,
            }
            for index, log in enumerate(done.logs)
        ],
    }


def _price(sent: SignedTransactionAPI, base_fee: int) -> int:
    return int(min(sent.max_fee_per_gas, base_fee + sent.max_priority_fee_per_gas))
