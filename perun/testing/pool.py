"""Transactions on their way to a `ScriptedChain`: signed for real, or unsigned and believed."""

from __future__ import annotations

import msgspec
from eth_account import Account as EthAccount
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3.types import TxParams

from perun.crypto.hashing import keccak
from perun.types import Address

__all__ = ["PooledTransaction", "ScriptedAccount", "read"]


class PooledTransaction(msgspec.Struct, frozen=True, array_like=True):
    """A transaction as it travels here: signed for real, or unsigned and believed."""

    sender: Address
    nonce: int
    to: Address
    data: bytes
    value: int
    most: int
    """Price bid per gas; of two with one nonce the dearer replaces the other."""
    signed: bytes = b""
    """As a wallet has signed it; empty for a `ScriptedAccount`'s."""

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return self.signed or msgspec.json.encode(self)

    @property
    def hash(self) -> bytes:
        """Its name."""
        return keccak(self.raw)


class ScriptedAccount:
    """An account that needs no key here."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def sign_transaction(self, params: TxParams) -> tuple[bytes, bytes]:
        """See `perun.chain.submitter.Account`."""
        transaction = PooledTransaction(
            self.address,
            int(params["nonce"]),
            Address(bytes.fromhex(str(params["to"]).removeprefix("0x"))),
            bytes(HexBytes(params["data"])),
            int(params["value"]),
            int(str(params["maxFeePerGas"])),
        )
        return transaction.raw, transaction.hash


def read(raw: bytes) -> PooledTransaction:
    """A transaction of either kind, as a node is handed it."""
    if raw[:1] == b"[":
        return msgspec.json.decode(raw, type=PooledTransaction)
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return PooledTransaction(
        Address(bytes.fromhex(EthAccount.recover_transaction(raw)[2:])),
        int(fields["nonce"]),
        Address(bytes(fields["to"])),
        bytes(fields["data"]),
        int(fields["value"]),
        int(fields["maxFeePerGas"]),
        raw,
    )
