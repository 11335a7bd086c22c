"""Devices that hold the ports of `vendd.ports` themselves: no pins, no bytes, the same physics."""
