"""Bugs that were found and mended, each in a file named after what went wrong."""
