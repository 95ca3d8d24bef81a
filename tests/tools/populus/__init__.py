"""The development tool, on small projects of its own."""
