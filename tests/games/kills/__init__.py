"""Real processes with real stores, killed at any moment: `kill -9` loses and contradicts nothing.

`test_kills` is a short form, `python -m tests.games.kills --kills 200` the long one.
"""
