"""EIP-712 domains of the contracts, computed once per deployment.

Each contract has its own type, so that a checker refuses a State signed in VPM's domain.
"""

from __future__ import annotations

from perun import checks
from perun.crypto.hashing import keccak
from perun.encoding import words
from perun.types import Address, ChainId, DomainSeparator, Record

DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
VERSION = "1"
MS_CONTRACT_NAME = "Perun MSContract"
VPM_NAME = "Perun VPM"
HASH_TIME_LOCK_NAME = "Perun HashTimeLock"
COIN_FLIP_NAME = "Perun CoinFlip"
TURN_GAME_NAME = "Perun TurnGame"


class Domain(Record, frozen=True, gc=False):
    """What binds ids and signatures to one contract on one chain."""

    chain_id: ChainId
    contract: Address
    separator: DomainSeparator
    """The contract's `DOMAIN_SEPARATOR()`."""
    prefix: bytes
    """`0x1901‖separator`: what every digest begins with."""


class MSContractDomain(Domain, frozen=True, gc=False):
    """Domain of channels: State, Close, Withdraw, Open (EIP-712)."""


class VPMDomain(Domain, frozen=True, gc=False):
    """Domain of payment machines: Statement, Ready (EIP-712)."""


class HashTimeLockDomain(Domain, frozen=True, gc=False):
    """Domain of hash time locks (EIP-712): nothing is signed, it keeps deployments' ids apart."""


class CoinFlipDomain(Domain, frozen=True, gc=False):
    """Domain of coin flips (EIP-712): nothing is signed, it keeps deployments' ids apart."""


class TurnGameDomain(Domain, frozen=True, gc=False):
    """Domain of games in turns: Position, Move (EIP-712)."""


def _separator(name: str, chain_id: ChainId, contract: Address) -> DomainSeparator:
    checks.unsigned("chain_id", chain_id, 256)
    checks.length("contract", contract, 20)
    return DomainSeparator(
        keccak(
            keccak(DOMAIN_TYPE.encode())
            + keccak(name.encode())
            + keccak(VERSION.encode())
            + words.unsigned(chain_id)
            + words.address(contract)
        )
    )


def ms_contract_domain(chain_id: ChainId, contract: Address) -> MSContractDomain:
    """Domain `{"Perun MSContract", "1"}` of the MSContract at `contract`."""
    separator = _separator(MS_CONTRACT_NAME, chain_id, contract)
    return MSContractDomain(chain_id, contract, separator, b"\x19\x01" + separator)


def vpm_domain(chain_id: ChainId, contract: Address) -> VPMDomain:
    """Domain `{"Perun VPM", "1"}` of the VPM at `contract`."""
    separator = _separator(VPM_NAME, chain_id, contract)
    return VPMDomain(chain_id, contract, separator, b"\x19\x01" + separator)


def hash_time_lock_domain(chain_id: ChainId, contract: Address) -> HashTimeLockDomain:
    """Domain `{"Perun HashTimeLock", "1"}` of the HashTimeLock at `contract`."""
    separator = _separator(HASH_TIME_LOCK_NAME, chain_id, contract)
    return HashTimeLockDomain(chain_id, contract, separator, b"\x19\x01" + separator)


def coin_flip_domain(chain_id: ChainId, contract: Address) -> CoinFlipDomain:
    """Domain `{"Perun CoinFlip", "1"}` of the CoinFlip at `contract`."""
    separator = _separator(COIN_FLIP_NAME, chain_id, contract)
    return CoinFlipDomain(chain_id, contract, separator, b"\x19\x01" + separator)


def turn_game_domain(chain_id: ChainId, contract: Address) -> TurnGameDomain:
    """Domain `{"Perun TurnGame", "1"}` of the TurnGame at `contract`."""
    separator = _separator(TURN_GAME_NAME, chain_id, contract)
    return TurnGameDomain(chain_id, contract, separator, b"\x19\x01" + separator)
