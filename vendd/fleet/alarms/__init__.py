"""What the machines can't raise themselves, what they did raise, and who is told of it."""
