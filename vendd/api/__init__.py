"""Request and response types of the local socket and the gateway, version 1.

Money is integer minor units with `currency` and `exponent` beside it.
"""
