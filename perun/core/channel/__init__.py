"""A channel of two: join, fund, propose, answer, agree, offer an end, dispute."""
