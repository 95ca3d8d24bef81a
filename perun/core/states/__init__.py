"""What the next state of a channel is, whether we sign it, and what all we have signed is worth."""
