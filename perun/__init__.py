"""Perun: payment and state channels on Ethereum.

A channel holds the deposits of two parties in one contract; they pay each other by signing, and the
chain is touched to deposit, to close, and when somebody misbehaves. The specification is
docs/protocol.md, whose sections are the sources named here; `examples/first_payment.py` is the
shortest complete use.

Every value is an integer or bytes: amounts in the asset's smallest unit (wei for ETH) and at most
2**111 − 1, times in Unix seconds, addresses 20 raw bytes, ids 32. A float, a bool or text as an
amount is refused. Everything raised on purpose is a `PerunError`.

Quantities (`perun.types`): types for checkers, plain values at run time.
    Wei             money in the asset's smallest unit; a difference may be negative
    UnixTime        seconds, as `block.timestamp`; a limit includes its last second
    Seconds         a length of time
    Version         number of a state, uint48; Alice's are even, Bob's odd (section 5)
    Nonce           random uint64 of a channel (section 3)
    ChainId         EIP-155
    Address, Asset  20 bytes; an asset is a token or `ETH`
    ChannelId, InstanceId, MachineId, LockId, FlipId, HandsId, GameId, DealId, StreamId, BetId,
    PathId          32 bytes (sections 3, 4)
    Salt, Preimage  32 bytes (section 4)
    Digest, DomainSeparator, Signature          32, 32, and 65 or 64 bytes (EIP-712, EIP-2098)
    ETH             the asset that is no token
    MAX_AMOUNT      2**111 − 1 wei (section 2)

Records (`perun.types`): frozen, compared by value, checked when made (errors: `WrongType`,
`NotAnAmount`, `OutOfRange`, `AmountOutOfRange`, `WrongLength`).
    Channel, Nano, Machine, Lock, Flip, Hands, Game, Deal, Stream, Bet, Path, Settlement
                                                terms and lists (sections 3, 4)
    State, Close, Withdraw, Open                signed for MSContract (section 3)
    Statement, Ready                            signed for VPM (sections 4, 5)
    Position, Move                              signed for TurnGame (section 4)
    Award                                       signed for Escrow (section 4)
    Chain                                       signed for HashChain (section 4)
    Price                                       signed for PriceBets anywhere (section 4)
    Opening, Final                              signed for Gate (section 4)

Functions: see FUNCTIONS below, and their own `help`.
    address, checksum                           read and show addresses
    parse_ether, format_ether, parse_units, format_units    text and wei
    new_key, new_nonce, new_salt, new_preimage  randomness
    sign, recover, is_signed_by, digest, wallet_json        messages, with `eth_keys` objects
    channel_id, machine_id, lock_id, flip_id, game_id, deal_id, stream_id, bet_id, hands_id, path_id
                                                ids (sections 3, 4)
    nanos_hash, state_hash, flip_commit, tick_hash      hashes (sections 3, 4)
    ms_contract_domain, vpm_domain, hash_time_lock_domain   EIP-712 domains
    coin_flip_domain, turn_game_domain, escrow_domain       the same
    hash_chain_domain, price_bet_domain, rock_paper_scissors_domain     the same
    gate_domain                                 the same
    statements_evidence, reveal_evidence, flip_evidence     what `register` passes on (section 4)
    position_evidence, move_evidence            the same; moves by transactions of their own
    award_evidence, agreement_evidence, late_evidence       the same
    ticks_evidence, price_evidence, hands_evidence          the same
    open_evidence, fix_evidence                 the same
    keccak                                      the hash of Ethereum
    deploy, load, save                          the contracts of a chain
    now                                         time of the newest block (section 5)

Contracts (`perun.bindings`), through a `Web3`: `MSContract`, `VPM`, `HashTimeLock`,
`CoinFlip`, `RockPaperScissors`, `TurnGame`, `Escrow`, `HashChain`, `PriceBet`, `Gate`,
`LibSignatures`, `ERC20`, any `Nanocontract`, and the `Deployment` of all but the last two.
    Receipt, Holdings, Dispute, Totals, Outcome, Fees       what they return and take
    MSContractDomain, VPMDomain, HashTimeLockDomain         what they sign in
    CoinFlipDomain, TurnGameDomain, EscrowDomain            the same
    HashChainDomain, PriceBetDomain, RockPaperScissorsDomain    the same
    GateDomain                                  the same
    PRICE_DOMAIN, a PriceDomain                 what prices are signed in

A node that runs on this machine (`perun.api`): `connect()` gives a `Node`, `connect_async()` an
`AsyncNode`, on which every method of docs/reference/openrpc.json can be called.

Modules: `perun.events` what contracts announce, `perun.reverts` what they refuse (a class for each
error, below `Reverted`), `perun.errors` the tree of exceptions, `perun.types` all of the above.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# web3 takes a second to import. Parts of this package that do without it, such as the protocol
# itself, must not wait for it, so the public names come when the first of them is asked for.
if TYPE_CHECKING:
    from perun.names import *  # noqa: F403 - the list stands there, once
else:
    _NAMES = "perun.names"
    # Clients of a node need nothing of a chain.
    _CLIENTS = {
        "perun.api.client": ("connect", "Node", "CallRefused", "NotReached"),
        "perun.api.side_by_side": ("connect_async", "AsyncNode"),
    }

    def __getattr__(name: str) -> Any:
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if find_spec(f"perun.{name}"):
            # `from perun import checks` asks here first.
            return import_module(f"perun.{name}")
        for place, names in _CLIENTS.items():
            if name in names:
                return getattr(import_module(place), name)
        try:
            return getattr(import_module(_NAMES), name)
        except AttributeError:
            raise AttributeError(f"module 'perun' has no attribute {name!r}") from None

    def __dir__() -> list[str]:
        return sorted({*globals(), *import_module(_NAMES).__all__})
