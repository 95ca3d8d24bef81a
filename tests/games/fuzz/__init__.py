"""Every decoder, given what no honest program has written: the answer is a typed error.

Garbage is made from the real thing, by few changes, since pure noise is refused at its first byte.
`HYPOTHESIS_PROFILE=deep pytest tests/games/fuzz` searches far.
"""
