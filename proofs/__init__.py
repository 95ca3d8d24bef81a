"""Symbolic checks of the contracts (halmos) and static ones (slither): `python -m proofs`."""
