"""A small continuation of the Populus development framework."""
