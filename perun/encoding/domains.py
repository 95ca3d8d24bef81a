"""EIP-712 domains of the contracts, computed once per deployment.

Each contract has its own type, so that a checker refuses a State signed in VPM's domain. Another
nanocontract is one more type here, and a line in `DOMAINS`.
"""

from __future__ import annotations

from typing import ClassVar, Final, TypeVar

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


class VPMDomain(Domain, frozen=True, gc=False):
    """Domain of payment machines: Statement, Ready (EIP-712)."""

    contract_name: ClassVar[str] = "VPM"


class HashTimeLockDomain(Domain, frozen=True, gc=False):
    """Domain of hash time locks (EIP-712): nothing is signed, it keeps deployments' ids apart."""

    contract_name: ClassVar[str] = "HashTimeLock"


class CoinFlipDomain(Domain, frozen=True, gc=False):
    """Domain of coin flips (EIP-712): nothing is signed, it keeps deployments' ids apart."""

    contract_name: ClassVar[str] = "CoinFlip"


class TurnGameDomain(Domain, frozen=True, gc=False):
    """Domain of games in turns: Position, Move (EIP-712)."""

    contract_name: ClassVar[str] = "TurnGame"


class EscrowDomain(Domain, frozen=True, gc=False):
    """Domain of deals in escrow: Award (EIP-712)."""

    contract_name: ClassVar[str] = "Escrow"


DOMAINS: Final[dict[str, type[Domain]]] = {
    kind.contract_name: kind
    for kind in (
        MSContractDomain,
        VPMDomain,
        HashTimeLockDomain,
        CoinFlipDomain,
        TurnGameDomain,
        EscrowDomain,
    )
}
"""By the contracts' names, in the order in which they are named."""

NEEDED: Final = (MSContractDomain.contract_name, VPMDomain.contract_name)
"""Without these there is no channel. Of the others each node may know some."""


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


def vpm_domain(chain_id: ChainId, contract: Address) -> VPMDomain:
    """Domain `{"Perun VPM", "1"}` of the VPM at `contract`."""
    return domain_of(VPMDomain, chain_id, contract)


def hash_time_lock_domain(chain_id: ChainId, contract: Address) -> HashTimeLockDomain:
    """Domain `{"Perun HashTimeLock", "1"}` of the HashTimeLock at `contract`."""
    return domain_of(HashTimeLockDomain, chain_id, contract)


def coin_flip_domain(chain_id: ChainId, contract: Address) -> CoinFlipDomain:
    """Domain `{"Perun CoinFlip", "1"}` of the CoinFlip at `contract`."""
    return domain_of(CoinFlipDomain, chain_id, contract)


def turn_game_domain(chain_id: ChainId, contract: Address) -> TurnGameDomain:
    """Domain `{"Perun TurnGame", "1"}` of the TurnGame at `contract`."""
    return domain_of(TurnGameDomain, chain_id, contract)


def escrow_domain(chain_id: ChainId, contract: Address) -> EscrowDomain:
    """Domain `{"Perun Escrow", "1"}` of the Escrow at `contract`."""
    return domain_of(EscrowDomain, chain_id, contract)
