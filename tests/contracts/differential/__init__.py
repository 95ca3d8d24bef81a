"""The same thing told twice, compared: Solidity with the model, one EVM with another."""
