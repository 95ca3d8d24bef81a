"""The chain side of the protocol, told again in Python, to be read and to be compared with.

Read in this order; it takes ten minutes.

1. `host`: the world that the contracts see: a clock, balances, strangers.
2. `ms_contract`: the life of a channel, and the way out alone (register, then settle). It stands on
   `agreement`: three ways in (open, openBoth, deposit), two by agreement out (close, withdraw); on
   `consent`: whose word counts for what; and on `custody`: what is kept, and how money moves.
3. `nanos`: what another contract's answer does to the money locked under it.
4. `vpm`, and in `nanocontracts` a file each: contracts that give such answers; `nanocontract`: in
   which bytes.
5. `properties`: what must be true of all this, whatever anybody does.
6. `contracts`: the pieces put together; `reverts`: every way to be refused.

Written from docs/protocol.md, not from the Solidity code: two tellings of one protocol, which
`tests/games/stateful` and `tests/contracts/differential` compare call by call (same error and
arguments, same events, same balances, same views). Running code never imports this package.
"""

from perun.spec.contracts import Contracts
from perun.spec.custody import Dispute, Funds, Payout
from perun.spec.host import App, Event, Host, NoApp, Token
from perun.spec.ms_contract import MSContract
from perun.spec.nanocontracts.hash_time_lock import HashTimeLock
from perun.spec.nanos import Resolved
from perun.spec.vpm import VPM, Totals

__all__ = [
    "App",
    "Dispute",
    "Event",
    "Funds",
    "HashTimeLock",
    "Host",
    "MSContract",
    "NoApp",
    "Payout",
    "Resolved",
    "Token",
    "Totals",
    "VPM",
    "Contracts",
]
