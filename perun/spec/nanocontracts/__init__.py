"""Nanocontracts other than the payment machine, one file each."""
