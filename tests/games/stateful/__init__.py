"""Machines that attack the contracts while the model of `perun.spec` looks on.

`arena`: one chain, the model beside it, and one way to make a call: on both, compared.
`cast`: who plays: accounts, contract wallets, tokens, nanocontracts, each with its counterpart in
the model. `rooms`: who signed what in each channel; what an honest party would never sign.
`table`, `money_calls`, `dispute_calls`, `signing`, `play`: everything anybody can think of doing,
drawn at random. `games`: many plays, counted, and made smaller when they fail. `evm`, `nodes`,
`replay`: the chains to play on.

Quick form: `pytest tests/games/stateful`. Deep form: `python -m tests.games.stateful --minutes 10`.
A failure is written down as a list of plain transactions and replayed on eth-tester and anvil
(`python -m tests.games.stateful --replay FILE`).
"""
