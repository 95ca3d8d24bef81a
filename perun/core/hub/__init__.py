"""A hub: what it lends and charges, who waits, what one half may say, and both or neither."""
