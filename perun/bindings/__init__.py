"""The contracts as typed Python: calls and logs as pure functions, and a thin front for a `Web3`.

- `ms_contract_calls`, and functions of `vpm`, `hash_time_lock`, `coin_flip`, `turn_game`, `escrow`,
  `hash_chain`, `price_bet`, `gate`, `lib_signatures`, `erc20`: what to send and to ask, as `Call`
  and `Query`; `calls.transaction` makes a transaction of it;
- `logs`, `events`: what was announced; `reverts`, `failures`: what was refused, and why;
- `MSContract`, `VPM`, `HashTimeLock`, `CoinFlip`, `TurnGame`, `Escrow`, `HashChain`, `PriceBet`,
  `LibSignatures`, `ERC20`: all of it through a `Web3`.
"""

from perun.bindings.abi import BadAnswer, BadArguments
from perun.bindings.calls import Call, Fees, Query
from perun.bindings.coin_flip import CoinFlip
from perun.bindings.erc20 import ERC20
from perun.bindings.escrow import Escrow
from perun.bindings.failures import (
    Garbled,
    NodeBusy,
    NodeRefused,
    NodeUnreachable,
    NotMined,
    PoolRefused,
)
from perun.bindings.front import Front
from perun.bindings.gate import Gate
from perun.bindings.hash_chain import HashChain
from perun.bindings.hash_time_lock import HashTimeLock
from perun.bindings.lib_signatures import LibSignatures
from perun.bindings.logs import Event, Log, Unreadable
from perun.bindings.ms_contract import MSContract
from perun.bindings.ms_contract_calls import Dispute, Holdings
from perun.bindings.nanocontract import Nanocontract, Outcome
from perun.bindings.price_bet import PriceBet
from perun.bindings.receipts import Receipt
from perun.bindings.reverts import Reverted
from perun.bindings.rock_paper_scissors import RockPaperScissors
from perun.bindings.turn_game import TurnGame
from perun.bindings.vpm import VPM, Totals

__all__ = [
    "BadAnswer",
    "BadArguments",
    "Call",
    "CoinFlip",
    "RockPaperScissors",
    "Dispute",
    "ERC20",
    "Event",
    "Fees",
    "Front",
    "Garbled",
    "HashTimeLock",
    "Holdings",
    "LibSignatures",
    "Log",
    "MSContract",
    "Nanocontract",
    "NodeBusy",
    "NodeRefused",
    "NodeUnreachable",
    "NotMined",
    "Outcome",
    "PoolRefused",
    "Query",
    "Receipt",
    "Reverted",
    "Totals",
    "TurnGame",
    "Unreadable",
    "VPM",
    "Escrow",
    "HashChain",
    "PriceBet",
    "Gate",
]
