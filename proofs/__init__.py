"""What is proved of the contracts, each part by machine: `python -m proofs`."""
