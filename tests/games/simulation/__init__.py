"""Three nodes and a chain in one deterministic simulation, with every accident and every crook.

`test_simulation` is the quick form, `python -m tests.games.simulation --minutes N` the deep one.
"""
