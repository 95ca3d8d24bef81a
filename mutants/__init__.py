"""Contracts broken on purpose, one sentence of the protocol at a time.

`catalogue.toml` quotes the sentences of docs/protocol.md that a contract can break and breaks each
with a small change of the Solidity text; `python -m mutants` (`make mutants`) compiles each broken
contract once and runs the committed tests against it. A suite that lets one live has a hole.
"""
