"""What the project measures about itself; the numbers in `docs` come from here."""
