"""Byte-level models of the devices on the machine's wires: the OTHER side of each bus.

They are written from the published facts of each protocol and share no code
with `vendd.wire`, so that a misreading there does not cancel out here.
"""
