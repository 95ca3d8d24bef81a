"""What every part of the core stands on: money, prices, keys, phases, who may join."""
