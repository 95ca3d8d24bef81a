"""The demonstration: Alice, Bob and the hub Ingrid live through a whole life of channels."""
