"""Machines that only publish: the event streams of a whole fleet, without its hardware."""
