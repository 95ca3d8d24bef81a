"""Attacks on the contracts, written against docs/protocol.md by somebody who did not write them.

Each test is one way to take, freeze or confuse money, and is green when it fails to.
"""
