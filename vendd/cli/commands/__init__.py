"""The commands of `vendctl`, by subject."""
