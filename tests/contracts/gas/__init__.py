"""Gas, held to the unit."""
