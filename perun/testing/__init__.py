"""The public test kit: a scripted chain, and what else tests of channel programs want.

Nothing else in the package imports it; it needs the extra `test`.
"""
