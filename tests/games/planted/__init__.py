"""Bugs planted in core and node on purpose, to see that the simulation notices each.

`test_planted` plants a handful, `python -m tests.games.planted` all of them.
"""
