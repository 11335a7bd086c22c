"""What an auditor looks at and what must be true of it, one subject per file."""
