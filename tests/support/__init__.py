"""What tests of the contracts share: a stage with a cast, and a plain second telling of hashes."""
