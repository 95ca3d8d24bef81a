"""The table of attacks (docs/museum.md) and what it claims."""
