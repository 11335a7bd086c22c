"""A recorded bus played against the real drivers, in virtual time."""
