"""Perun: payment and state channels on Ethereum (see docs/protocol.md)."""
