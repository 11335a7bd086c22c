"""Whole histories of machines from seeds: customers, faults, deaths, and the judgement."""
