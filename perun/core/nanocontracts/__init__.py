"""What the core knows of nanocontracts: ids, nanos, locks, times, and final shifts."""
