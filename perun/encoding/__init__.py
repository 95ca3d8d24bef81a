"""Ids and digests exactly as the contracts compute them; pure functions (EIP-712, Solidity ABI)."""

from perun.encoding.domains import (
    HashTimeLockDomain,
    MSContractDomain,
    VPMDomain,
    hash_time_lock_domain,
    ms_contract_domain,
    vpm_domain,
)
from perun.encoding.evidence import reveal_evidence, statements_evidence
from perun.encoding.ids import channel_id, lock_id, machine_id, nanos_hash, state_hash
from perun.encoding.typed_data import (
    close_digest,
    open_digest,
    ready_digest,
    state_digest,
    statement_digest,
    withdraw_digest,
)
from perun.encoding.wallet_json import wallet_json

__all__ = [
    "HashTimeLockDomain",
    "MSContractDomain",
    "VPMDomain",
    "channel_id",
    "close_digest",
    "hash_time_lock_domain",
    "lock_id",
    "machine_id",
    "ms_contract_domain",
    "nanos_hash",
    "open_digest",
    "ready_digest",
    "reveal_evidence",
    "state_digest",
    "state_hash",
    "statement_digest",
    "statements_evidence",
    "vpm_domain",
    "wallet_json",
    "withdraw_digest",
]
