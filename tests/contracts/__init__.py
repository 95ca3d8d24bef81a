"""The Solidity contracts: function by function, on the bytecode, on two EVMs, gas to the unit.

The sources here are test doubles: tokens, payees and nanocontracts that misbehave.
"""
