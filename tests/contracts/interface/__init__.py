"""What outsiders rely on: names and types of the page, bytecode, and every error."""
