"""The backend's reference consumers: what the machines' events amount to, and who is told.

Processes of their own (`vendd-fleet inventory`, `vendd-fleet notify`); never part of the daemon.
"""
