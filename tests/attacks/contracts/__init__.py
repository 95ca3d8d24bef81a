"""Attacks A3 to C7, each performed on the contracts by somebody who then has nothing from it.

Numbers are those of the protocol page (`docs/protocol.md`), where they mark the sentence that stops
the attack. What only the off-chain rules stop (A1, A2, A4, A6, A7, …) is tested with the core.
"""
