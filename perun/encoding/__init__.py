"""Ids and digests exactly as the contracts compute them; pure functions (EIP-712, Solidity ABI)."""

from perun.encoding.coin_flip import (
    CoinFlipDomain,
    coin_flip_domain,
    flip_commit,
    flip_evidence,
    flip_id,
)
from perun.encoding.domains import (
    MSContractDomain,
    ms_contract_domain,
)
from perun.encoding.escrow import (
    EscrowDomain,
    agreement_evidence,
    award_digest,
    award_evidence,
    deal_id,
    escrow_domain,
    late_evidence,
)
from perun.encoding.hash_chain import (
    HashChainDomain,
    chain_digest,
    hash_chain_domain,
    stream_id,
    tick_hash,
    ticks_evidence,
)
from perun.encoding.hash_lock import (
    HashTimeLockDomain,
    hash_time_lock_domain,
    lock_id,
    reveal_evidence,
)
from perun.encoding.ids import (
    channel_id,
    nanos_hash,
    state_hash,
)
from perun.encoding.machine import (
    VPMDomain,
    machine_id,
    ready_digest,
    statement_digest,
    statements_evidence,
    vpm_domain,
)
from perun.encoding.price_bet import (
    PRICE_DOMAIN,
    PriceBetDomain,
    PriceDomain,
    bet_id,
    price_bet_domain,
    price_digest,
    price_evidence,
)
from perun.encoding.rock_paper_scissors import (
    RockPaperScissorsDomain,
    hands_evidence,
    hands_id,
    rock_paper_scissors_domain,
)
from perun.encoding.turn_game import (
    TurnGameDomain,
    game_id,
    move_digest,
    move_evidence,
    position_digest,
    position_evidence,
    turn_game_domain,
)
from perun.encoding.typed_data import (
    close_digest,
    open_digest,
    state_digest,
    withdraw_digest,
)
from perun.encoding.wallet_json import wallet_json

__all__ = [
    "RockPaperScissorsDomain",
    "hands_evidence",
    "hands_id",
    "rock_paper_scissors_domain",
    "CoinFlipDomain",
    "HashTimeLockDomain",
    "MSContractDomain",
    "TurnGameDomain",
    "VPMDomain",
    "channel_id",
    "close_digest",
    "coin_flip_domain",
    "flip_commit",
    "flip_evidence",
    "flip_id",
    "game_id",
    "hash_time_lock_domain",
    "lock_id",
    "machine_id",
    "move_digest",
    "move_evidence",
    "ms_contract_domain",
    "nanos_hash",
    "open_digest",
    "position_digest",
    "position_evidence",
    "ready_digest",
    "reveal_evidence",
    "state_digest",
    "state_hash",
    "statement_digest",
    "statements_evidence",
    "turn_game_domain",
    "vpm_domain",
    "wallet_json",
    "withdraw_digest",
    "EscrowDomain",
    "escrow_domain",
    "agreement_evidence",
    "award_evidence",
    "late_evidence",
    "deal_id",
    "award_digest",
    "HashChainDomain",
    "hash_chain_domain",
    "chain_digest",
    "stream_id",
    "tick_hash",
    "ticks_evidence",
    "PRICE_DOMAIN",
    "PriceBetDomain",
    "PriceDomain",
    "bet_id",
    "price_bet_domain",
    "price_digest",
    "price_evidence",
]
