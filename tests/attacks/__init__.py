"""Attacks in one place: on contracts, on nodes (stories), by somebody else, those that once worked.

`museum` holds the table of all of them (`docs/museum.md`) against the tests that it names.
"""
