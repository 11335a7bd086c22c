"""What the operator's people do to a machine: orders, decided as purely as a sale is."""
