"""vendd: the controller daemon of one vending machine."""

__version__ = "0.1.0"
