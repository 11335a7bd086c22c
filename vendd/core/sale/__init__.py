"""The purchase machine: `step(state, report, snapshot)` decides, and nothing else does."""
