"""What other channel contracts cost, measured side by side.

All of them ran in one anvil 1.7.1 (prague) in November 2026 with their own compiler settings, under
the conditions of our table: receipts, existing accounts, 1 ETH a side, contracts in use before.
Where the best fit differs it says so: what a payment dispute is differs from suite to suite, and
the number is that suite's dispute of one conditional payment or sub-channel, answered where it can
be. Nothing here is what a project publishes under the rules of its own test chain.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """A suite of contracts; None where it has no such operation or it was not measured."""

    name: str
    source: str
    happy: int | None
    countered: int | None
    payment: int | None
    token_close: int | None


FLOOR = Peer(
    "floor (hand-written, unsafe)",
    "ours, no part of the project",
    112_609,
    103_644,
    109_299,
    50_712,
)

PEERS = (
    Peer("Nitro", "statechannels/go-nitro 64c4ee9", 168_560, 271_572, 419_016, 99_272),
    Peer(
        "perun-eth (2022)",
        "perun-network/perun-eth-contracts eb96e7f",
        319_094,
        349_549,
        504_746,
        245_278,
    ),
    Peer(
        "perun-eth (2025)",
        "hyperledger-labs/perun-eth-contracts 88b3ce2, as configured",
        358_523,
        440_231,
        665_491,
        284_546,
    ),
    Peer("Raiden", "raiden-network/raiden-contracts ce3d253", None, None, None, 141_868),
    Peer("Vector", "connext/vector 6c0e900", 370_048, 480_524, 683_725, 197_847),
    Peer("Counterfactual", "counterfactual/monorepo f431e3d", 376_193, 860_031, 1_459_562, 348_649),
    Peer(
        "Celer",
        "celer-network/agent-pay-contracts dd157b0",
        648_480,
        555_925,
        720_273,
        168_535,
    ),
    Peer("Nitrolite ChannelHub", "layer-3/nitrolite 111b7e5", 775_100, 685_813, None, 226_942),
    Peer(
        "Nitrolite Custody", "layer-3/nitrolite, Custody 0.3.0", 1_323_010, 822_707, None, 339_520
    ),
    Peer(
        "legacy MSContract + VPC",
        "PerunEthereum/Perun 0704f48",
        1_435_666,
        None,
        683_129,
        None,
    ),
    Peer(
        "LedgerChannel",
        "PerunEthereum/Perun 0704f48",
        2_836_681,
        228_736,
        846_306,
        None,
    ),
)
