"""What a vending machine decides: pure values and functions, no clock, no I/O, no device."""
