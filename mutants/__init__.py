"""Contracts broken on purpose, one sentence of the protocol at a time.

`protocol` names the sentences of docs/protocol.md that a contract can break; `catalogue` breaks
them, each with a small change of the Solidity text; `python -m mutants` compiles each broken
contract once and runs the committed tests against it. A test suite that lets one live has a hole.
"""
