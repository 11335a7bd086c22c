"""Section 9 of the behaviour rules: the table as data, and as the machine really behaves."""
