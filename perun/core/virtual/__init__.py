"""The ends of an instance that crosses a hub, or stays between two: invite, be ready, leave."""
