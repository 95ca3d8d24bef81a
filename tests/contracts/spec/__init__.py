"""The model of the chain side by itself."""
