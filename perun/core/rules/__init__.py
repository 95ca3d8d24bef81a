"""What every part of the core stands on: arithmetic, keys, phases, and what may be signed when."""
