"""Compiled contracts: their data, their factories and what can be wrong with them."""
