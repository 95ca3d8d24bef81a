"""The test suite; `tests.support` holds what several directories share."""
