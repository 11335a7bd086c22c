"""What ``vendd-fleet`` does, one command per module."""
