"""Whole channel lives and disputes behind nodes that bend: see `perun.testing.bent`."""
