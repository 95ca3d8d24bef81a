"""EIP-712 domains of the contracts, computed once per deployment.

Each contract has its own type, so that a checker refuses a State signed in VPM's domain. Those of
nanocontracts stand with their kind, and all are listed in `kinds`.
"""

from __future__ import annotations

from typing import ClassVar, TypeVar

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.types import Address, ChainId, DomainSeparator, Record

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
VERSION = "1"


class Domain(Record, frozen=True, gc=False):
    """What binds ids and signatures to one contract on one chain."""

    contract_name: ClassVar[str]
    """In Solidity; files and nodes name it so. Its domain's name is `Perun` and this."""

    chain_id: ChainId
    contract: Address
    separator: DomainSeparator
    """The contract's `DOMAIN_SEPARATOR()`."""
    prefix: bytes
    """`0x1901‖separator`: what every digest begins with."""


D = TypeVar("D", bound=Domain)


class MSContractDomain(Domain, frozen=True, gc=False):
    """Domain of channels: State, Close, Withdraw, Open (EIP-712)."""

    contract_name: ClassVar[str] = "MSContract"


def domain_of(kind: type[D], chain_id: ChainId, contract: Address) -> D:
    """Domain `{"Perun " + its name, "1"}` of the contract at `contract`."""
    checks.unsigned("chain_id", chain_id, 256)
    checks.length("contract", contract, 20)
    separator = DomainSeparator(
        keccak(
            keccak(DOMAIN_TYPE.encode())
            + keccak(f"Perun {kind.contract_name}".encode())
            + keccak(VERSION.encode())
            + words.unsigned(chain_id)
            + words.address(contract)
        )
    )
    return kind(chain_id, contract, separator, b"\x19\x01" + separator)


def ms_contract_domain(chain_id: ChainId, contract: Address) -> MSContractDomain:
    """Domain `{"Perun MSContract", "1"}` of the MSContract at `contract`."""
    return domain_of(MSContractDomain, chain_id, contract)
